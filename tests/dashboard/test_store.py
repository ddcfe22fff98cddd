"""What the store reads of a workspace, and that nothing outside it is read."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dashboard.app import page
from dashboard.pages.runs import rows
from dashboard.store import LOG_BYTES, STALE_SECONDS, Checked, Damaged, NotThere, Store
from tests.dashboard import stores

TASK = "image_classification"


def test_runs_come_latest_first_with_what_they_came_to(tmp_path: Path) -> None:
    stores.finished(tmp_path, TASK, 1, 0.9)
    stores.finished(tmp_path, TASK, 2, 0.3)
    stores.finished(tmp_path, "gan", 0, 0.7)
    first, second, third = Store(tmp_path).runs()
    assert [run.id for run in (first, second, third)] == [stores.run_id(n) for n in (2, 1, 0)]
    assert (first.outcome, second.outcome, third.task) == ("not blessed", "blessed", "gan")
    assert (second.score, second.best_reference) == (0.9, ("nearest neighbours", 0.6))
    assert rows([second])[0]["interval"] == "0.85 to 0.95"
    assert second.data["fingerprint"].endswith("1") and second.started == stores.FIRST.replace(hour=10)


def test_a_run_goes_on_until_it_says_otherwise_or_says_nothing(tmp_path: Path) -> None:
    folder = stores.write_run(tmp_path, stores.state(TASK, 1, "running", progress={"step": 3}))
    store = Store(tmp_path)
    assert store.runs()[0].outcome == "running"
    long_ago = time.time() - STALE_SECONDS - 5
    os.utime(folder / "state.json", (long_ago, long_ago))
    assert store.runs()[0].outcome == "stopped"


def test_a_run_on_a_cluster_may_ask_for_patience(tmp_path: Path) -> None:
    kept = stores.state(TASK, 1, "running", patience=600)
    del kept["nodes"], kept["progress"]
    folder = stores.write_run(tmp_path, kept)
    long_ago = time.time() - STALE_SECONDS - 5
    os.utime(folder / "state.json", (long_ago, long_ago))
    store = Store(tmp_path)
    [run] = store.runs()
    assert run.outcome == "running" and "It has begun." in str(page(store, f"/run/{run.key}", ""))
    assert rows([run])[0]["outcome"] == "running"


def test_nodes_of_a_run_on_a_cluster_speak_for_themselves(tmp_path: Path) -> None:
    kept = stores.state(TASK, 1, "running", patience=600)
    del kept["nodes"], kept["progress"]
    (stores.write_run(tmp_path, kept) / "nodes").mkdir()
    began = [kept["started"], (datetime.fromisoformat(kept["started"]) + timedelta(seconds=5)).isoformat()]
    told = [
        {"id": "Transform", "state": "cached", "started": began[0], "seconds": 4.5},
        {"id": "Trainer", "state": "running", "started": began[1]},
    ]
    for node in told:
        file = tmp_path / TASK / "runs" / kept["run_id"] / "nodes" / f"{node['id']}.json"
        file.write_text(json.dumps(node), encoding="utf-8")
    training = tmp_path / TASK / "training" / "0123" / "progress.json"
    training.parent.mkdir(parents=True)
    training.write_text(json.dumps({"step": 30, "steps_total": 120, "history": {"loss": [0.5]}}), encoding="utf-8")
    store = Store(tmp_path)
    [run] = store.runs()
    assert [(node["id"], node["state"], node["start"]) for node in run.nodes] == [
        ("Transform", "cached", 0.0),
        ("Trainer", "running", 5.0),
    ]
    assert run.nodes[0]["seconds"] == 4.5 and run.nodes[1]["seconds"] > 0
    assert rows([run])[0]["outcome"] == f"running 2/{len(stores.NODES)}"
    shown = str(page(store, f"/run/{run.key}", ""))
    assert "step 30 of 120" in shown and "Trainer" in shown
    assert store.report(run)["curves"] == {"loss": [0.5]}


def test_a_failed_run_says_why(tmp_path: Path) -> None:
    error = {"message": "the data is not fit to train on", "fix": "mend the data"}
    folder = stores.write_run(tmp_path, stores.state(TASK, 1, "failed", error=error))
    counts = {"train": 7, "eval": 2, "quarantined": 5}
    (folder / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
    store = Store(tmp_path)
    [run] = store.runs()
    assert (run.outcome, run.error) == ("failed", error)
    report = store.report(run)
    assert (report["examples"], report["hparams"]) == (counts, {"epochs": 3})


def test_a_run_of_before_states_were_kept_is_read_from_its_result(tmp_path: Path) -> None:
    folder = stores.finished(tmp_path, TASK, 1, 0.9)
    (folder / "state.json").unlink()
    [run] = Store(tmp_path).runs()
    assert (run.outcome, run.key_metric, run.score) == ("blessed", "accuracy", 0.9)
    assert run.started is not None and run.started.strftime("%H:%M") == "10:00"


def test_a_changed_run_is_read_again_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    folder = stores.finished(tmp_path, TASK, 1, 0.9)
    store = Store(tmp_path)
    [before] = store.runs()
    assert store.runs()[0] is before
    end = stores.result(TASK, 1, 0.2)
    (folder / "result.json").write_text(json.dumps(end.to_dict()), encoding="utf-8")
    os.utime(folder / "result.json", (1, 1))
    assert store.runs()[0].score == 0.2


def test_damage_of_a_report_is_told(tmp_path: Path) -> None:
    folder = stores.finished(tmp_path, TASK, 1, 0.9)
    (folder / "report" / "report.json").write_text("{", encoding="utf-8")
    (folder / "quarantine.jsonl").write_text("x\n", encoding="utf-8")
    store = Store(tmp_path)
    [run] = store.runs()
    for read in (store.report, store.quarantine):
        with pytest.raises(Damaged, match="cannot be read"):
            read(run)
    shown = str(page(store, f"/run/{run.key}", ""))
    assert "report.json cannot be read" in shown and "quarantine.jsonl cannot be read" in shown
    assert "accuracy" in shown, "what else is known of it is shown"


def test_an_empty_or_absent_workspace_has_no_runs(tmp_path: Path) -> None:
    assert Store(tmp_path).runs() == [] and Store(tmp_path / "none").runs() == []


def test_only_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    lines = "".join(f"line {i}\n" for i in range(LOG_BYTES))
    stores.write_run(tmp_path, stores.state(TASK, 1, "finished"), log=lines)
    store = Store(tmp_path)
    tail = store.log_tail(store.runs()[0])
    assert tail.endswith(f"line {LOG_BYTES - 1}\n") and tail.startswith("line ") and len(tail) <= LOG_BYTES


def test_media_of_a_report_and_nothing_else_can_be_read(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    folder = stores.finished(workspace, TASK, 1, 0.9)
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    (folder / "report" / "previews" / "link.png").symlink_to(secret)
    (folder / "report" / "previews" / "page.html").write_text("<script>", encoding="utf-8")
    store = Store(workspace)
    assert store.media(TASK, folder.name, "previews/000-0.png").read_bytes().startswith(b"\x89PNG")
    refused = ["previews/link.png", "previews/page.html", "report.json", "../../../../../secret.png", str(secret)]
    for name in refused:
        with pytest.raises(NotThere):
            store.media(TASK, folder.name, name)
    for task, run_id in [("..", folder.name), (TASK, ".."), (TASK, "../runs/" + folder.name), ("", "")]:
        with pytest.raises(NotThere):
            store.media(task, run_id, "previews/000-0.png")


def test_a_folder_that_is_a_link_out_of_the_workspace_is_no_run(tmp_path: Path) -> None:
    outside = stores.finished(tmp_path / "elsewhere", TASK, 1, 0.9)
    workspace = tmp_path / "workspace"
    (workspace / TASK / "runs").mkdir(parents=True)
    (workspace / TASK / "runs" / outside.name).symlink_to(outside)
    store = Store(workspace)
    assert store.runs() == []
    with pytest.raises(NotThere):
        store.run(TASK, outside.name)


def test_a_log_that_is_a_link_out_of_the_workspace_is_not_shown(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    folder = stores.finished(workspace, TASK, 1, 0.9)
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (folder / "log.txt").unlink()
    (folder / "log.txt").symlink_to(tmp_path / "secret")
    store = Store(workspace)
    with pytest.raises(Damaged, match="a link out of the workspace"):
        store.log_tail(store.runs()[0])
    assert "secret" not in str(page(store, f"/run/{store.runs()[0].key}", ""))


def test_the_highest_version_is_served_and_a_changed_file_shows(tmp_path: Path) -> None:
    stores.pushed(tmp_path, TASK, 9)
    model = stores.pushed(tmp_path, TASK, 10)
    store = Store(tmp_path)
    latest, older = store.models(TASK)
    assert (latest.version, latest.served) == (10, True)
    assert (older.version, older.served) == (9, False)
    assert store.check(latest) == Checked(files=1, problem="")
    (model / "saved_model.pb").write_bytes(b"other")
    assert store.check(latest).problem == "saved_model.pb was changed after the model was pushed"


@pytest.mark.parametrize("place", [TASK, f"{TASK}/runs", f"{TASK}/runs/{stores.run_id(1)}", f"{TASK}/serving"])
def test_a_link_to_another_disk_hides_no_other_run_and_is_followed_where_that_is_named(
    place: str, tmp_path: Path
) -> None:
    workspace, disk = tmp_path / "workspace", tmp_path / "disk"
    stores.finished(workspace, "gan", 1, 0.9)
    stores.pushed(workspace, "gan", 1)
    stores.finished(workspace, TASK, 1, 0.9)
    stores.pushed(workspace, TASK, 1)
    disk.mkdir()
    (workspace / place).rename(disk / "there")
    (workspace / place).symlink_to(disk / "there")
    store = Store(workspace)
    assert "gan" in [run.task for run in store.runs()]
    [link] = store.left_out()
    assert (link.place, link.target, link.is_there) == (place, disk / "there", True)
    for address in ("/", "/models"):
        shown = str(page(store, address, ""))
        assert f"{place} → {disk / 'there'}" in shown and f"--follow {disk / 'there'}" in shown

    followed = Store(workspace, [disk])
    assert {run.task for run in followed.runs()} == {"gan", TASK} and followed.left_out() == []
    assert [model.version for model in followed.models(TASK)] == [1]
    assert followed.check(followed.models(TASK)[0]) == Checked(1, "")
    run = followed.run(TASK, stores.run_id(1))
    assert followed.report(run)["title"] == "Digits & letters" and followed.media(
        *run.key.split("/"), "previews/000-0.png"
    )
    assert "--follow" not in str(page(followed, "/", ""))


def test_a_link_that_leads_nowhere_is_said_to(tmp_path: Path) -> None:
    stores.finished(tmp_path, "gan", 1, 0.9)
    (tmp_path / TASK).symlink_to("/nowhere/at/all")
    shown = str(page(Store(tmp_path), "/", ""))
    assert "image_classification → /nowhere/at/all (which is not there)" in shown and "--follow" not in shown
    assert len(Store(tmp_path).runs()) == 1


def test_only_runs_on_the_same_data_have_a_best(tmp_path: Path) -> None:
    for number, fingerprint in ((1, "same"), (2, "same"), (3, "other")):
        stores.finished(tmp_path, TASK, number, number / 10, fingerprint=fingerprint)
    first, second, third = (f"run={TASK}/{stores.run_id(number)}" for number in (1, 2, 3))
    store = Store(tmp_path)
    assert "★ " in str(page(store, "/compare", f"?{first}&{second}"))
    shown = str(page(store, "/compare", f"?{second}&{third}"))
    assert "★ '" not in shown and "different data" in shown


def test_times_name_their_zone(tmp_path: Path) -> None:
    stores.finished(tmp_path, TASK, 1, 0.9)
    [run] = Store(tmp_path).runs()
    assert run.started is not None
    zone = run.started.strftime("%Z")
    assert (
        zone
        and rows([run])[0]["started"].endswith(f" {zone}")
        and zone in str(page(Store(tmp_path), f"/run/{run.key}", ""))
    )

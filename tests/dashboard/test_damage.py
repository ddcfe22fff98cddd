"""A damaged file of one run is said to be damaged, in words, and hides nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from dash.development.base_component import Component
from hypothesis import HealthCheck, given, settings, strategies
from plotly.utils import PlotlyJSONEncoder

from dashboard.app import page
from dashboard.pages.runs import rows
from dashboard.store import Store
from tests.dashboard import stores

TASK = "image_classification"
GONE = object()
"""In the place of a value: there is none."""


def invalid_utf8(file: Path) -> None:
    file.write_bytes(b'{"state": "\xff\xfe"}')


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2] or b"{")


def link_out(file: Path) -> None:
    workspace = next(folder for folder in file.parents if folder.name == "workspace")
    outside = workspace.parent / "outside.json"
    outside.write_bytes(b'{"state": "finished", "verdict": "secret"}')
    file.unlink()
    file.symlink_to(outside)


def link_to_itself(file: Path) -> None:
    """What cannot be opened, whoever asks."""
    file.unlink()
    file.symlink_to(file.name)


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def a_list(file: Path) -> None:
    file.write_text("[1, 2]")


def a_text(file: Path) -> None:
    file.write_text('"finished"')


def too_deep(file: Path) -> None:
    file.write_text("[" * 100_000)


WAYS: list[Callable[[Path], None]] = [
    *(invalid_utf8, cut_short, link_out, link_to_itself, folder, pipe, a_list, a_text, too_deep)
]
FILES = (
    *("state.json", "result.json", "report/report.json", "nodes/Trainer.json", "lineage.json", "quarantine.jsonl"),
    *("counts.json", "settings.yaml", "log.txt"),
)
TEXTS = ("settings.yaml", "log.txt")
"""Any text may stand in them."""


def whole_run(workspace: Path, number: int) -> Path:
    """One that goes on on a cluster, so that all kinds of files are read."""
    run = stores.finished(workspace, TASK, number, 0.9)
    kept = json.loads((run / "state.json").read_text())
    del kept["nodes"]
    (run / "state.json").write_text(json.dumps(kept))
    ended = json.loads((run / "result.json").read_text())
    (run / "result.json").write_text(json.dumps(ended | {"nodes": []}))
    (run / "nodes").mkdir()
    node = {"id": "Trainer", "state": "ran", "started": kept["started"], "seconds": 2.0}
    (run / "nodes" / "Trainer.json").write_text(json.dumps(node))
    (run / "counts.json").write_text(json.dumps({"train": 1, "eval": 1, "quarantined": 0}))
    (run / "lineage.json").write_text(json.dumps({"steps": [STEP]}))
    (run / "quarantine.jsonl").write_text(json.dumps(BAD_RECORD) + "\n")
    return run


ARTIFACT = {"id": 7, "kind": "Model", "place": "model", "made_by": ""}
STEP = {"node": "Trainer", "state": "complete", "inputs": [], "outputs": [["model", ARTIFACT]]}
BAD_RECORD = {"file": "a.png", "row": None, "column": "image", "reason": "cut short"}


def seen(workspace: Path, run: Path, name: str) -> None:
    """Both runs are listed, the other one is as it was, and the page of the damaged one names the file."""
    store = Store(workspace)
    damaged, sound = store.runs()
    assert (damaged.id, sound.outcome) == (run.name, "blessed")
    assert len(rows([damaged, sound])) == 2
    assert "2 runs" in drawn(store, "/")
    shown = drawn(store, f"/run/{damaged.key}")
    assert name in shown and ("cannot be read" in shown or "is no" in shown), shown[:2000]
    assert "secret" not in shown
    assert "Damage" not in drawn(store, f"/run/{sound.key}") and "Model" in drawn(store, f"/run/{sound.key}")
    drawn(store, f"/compare?run={damaged.key}&run={sound.key}")
    drawn(store, "/models")


def drawn(store: Store, address: str) -> str:
    """The page as it goes to the browser: what Dash cannot write as JSON is an error here, too."""
    path, _, search = address.partition("?")
    found = page(store, path, search)
    return json.dumps(found.to_plotly_json(), default=lambda part: part.to_plotly_json(), ensure_ascii=False)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_file_is_named_and_hides_no_other_run(way: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    if name in TEXTS and way in (cut_short, a_list, a_text, too_deep):
        pytest.skip("a text like any other")
    if name == "log.txt" and way is invalid_utf8:
        pytest.skip("what programs print is shown as far as it can be")
    workspace = tmp_path / "workspace"
    whole_run(workspace, 1)
    run = whole_run(workspace, 2)
    way(run / name)
    seen(workspace, run, Path(name).name)


def changed(found: Any, place: list[str], value: Any) -> Any:
    """`found` with what stands at `place` put out (None is a value) or replaced."""
    step, *rest = place
    key: Any = int(step) if isinstance(found, list) else step
    if rest:
        found[key] = changed(found[key], rest, value)
    elif value is GONE:
        del found[key]
    else:
        found[key] = value
    return found


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("state.json", "seconds", "abc"),
        ("state.json", "seconds", None),
        ("state.json", "started", 7),
        ("state.json", "state", {"running": True}),
        ("state.json", "data", ["digits"]),
        ("state.json", "data.name", ["digits"]),
        ("state.json", "hparams", "epochs=3"),
        ("state.json", "error", "it failed"),
        ("state.json", "patience", "long"),
        ("state.json", "nodes_total", "8"),
        ("state.json", "key_metric", ["accuracy"]),
        ("result.json", "seconds", float("inf")),
        ("result.json", "metrics", [0.9]),
        ("result.json", "metrics.accuracy", "0.9"),
        ("result.json", "reference", {"kNN": 0.5}),
        ("result.json", "baseline", 0.5),
        ("result.json", "gates", {"accuracy": 0.5}),
        ("result.json", "nodes", [{"id": "Trainer"}]),
        ("result.json", "nodes", ["Trainer"]),
        ("result.json", "nodes", [{"id": "Trainer", "state": "ran", "start": "0", "seconds": 1.0}]),
        ("result.json", "examples", "many"),
        ("result.json", "blessed", "yes"),
        ("nodes/Trainer.json", "id", GONE),
        ("nodes/Trainer.json", "state", 3),
        ("nodes/Trainer.json", "started", None),
        ("nodes/Trainer.json", "seconds", "abc"),
        ("counts.json", "train", "8"),
        ("report/report.json", "previews", {"0": "a"}),
        ("report/report.json", "previews.0.title", GONE),
        ("report/report.json", "previews.0.parts.0", "a picture"),
        ("report/report.json", "plots.0.series", None),
        ("report/report.json", "gates.0.metric", GONE),
        ("report/report.json", "slices", 3),
        ("report/report.json", "confusion.counts", [["a"]]),
        ("report/report.json", "confusion.counts.1", [1]),
        ("report/report.json", "plots.1.edges", [0.0]),
        ("report/report.json", "plots.1.edges", GONE),
        ("report/report.json", "plots.1.series.right.0", None),
        ("report/report.json", "intervals", {"accuracy": [0.5]}),
        ("report/report.json", "previews.0.example", [1]),
        ("report/report.json", "statistics.label.train.top", [["1"]]),
        ("report/report.json", "statistics.width.train.histogram.0", [0.0, 1.0]),
        ("report/report.json", "curves", [1.0]),
        ("report/report.json", "statistics", {"width": 3}),
        ("report/report.json", "statistics.width.eval.count", "many"),
        ("report/report.json", "bounds", {"label": "0.25"}),
        ("report/report.json", "nodes", [{"id": 3}]),
        ("lineage.json", "steps", {"a": 1}),
        ("lineage.json", "steps.0.node", ["Trainer"]),
        ("lineage.json", "steps.0.outputs.0.1.place", {"a": 1}),
        ("quarantine.jsonl", "reason", GONE),
        ("quarantine.jsonl", "file", ["a.png"]),
    ],
)
def test_a_value_of_a_wrong_type_is_said_with_its_place(name: str, place: str, value: Any, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    whole_run(workspace, 1)
    run = whole_run(workspace, 2)
    found = changed(json.loads((run / name).read_text()), place.split("."), value)
    (run / name).write_text(json.dumps(found))
    seen(workspace, run, Path(name).name)


INJECTED = {
    "type": "A",
    "namespace": "dash_html_components",
    "props": {"children": "x", "href": "//evil.example"},
}
"""A component of Dash, as a page would take it if it came where a text belongs."""

ANY_JSON = strategies.recursive(
    strategies.one_of(
        *(strategies.none(), strategies.booleans(), strategies.integers(), strategies.floats()),
        *(strategies.text(max_size=5), strategies.just(INJECTED), strategies.just(GONE)),
    ),
    lambda one: strategies.lists(one.filter(lambda value: value is not GONE), max_size=3),
    max_leaves=4,
)


def places(found: Any, so_far: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Of all values that JSON holds, the outermost one left out."""
    below = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for step, value in below:
        yield (*so_far, str(step))
        yield from places(value, (*so_far, str(step)))


def injected(part: Any) -> Iterator[str]:
    """Where a page holds a plain object in the place of a component or a text."""
    if isinstance(part, (list, tuple)):
        for one in part:
            yield from injected(one)
    elif isinstance(part, Component):
        yield from injected(getattr(part, "children", None))
        options = getattr(part, "options", None) or []
        yield from injected([one["label"] if isinstance(one, dict) else one for one in options])
    elif isinstance(part, dict):
        yield json.dumps(part)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Mapping[str, str]]:
    """A workspace, a run in it, and what the run's files hold."""
    workspace = tmp_path_factory.mktemp("workspace")
    whole_run(workspace, 1)
    run = whole_run(workspace, 2)
    return workspace, run, {name: (run / name).read_text() for name in FILES if name.endswith((".json", ".jsonl"))}


@settings(derandomize=True, deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(drawn_from=strategies.data())
def test_whatever_stands_in_a_file_is_shown_or_said_to_be_damaged(
    drawn_from: strategies.DataObject, fuzzed: tuple[Path, Path, Mapping[str, str]]
) -> None:
    """No error gets as far as the page, no dict becomes a component, and what is shown can be sent."""
    workspace, run, whole = fuzzed
    name = drawn_from.draw(strategies.sampled_from(sorted(whole)))
    found = json.loads(whole[name])
    place = drawn_from.draw(strategies.sampled_from(list(places(found))))
    (run / name).write_text(json.dumps(changed(found, list(place), drawn_from.draw(ANY_JSON))) + "\n")
    try:
        store = Store(workspace)
        assert len(rows(store.runs())) == 2
        both = f"?run={TASK}/{run.name}&run={TASK}/{stores.run_id(1)}"
        pages = [(f"/run/{TASK}/{run.name}", ""), ("/compare", both)]
        shown = page(store, *drawn_from.draw(strategies.sampled_from(pages)))
        assert list(injected(shown)) == []
        json.dumps(shown, cls=PlotlyJSONEncoder, ensure_ascii=False).encode()
        assert "the dashboard's own output" not in str(shown)
    finally:
        (run / name).write_text(whole[name])


def test_what_a_page_must_not_obey_is_shown(tmp_path: Path) -> None:
    run = stores.finished(tmp_path, TASK, 1, 0.9)
    found = json.loads((run / "report" / "report.json").read_text())
    found["previews"][0]["title"] = "gnp.\u202eexe \0 \ud800"
    (run / "report" / "report.json").write_text(json.dumps(found))
    store = Store(tmp_path)
    shown = drawn(store, f"/run/{store.runs()[0].key}")
    assert "gnp.[U+202E]exe [U+0000] [U+D800]" in shown
    assert "[U+D800]" in drawn(store, "/run/a/\ud800") and "[U+0000]" in drawn(store, "/models/%00")


def test_an_error_takes_down_one_part_of_a_page_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stores.finished(tmp_path, TASK, 1, 0.9)
    store = Store(tmp_path)
    monkeypatch.setattr("dashboard.sections.slices.section", lambda run, report: 1 / 0)
    shown = drawn(store, f"/run/{store.runs()[0].key}")
    assert "Slices cannot be shown (ZeroDivisionError)" in shown and "Most often confused" in shown
    monkeypatch.setattr("dashboard.pages.runs.layout", lambda store, found: 1 / 0)
    assert "This page cannot be shown" in drawn(store, "/")
    assert "1 / 0" in caplog.text


@pytest.mark.parametrize("name", ["1\u00b2", "dangling", "file", "deep/1"])
def test_what_lies_among_pushed_versions_hides_none(name: str, tmp_path: Path) -> None:
    stores.finished(tmp_path, TASK, 1, 0.9)
    stores.finished(tmp_path, "gan", 1, 0.9)
    stores.pushed(tmp_path, "gan", 1)
    serving = stores.pushed(tmp_path, TASK, 1).parent
    if name == "dangling":
        (serving / "2").symlink_to(tmp_path / "nowhere")
    elif name == "file":
        (serving / "2").write_text("")
    else:
        (serving / name).mkdir(parents=True)
    store = Store(tmp_path)
    assert [model.version for model in store.models(TASK)] == [1]
    assert "1 files as pushed" in drawn(store, "/models") and "1 files as pushed" in drawn(store, f"/models/{TASK}")


def test_models_that_lie_elsewhere_hide_no_others(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    for task in (TASK, "gan"):
        stores.finished(workspace, task, 1, 0.9)
    stores.pushed(workspace, "gan", 1)
    (workspace / TASK / "serving").symlink_to(tmp_path)
    store = Store(workspace)
    assert "gan" in drawn(store, "/models") and "1 files as pushed" in drawn(store, "/models")
    assert "no pushed model" in drawn(store, f"/models/{TASK}")


def test_a_preview_of_tomorrow_is_said_to_be_unknown(tmp_path: Path) -> None:
    run = stores.finished(tmp_path, TASK, 1, 0.9)
    found = json.loads((run / "report" / "report.json").read_text())
    found["previews"][0]["parts"] = [{"kind": "hologram"}, {"kind": "picture"}]
    (run / "report" / "report.json").write_text(json.dumps(found))
    store = Store(tmp_path)
    shown = drawn(store, f"/run/{store.runs()[0].key}")
    assert "This hologram cannot be shown" in shown and "This picture cannot be shown" in shown


def test_a_runs_folder_that_is_a_link_out_of_the_workspace_holds_no_runs(tmp_path: Path) -> None:
    stores.finished(tmp_path / "elsewhere", TASK, 1, 0.9)
    stores.finished(tmp_path / "workspace", "gan", 1, 0.9)
    (tmp_path / "workspace" / TASK).mkdir()
    (tmp_path / "workspace" / TASK / "runs").symlink_to(tmp_path / "elsewhere" / TASK / "runs")
    assert [run.task for run in Store(tmp_path / "workspace").runs()] == ["gan"]


@pytest.mark.parametrize("started", ["2026-11-01T10:00", "0001-01-01T00:00", "yesterday"])
def test_a_start_without_a_zone_or_out_of_reach_sorts_among_the_others(started: str, tmp_path: Path) -> None:
    stores.finished(tmp_path, TASK, 1, 0.9)
    stores.write_run(tmp_path, stores.state(TASK, 2, "failed") | {"started": started})
    assert len(Store(tmp_path).runs()) == 2

"""Whole pipelines on small folders, in one process: imports are the cost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from components import manifest
from data.errors import BenisonError, DataRefused, WrongUse
from data.folders.check import check
from data.folders.folder import DataFolder, Record
from data.folders.verdict import refusal
from pipelines.console.progress import Listener
from pipelines.local.run import run
from pipelines.records.run_result import EXIT_BLESSED, EXIT_NOT_BLESSED, RunResult
from pipelines.settings import RunSettings
from trainer.task import load

pytestmark = pytest.mark.whole

TASK = "image_classification"
QUICK = {"global_batch_size": "32", "min_steps": "120", "filters": "8", "epochs": "1"}
CLASSES = ("across", "blank", "down")


def picture(kind: str, rng: np.random.Generator) -> Image.Image:
    """A colour picture, 20 by 14 pixels, that each method can learn to tell from those of other kinds."""
    pixels = rng.integers(0, 60, (14, 20, 3), dtype=np.uint8)
    if kind == "across":
        pixels[6:9, :] = 220
    if kind == "down":
        pixels[:, 8:12] = 220
    return Image.fromarray(pixels)


def write_pictures(folder: Path, number: int, suffix: str = ".png", seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    for kind in CLASSES:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for i in range(number):
            picture(kind, rng).save(folder / kind / f"{seed}-{i:03d}{suffix}")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures"), 60)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def first(folder: Path, workspace: Path) -> RunResult:
    return run(settings(folder, workspace), Listener())


def settings(folder: Path, workspace: Path, **changes: object) -> RunSettings:
    overrides = {**QUICK, **changes.pop("overrides", {})}  # type: ignore[dict-item]
    return RunSettings(TASK, data=str(folder), overrides=overrides, workspace=workspace, **changes)  # type: ignore[arg-type]


def states(result: RunResult) -> dict[str, str]:
    return {node["id"]: node["state"] for node in result.nodes}


def test_a_folder_becomes_a_blessed_and_served_model(first: RunResult) -> None:
    assert first.exit == EXIT_BLESSED, first.verdict
    assert first.blessed
    assert first.pushed == "1"
    assert first.metrics["accuracy"] >= max(scores["accuracy"] for scores in first.reference.values())
    assert first.examples["train"] + first.examples["eval"] == 180
    assert set(states(first).values()) == {"ran"}
    served = manifest.verify(Path(first.places["model"]))
    assert served["task"] == TASK


def test_json_holds_what_it_promises(first: RunResult) -> None:
    shown = json.loads(json.dumps(first.to_json()))
    promised = {"task", "run_id", "exit", "blessed", "pushed", "metrics", "reference", "baseline", "examples", "nodes"}
    assert promised | {"seconds", "peak_rss_mb"} <= set(shown)
    assert {"train", "eval", "quarantined"} == set(shown["examples"])
    assert all({"id", "state", "seconds"} == set(node) for node in shown["nodes"])


def test_the_report_is_one_file_that_shows_the_verdict_and_pictures(first: RunResult) -> None:
    page = Path(first.places["report"]).read_text(encoding="utf-8")
    assert first.verdict.partition(":")[0] in page.lower()
    assert page.count("data:image/png;base64,") >= 5
    assert page.count("<script") == 1, "its own, which its policy knows by digest"
    assert "http://" not in page
    assert "https://" not in page


def test_slices_and_confusion_are_named_by_class(first: RunResult) -> None:
    report = json.loads(Path(first.places["report"]).with_name("report.json").read_text(encoding="utf-8"))
    examples = {entry["slice"]: entry["examples"] for entry in report["slices"]}
    assert set(examples) == {f"label: {kind}" for kind in CLASSES}
    rows = dict(zip(report["confusion"]["labels"], report["confusion"]["counts"], strict=True))
    assert examples == {f"label: {kind}": sum(rows[kind]) for kind in CLASSES}


def test_the_report_tells_of_columns_and_answers(first: RunResult) -> None:
    report = json.loads(Path(first.places["report"]).with_name("report.json").read_text(encoding="utf-8"))
    counts = {split: report["statistics"]["label"][split]["count"] for split in ("train", "eval")}
    assert counts == {split: first.examples[split] for split in counts}
    assert {kind: set(split) for kind, split in report["classes"].items()} == {k: {"train", "eval"} for k in CLASSES}
    assert report["bounds"] == {"label": 0.25}
    drawn = {plot["title"]: plot for plot in report["plots"]}
    assert set(drawn) == {"ROC", "Precision and recall", "Calibration", "Confidence of right and wrong answers"}
    confidence = drawn["Confidence of right and wrong answers"]["series"]
    right = sum(confidence["right"])
    assert right / first.examples["eval"] == pytest.approx(first.metrics["accuracy"])
    assert len({preview["example"] for preview in report["previews"]}) == len(report["previews"])


def test_a_run_leaves_its_state(first: RunResult) -> None:
    state = json.loads(Path(first.places["log"]).with_name("state.json").read_text(encoding="utf-8"))
    assert (state["state"], state["key_metric"], state["run_id"]) == ("finished", "accuracy", first.run_id)
    assert [(node["id"], node["state"]) for node in state["nodes"]] == list(states(first).items())
    assert state["hparams"]["filters"] == 8 and state["data"]["fingerprint"]


def test_served_model_predicts_as_it_was_evaluated(first: RunResult, workspace: Path) -> None:
    """Transform's graph in the `raw` signature gives what the Evaluator's signature gives for the same record."""
    from trainer.backend import tf

    split = next((workspace / TASK / "pipeline" / "FolderExampleGen" / "examples").glob("*/Split-eval"))
    files = [str(path) for path in split.iterdir()]
    records = [r.numpy() for r in tf.data.TFRecordDataset(files, compression_type="GZIP").take(16)]
    encoded = [tf.train.Example.FromString(r).features.feature["image"].bytes_list.value[0] for r in records]
    model = tf.saved_model.load(first.places["model"])
    evaluated = model.signatures["evaluate"](tf.constant(records))["probabilities"].numpy()
    served = model.signatures["raw"](image=tf.constant(encoded))
    np.testing.assert_allclose(served["probabilities"].numpy(), evaluated, rtol=1e-5, atol=1e-6)
    assert sorted(name.decode() for name in served["labels"].numpy()[0]) == list(CLASSES)


def test_unchanged_run_is_answered_from_disk_without_tensorflow(
    first: RunResult, folder: Path, workspace: Path
) -> None:
    arguments = ["run", TASK, "--data", str(folder), "--workspace", str(workspace), "--json"]
    for name, value in QUICK.items():
        arguments += ["--set", f"{name}={value}"]
    code = (
        "import sys, pipelines.cli\n"
        f"try: pipelines.cli.main({arguments!r})\n"
        "finally: print([m for m in ('tensorflow', 'tfx', 'apache_beam') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.strip() == "[]"
    answer = json.loads(done.stdout)
    assert answer["run_id"] == first.run_id
    assert {node["state"] for node in answer["nodes"]} == {"cached"}


def test_another_learning_rate_reruns_training_but_not_transform(
    first: RunResult, folder: Path, workspace: Path
) -> None:
    result = run(settings(folder, workspace, overrides={"learning_rate": "0.002"}), Listener())
    assert states(result) | {"Transform": "cached", "Reference": "cached", "Trainer": "ran"} == states(result)
    assert result.baseline["accuracy"] == pytest.approx(first.metrics["accuracy"])


def test_a_model_that_is_not_blessed_leaves_the_served_one(first: RunResult, folder: Path, workspace: Path) -> None:
    served = workspace / TASK / "serving"
    before = manifest.versions(served)
    result = run(settings(folder, workspace, overrides={"gate": "1.01"}), Listener())
    assert result.exit == EXIT_NOT_BLESSED
    assert result.verdict.startswith("not blessed: accuracy")
    assert "1.01" in result.verdict
    assert result.pushed is None
    assert manifest.versions(served) == before


def test_metadata_with_jpeg_and_a_split(tmp_path: Path) -> None:
    for split, number in (("train", 24), ("eval", 8)):
        pictures = write_pictures(tmp_path / "data" / split / "files", number, ".jpg", seed=number)
        with (tmp_path / "data" / split / "metadata.jsonl").open("w", encoding="utf-8") as file:
            for path in sorted(pictures.glob("*/*.jpg")):
                name = path.relative_to(tmp_path / "data" / split)
                file.write(json.dumps({"file_name": str(name), "label": path.parent.name}) + "\n")
    result = run(settings(tmp_path / "data", tmp_path / "workspace"), Listener())
    assert result.examples == {"train": 72, "eval": 24, "quarantined": 0}
    assert result.exit in (EXIT_BLESSED, EXIT_NOT_BLESSED)


def damaged(tmp_path: Path, folder: Path, number: int) -> Path:
    """A copy of the folder in which the first `number` pictures are cut short."""
    copy = tmp_path / "damaged"
    shutil.copytree(folder, copy)
    for path in sorted(copy.glob("*/*.png"))[:number]:
        path.write_bytes(path.read_bytes()[:50])
    return copy


def test_a_few_bad_records_are_counted_and_kept(folder: Path, tmp_path: Path) -> None:
    result = run(settings(damaged(tmp_path, folder, 3), tmp_path / "w", to_node="DataGate"), Listener())
    assert result.examples["quarantined"] == 3
    quarantined = [json.loads(line) for line in Path(result.places["quarantine"]).read_text().splitlines()]
    assert [bad["column"] for bad in quarantined] == ["image"] * 3
    assert all(bad["reason"] and bad["file"].endswith(".png") for bad in quarantined)


def test_too_many_bad_records_refuse_the_run(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match=r"30 of 180 records are bad \(16\.7%") as refusal:
        run(settings(damaged(tmp_path, folder, 30), tmp_path / "w"), Listener())
    assert "across/0-000.png" in refusal.value.message
    [left] = (tmp_path / "w" / TASK / "runs").iterdir()
    state = json.loads((left / "state.json").read_text(encoding="utf-8"))
    assert (state["state"], state["error"]["message"]) == ("failed", refusal.value.message)
    assert [node["state"] for node in state["nodes"] if node["id"] == "DataGate"] == ["failed"]
    assert len((left / "quarantine.jsonl").read_text(encoding="utf-8").splitlines()) == 30
    assert json.loads((left / "counts.json").read_text(encoding="utf-8"))["quarantined"] == 30


def test_a_path_that_leaves_the_folder_refuses_the_run(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"")
    data = write_pictures(tmp_path / "data" / "train", 10).parent
    write_pictures(data / "eval", 10, seed=1)
    lines = ["file_name,label", *(f"{p.parent.name}/{p.name},{p.parent.name}" for p in data.glob("train/*/*.png"))]
    (data / "train" / "metadata.csv").write_text("\n".join([*lines, "../../secret.png,down"]) + "\n")
    with pytest.raises(DataRefused, match="secret.png"):
        run(settings(data, tmp_path / "w"), Listener())


def test_a_class_that_only_eval_has_refuses_the_run(tmp_path: Path) -> None:
    write_pictures(tmp_path / "data" / "train", 20)
    write_pictures(tmp_path / "data" / "eval", 10, seed=1)
    (tmp_path / "data" / "eval" / "down").rename(tmp_path / "data" / "eval" / "sideways")
    with pytest.raises(DataRefused, match="column label: eval has classes that train lacks: sideways"):
        run(settings(tmp_path / "data", tmp_path / "w"), Listener())


def one_class(root: Path) -> Path:
    write_pictures(root / "train", 8)
    write_pictures(root / "eval", 4, seed=1)
    for folder in root.glob("*/*"):
        if folder.name != "down":
            shutil.rmtree(folder)
    return root


def long_tail(root: Path) -> Path:
    write_pictures(root / "train", 40)
    write_pictures(root / "eval", 20, seed=1)
    for folder in root.glob("train/*"):
        for path in sorted(folder.iterdir())[1:] if folder.name != "down" else ():
            path.unlink()
    return root


@pytest.mark.parametrize(
    ("make", "words"), [(one_class, "every record of train is of one class, 'down'"), (long_tail, "max_skew=")]
)
def test_check_and_run_refuse_the_same_data_in_the_same_words(
    make: Callable[[Path], Path], words: str, tmp_path: Path
) -> None:
    data = make(tmp_path / "data")
    task = load(TASK)
    found = check(data, task.columns, targets=task.targets)
    with pytest.raises(DataRefused) as refused:
        run(settings(data, tmp_path / "w"), Listener())
    told = refusal(found.findings)
    assert (refused.value.message, refused.value.fix) == (told.message, told.fix)
    assert words in str(told)


def test_skew_on_purpose_is_allowed_by_name(tmp_path: Path) -> None:
    data = long_tail(tmp_path / "data")
    run(settings(data, tmp_path / "w", to_node="DataGate", overrides={"max_skew": "1"}), Listener())


def test_transform_takes_batches_of_one_size(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beam would go by the time that they take, and sums of floats with it: no two runs were quite the same."""
    from tensorflow_transform.beam import impl

    rows, process = [], impl._RunMetaGraphDoFn.process

    def noting(self: Any, batch: Any, *others: Any, **named: Any) -> Any:
        rows.append(batch.num_rows)
        return process(self, batch, *others, **named)

    monkeypatch.setattr(impl._RunMetaGraphDoFn, "process", noting)
    result = run(settings(folder, tmp_path, to_node="Transform"), Listener())
    splits = {result.examples["train"], result.examples["eval"]}
    assert rows and set(rows) == splits, "each split is one batch, since it has fewer rows than one"


def test_a_changed_file_is_seen(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    shutil.copytree(folder, copy)
    ingest = settings(copy, tmp_path / "w", to_node="StatisticsGen")
    assert states(run(ingest, Listener()))["FolderExampleGen"] == "ran"
    assert states(run(ingest, Listener()))["FolderExampleGen"] == "cached"
    picture("down", np.random.default_rng(5)).save(copy / "down" / "0-000.png")
    assert states(run(ingest, Listener()))["FolderExampleGen"] == "ran"


def test_rows_are_told_while_they_are_read(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told, records = threading.Event(), DataFolder.records

    class Told(Listener):
        def node_progress(self, node: str, fields: dict[str, Any]) -> None:
            if node == "FolderExampleGen" and fields["rows"]:
                told.set()

    def held_up(*arguments: Any) -> Iterator[Record]:
        for number, record in enumerate(records(*arguments)):
            if number == 100:
                assert told.wait(20), "100 rows were read and nobody was told"
            yield record

    monkeypatch.setattr(DataFolder, "records", held_up)
    monkeypatch.setattr("components.example_gen.ROWS_SECONDS", 0.0)
    run(settings(folder, tmp_path, to_node="FolderExampleGen"), Told())
    assert told.is_set()


def test_limit_takes_so_many_of_each_split(folder: Path, tmp_path: Path) -> None:
    result = run(settings(folder, tmp_path, limit=16, to_node="DataGate"), Listener())
    assert result.examples == {"train": 16, "eval": 16, "quarantined": 0}


def test_misspelt_node_and_missing_folder_are_wrong_use(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="Trainr"):
        run(settings(folder, tmp_path, to_node="Trainr"), Listener())
    with pytest.raises(WrongUse):
        run(settings(tmp_path / "nowhere", tmp_path), Listener())


def test_a_diverged_training_says_so(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BenisonError, match="diverged"):
        run(settings(folder, tmp_path, overrides={"learning_rate": "1e30"}), Listener())


def test_two_workers_form_one_cluster_and_give_the_same_blessing(folder: Path, tmp_path: Path) -> None:
    result = run(settings(folder, tmp_path, workers=2), Listener())
    assert result.exit == EXIT_BLESSED, result.verdict
    logs = sorted((tmp_path / TASK / "workers").glob("worker-*.log"))
    assert [log.name for log in logs] == ["worker-0.log", "worker-1.log"]
    assert "worker 1 of 2" in logs[1].read_text(encoding="utf-8")

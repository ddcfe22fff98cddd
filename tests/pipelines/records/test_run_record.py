"""What a run leaves for people, out of what made-up nodes left."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.console.failures import Failure
from pipelines.node_list import NODES, NodeRun
from pipelines.records.run_record import RunRecord
from pipelines.records.run_result import EXIT_BLESSED, EXIT_NOT_BLESSED
from pipelines.records.workspace import task_space
from pipelines.settings import RunSettings

TASK = "image_classification"
BAD = '{"file": "a.png", "reason": "no picture"}\n'


@pytest.fixture
def record(tmp_path: Path) -> RunRecord:
    settings = RunSettings(TASK, data="digits", workspace=tmp_path / "w", overrides={"epochs": "3"})
    return begun(RunRecord(task_space(settings.workspace, TASK), settings, "r1", {"data": "abc", "code": "def"}))


def begun(record: RunRecord) -> RunRecord:
    record.begin()
    return record


def nodes(root: Path, blessed: bool, pushed: str | None = None, quarantine: str = "") -> list[NodeRun]:
    """All nodes as they end, with the artifacts that a record is made of."""
    examples, report, push = (root / name for name in ("examples", "report", "push"))
    for folder in (examples, report, push):
        folder.mkdir(parents=True)
    counts = {"train": 8, "eval": 4, "quarantined": quarantine.count("\n")}
    (examples / "counts.json").write_text(json.dumps(counts))
    (examples / "quarantine.jsonl").write_text(quarantine)
    found = {
        "task": TASK,
        "blessed": blessed,
        "verdict": "blessed" if blessed else "not blessed: too bad",
        "metrics": {"accuracy": 0.9},
        "intervals": {"accuracy": [0.8, 0.95]},
        "left_out": [],
        "reference": {"kNN": {"accuracy": 0.7}},
        "baseline": {},
        "gates": [],
        "previews": [],
        "slices": [],
    }
    (report / "report.json").write_text(json.dumps(found))
    outputs = {"FolderExampleGen": {"examples": str(examples)}, "Report": {"report": str(report)}}
    if pushed is not None:
        (push / "version.txt").write_text(f"{pushed}\n")
        outputs["Pusher"] = {"pushed_model": str(push)}
    return [NodeRun(name, "ran", float(place), 1.0, outputs.get(name, {})) for place, name in enumerate(NODES)]


def test_a_blessed_run_names_the_model_that_it_pushed(record: RunRecord, tmp_path: Path) -> None:
    (record.space.serving / "7").mkdir(parents=True)
    result = record.finish(nodes(tmp_path / "n", blessed=True, pushed="7"), 12.3456, 100.0)
    assert (result.exit, result.blessed, result.pushed) == (EXIT_BLESSED, True, "7")
    assert result.places["model"] == str(record.space.serving / "7")
    assert result.seconds == 12.346 and result.examples == {"train": 8, "eval": 4, "quarantined": 0}
    assert record.result == result, "what is on disk says the same"


def test_the_report_is_completed_and_can_be_opened(record: RunRecord, tmp_path: Path) -> None:
    (record.space.serving / "7").mkdir(parents=True)
    result = record.finish(nodes(tmp_path / "n", blessed=True, pushed="7"), 1.0, 1.0)
    page = Path(result.places["report"])
    found = json.loads((page.parent / "report.json").read_text())
    assert (found["run_id"], found["pushed"], found["settings"]["data"]) == ("r1", "7", "digits")
    assert [node["id"] for node in found["nodes"]] == list(NODES)
    assert "benison predict" in page.read_text()


def test_a_model_that_is_not_blessed_is_not_named(record: RunRecord, tmp_path: Path) -> None:
    (record.space.serving / "7").mkdir(parents=True)  # of an earlier run
    result = record.finish(nodes(tmp_path / "n", blessed=False), 1.0, 1.0)
    assert (result.exit, result.pushed) == (EXIT_NOT_BLESSED, None)
    assert "model" not in result.places and result.verdict == "not blessed: too bad"


def test_a_version_that_is_no_longer_served_is_not_named(record: RunRecord, tmp_path: Path) -> None:
    assert record.finish(nodes(tmp_path / "n", blessed=True, pushed="7"), 1.0, 1.0).pushed is None


def test_bad_records_lie_beside_the_log(record: RunRecord, tmp_path: Path) -> None:
    result = record.finish(nodes(tmp_path / "n", blessed=True, quarantine=BAD), 1.0, 1.0)
    assert Path(result.places["quarantine"]).read_text() == BAD
    assert json.loads((record.directory / "counts.json").read_text())["quarantined"] == 1


def test_a_run_that_failed_keeps_what_was_read_and_does_not_become_the_last(record: RunRecord, tmp_path: Path) -> None:
    came = [
        node if node.id == "FolderExampleGen" else replace(node, state="skipped", outputs={})
        for node in nodes(tmp_path / "n", blessed=True, quarantine=BAD)
    ]
    result = record.fail(came, 2.0, 1.0, Failure("the disk is full", "make room", exit=1))
    assert (result.exit, result.verdict) == (1, "failed: the disk is full")
    assert result.examples == {"train": 8, "eval": 4, "quarantined": 1}
    assert "quarantine" in result.places and record.space.last_run is None


def test_only_a_whole_run_becomes_the_last_finished(record: RunRecord, tmp_path: Path) -> None:
    part = replace(record, settings=replace(record.settings, to_node="Report"))
    part.finish(nodes(tmp_path / "n", blessed=True), 1.0, 1.0)
    assert record.space.last_run is None
    whole = begun(replace(record, run_id="r2"))
    whole.finish(nodes(tmp_path / "m", blessed=True), 1.0, 1.0)
    last = record.space.last_run
    assert last is not None and last["identity"] == {"data": "abc", "code": "def"}
    assert last["result"]["run_id"] == "r2"


def test_facts_of_a_run_are_known_before_it_begins(record: RunRecord) -> None:
    facts = record.facts
    assert (facts["key_metric"], facts["higher_is_better"]) == ("accuracy", True)
    assert facts["data"] == {"name": "digits", "fingerprint": "abc"}
    assert facts["hparams"]["epochs"] == 3
    assert "epochs" in (record.directory / "settings.yaml").read_text() and record.result is None

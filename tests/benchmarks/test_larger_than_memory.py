"""The benchmark's made-up sets are what their tasks read, and other results in the control group are told."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from benchmarks import larger_than_memory
from benchmarks.larger_than_memory import Ran
from data.folders.folder import DataFolder
from trainer.task import load

RAN = Ran({"Trainer": 2.0}, {"Trainer": 900.0}, {"rmse": 1.0, "left_out": float("nan")}, {"Transform": "abc"})


@pytest.mark.parametrize(
    ("task", "write"),
    [("recommendation", larger_than_memory.write_ratings), ("image_classification", larger_than_memory.write_pictures)],
)
def test_the_sets_are_read_without_a_bad_record(tmp_path: Path, task: str, write: object) -> None:
    assert callable(write)
    for name in ("one", "again"):
        write(str(tmp_path / name), 40)
    folder = DataFolder(tmp_path / "one", load(task).columns)
    assert folder.splits == ("all",)
    found = [record.features for record in folder.records("all")]
    assert len(found) == 40 and None not in found
    assert found == [record.features for record in DataFolder(tmp_path / "again", folder.columns).records("all")]


def test_other_results_in_a_control_group_are_told() -> None:
    larger_than_memory._refuse_other_results("task", RAN, dataclasses.replace(RAN, metrics={**RAN.metrics}))
    worse = dataclasses.replace(RAN, metrics={**RAN.metrics, "rmse": 1.01})
    for other in (worse, dataclasses.replace(RAN, digests={"Transform": "abd"})):
        with pytest.raises(RuntimeError, match="other results"):
            larger_than_memory._refuse_other_results("task", RAN, other)


def test_what_a_node_takes_is_told_while_it_runs(tmp_path: Path) -> None:
    assert larger_than_memory._running(tmp_path / "runs") is None
    state = tmp_path / "runs" / "1" / "state.json"
    state.parent.mkdir(parents=True)
    for states, found in ((["ran", "running"], "Trainer"), (["ran", "ran"], None)):
        nodes = [{"id": name, "state": one} for name, one in zip(["Transform", "Trainer"], states, strict=True)]
        state.write_text(json.dumps({"nodes": nodes}))
        assert larger_than_memory._running(tmp_path / "runs") == found
    assert "| Trainer | 2.0 | 2.0 | 900 | 900 |" in larger_than_memory._table("task", 100, RAN, RAN)

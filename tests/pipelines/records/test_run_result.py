from __future__ import annotations

import dataclasses
import json

import pytest

from pipelines.records.run_result import RunResult, worst


def gate(metric: str, value: float, bound: float, passed: bool, slice_name: str = "") -> dict[str, object]:
    return {
        "metric": metric,
        "value": value,
        "bound": bound,
        "bound_from": "floor",
        "higher_is_better": True,
        "passed": passed,
        "slice": slice_name,
    }


RESULT = RunResult(
    task="image_classification",
    run_id="r1",
    exit=3,
    blessed=False,
    metrics={"accuracy": 0.9712, "loss": float("nan")},
    reference={"kNN": {"accuracy": 0.951}},
    baseline={"accuracy": 0.984},
    examples={"train": 8000, "eval": 2000, "quarantined": 7},
    nodes=[
        {"id": "Trainer", "state": "ran", "start": 1.0, "seconds": 5.0},
        {"id": "Pusher", "state": "skipped", "start": 6.0, "seconds": 0.0},
    ],
    seconds=12.3,
    peak_rss_mb=1234.5,
    verdict="not blessed: accuracy 0.9712 < 0.98 (floor)",
    gates=[
        gate("accuracy", 0.9712, 0.98, passed=False),
        gate("accuracy", 0.99, 0.9, passed=True, slice_name="label: 1"),
        gate("accuracy", 0.8, 0.9, passed=False, slice_name="label: 2"),
        gate("accuracy", 0.95, 0.9, passed=True, slice_name="label: 3"),
    ],
    places={"log": "/w/log.txt", "quarantine": "/w/quarantine.jsonl", "report": "/w/index.html"},
    commands={"predict": "benison predict x FILE... --workspace /w", "again": "benison run x --data d --workspace /w"},
)
BLESSED = dataclasses.replace(RESULT, exit=0, blessed=True, pushed="4", verdict="blessed: accuracy 0.99 ≥ 0.98")


def test_json_has_the_promised_keys_and_is_json() -> None:
    shown = RESULT.to_json()
    assert list(shown) == [
        *("task", "run_id", "exit", "blessed", "pushed", "metrics", "intervals", "reference", "baseline"),
        *("examples", "nodes", "seconds", "peak_rss_mb"),
    ]
    assert shown["nodes"] == [{"id": "Trainer", "state": "ran", "seconds": 5.0}]
    assert shown["metrics"] == {"accuracy": 0.9712, "loss": None}
    json.dumps(shown, allow_nan=False)


def test_what_is_stored_can_be_read_back() -> None:
    assert RunResult(**json.loads(json.dumps(BLESSED.to_dict()))).closing() == BLESSED.closing()


def test_the_closing_shows_scores_beside_their_rivals() -> None:
    lines = RESULT.closing().splitlines()
    heading = next(line for line in lines if "this run" in line)
    row = next(line for line in lines if line.startswith("  accuracy"))
    for who, score in {"this run": "0.9712", "last blessed": "0.984", "kNN": "0.951"}.items():
        assert row.index(score) == heading.index(who)


def test_the_closing_names_failed_bounds_and_counts_kept_ones_on_slices() -> None:
    closing = RESULT.closing()
    assert "image_classification: not blessed: accuracy 0.9712 < 0.98 (floor)" in closing
    assert "FAIL  accuracy 0.9712 ≥ 0.98 (floor)" in closing
    assert "FAIL  accuracy for label: 2 0.8 ≥ 0.9" in closing
    assert "label: 1" not in closing and "pass  bounds on 2 slices" in closing


def test_the_closing_tells_intervals_ties_and_what_is_open() -> None:
    tie = gate("accuracy", 0.9712, 0.973, passed=True) | {"bound_from": "reference: kNN", "tie": True}
    no_value = gate("loss", float("nan"), 0.0, passed=False) | {
        "bound": None,
        "bound_from": "no value",
        "state": "open",
    }
    told = dataclasses.replace(RESULT, intervals={"accuracy": [0.9625, 0.9781]}, gates=[tie, no_value])
    lines = told.closing().splitlines()
    heading = next(line for line in lines if "this run" in line)
    row = next(line for line in lines if line.startswith("  accuracy"))
    assert row.index("0.9625 to 0.9781") == heading.index("95 % interval")
    assert "  pass  accuracy 0.9712 ≥ 0.973 (reference: kNN), within the sampling error" in lines
    assert "  open  loss nan (no value)" in lines


def test_the_closing_tells_counts_places_and_what_next() -> None:
    closing = RESULT.closing()
    assert "train 8,000, eval 2,000, quarantined 7" in closing
    assert all(place in closing for place in RESULT.places.values())
    assert "12.3 s" in closing and "stays served" in closing
    assert "next: benison predict x FILE... --workspace /w " in BLESSED.closing()


def test_a_part_of_a_run_is_done_and_names_the_rest() -> None:
    closing = RunResult(task="x", run_id="r1", exit=0, commands=RESULT.commands).closing()
    assert "x: done" in closing and "next: benison run x --data d --workspace /w " in closing
    before = RunResult(task="x", run_id="r1", exit=0).closing()
    assert "next: benison run x " in before, "a result that an earlier version stored has no commands"


@pytest.mark.parametrize(
    ("exits", "code"), [([0, 0], 0), ([0, 3], 3), ([3, 4, 0], 4), ([4, 1, 3], 1), ([1, 4], 1), ([0], 0)]
)
def test_the_worst_run_decides(exits: list[int], code: int) -> None:
    assert worst(exits) == code

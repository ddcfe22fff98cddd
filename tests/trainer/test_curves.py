"""What is kept of a training by step: never too much, and across attempts."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import pytest

from trainer import curves
from trainer.curves import Curves


def test_what_was_kept_goes_on_in_another_attempt_from_the_step_it_goes_on_from(tmp_path: Path) -> None:
    file = tmp_path / curves.FILE
    first = Curves(file)
    for step in (1, 5, 10, 12):
        first.add(step, step / 10, {"loss": 1 / step})
    first.add_held_out(10, 1.1, {"loss": 0.5})
    first.write()
    again = Curves(file)
    again.go_back_to(10)
    assert again.kept["training"] == {
        "steps": [1, 5, 10],
        "seconds": [0.1, 0.5, 1.0],
        "values": {"loss": [1, 0.2, 0.1]},
    }
    assert again.seconds == 1.1  # the validation ended after the step
    again.go_back_to(0)
    assert again.kept["held_out"]["values"] == {"loss": []} and again.seconds == 0.0


def test_a_long_training_is_thinned_evenly_and_keeps_its_last_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "MAX_POINTS", 8)
    found = Curves(tmp_path / curves.FILE)
    step = 0
    for _ in range(30):
        step += found.between
        found.add(step, float(step), {"loss": float(step)})
        found.add_held_out(step, float(step), {"loss": float(step)})
        kept = found.kept["training"]
        assert len(kept["steps"]) <= 8 and kept["steps"][-1] == step
        assert kept["steps"] == kept["seconds"] == kept["values"]["loss"] == sorted(kept["steps"])
        assert len(found.kept["held_out"]["steps"]) <= 8
    apart = {after - before for before, after in itertools.pairwise(kept["steps"])}
    assert len(kept["steps"]) >= 4 and apart == {found.between} == {64}


def test_what_is_no_number_or_comes_and_goes_is_a_gap_in_valid_json(tmp_path: Path) -> None:
    found = Curves(tmp_path / curves.FILE)
    found.add(1, 0.1, {"loss": math.inf, "old": 1.23456789})
    found.add(2, 0.2, {"loss": 0.5, "new": math.nan})
    found.write(tmp_path / "copy.json")
    kept = json.loads((tmp_path / "copy.json").read_text(), parse_constant=pytest.fail)
    assert kept["training"]["values"] == {"loss": [None, 0.5], "old": [1.23457, None], "new": [None, None]}
    assert not (tmp_path / curves.FILE).exists()

"""Laps in the simulator, with drivers of known skill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.simulators import car_racing
from data.simulators.senses import CAR_RACING, CAR_RACING_COLOURS, Action
from trainer.metrics import laps

SHORT = laps.Laps(laps=2, actions=30, seed=6)


def straight(world: Any) -> Action:
    return Action(0.0, 1.0, 0.0)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "simulator").write_text(f"{CAR_RACING}\nanother\n")
    return tmp_path


def test_the_simulators_are_those_that_the_model_was_trained_in(model: Path, tmp_path: Path) -> None:
    assert laps.simulators_of(model) == [CAR_RACING]
    assert laps.simulators_of(tmp_path / "other") == []


def test_a_model_that_drives_as_the_expert_has_all_of_its_reward(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laps, "ModelDriver", lambda _: car_racing.expert)
    drives = {"laps": 2, "actions": 30, "seed": 6}
    assert list(laps.reward_share(model, **drives)) == pytest.approx([1.0, 1.0])
    assert list(laps.on_road(model, **drives)) == [1.0, 1.0]
    assert list(laps.times_left(model, **drives)) == [0, 0]
    assert laps.scores([CAR_RACING], SHORT) == {"reward_share": 1.0, "on_road": 1.0, "times_left": 0.0}


def test_a_car_that_only_goes_straight_leaves_the_road_and_gains_less() -> None:
    [world] = laps.Laps(1, 60, 6).worlds([CAR_RACING])
    lap = laps.lap_of(world, straight, 60)
    [by_expert] = laps.Laps(1, 60, 6).by_expert([CAR_RACING])
    assert lap.times_left >= 1 and lap.on_road.mean() < 1 and lap.reward < by_expert.reward
    assert len(lap.places) == len(lap.on_road) < 60  # it came to the end of the field


def test_leaving_is_counted_each_time_and_not_as_long_as_it_lasts() -> None:
    on = np.array([True, False, False, True, True, False])
    assert laps.Lap(0.0, np.zeros((6, 2)), on).times_left == 2


def test_where_there_is_no_simulator_nothing_is_driven(tmp_path: Path) -> None:
    assert list(laps.reward_share(tmp_path, laps=2, actions=3, seed=1)) == []
    assert laps.scores([], SHORT) == {}


def test_several_simulators_take_turns() -> None:
    first, second = SHORT.worlds([CAR_RACING, CAR_RACING_COLOURS])
    assert not np.array_equal(first.senses().camera[5, 5], second.senses().camera[5, 5])

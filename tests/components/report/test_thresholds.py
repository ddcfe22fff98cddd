"""What a threshold lets through, against counting again at each of them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from components.report import thresholds
from components.report.thresholds import ALL, MAX_CLASSES, STEPS, ThresholdCounts
from trainer.decisions import Decided, Decides, Decision


class Told(Decides):
    """What an example holds was decided."""

    def decisions(self, example: Mapping[str, Any], prediction: Mapping[str, Any], known: Any) -> Decided | None:
        return example.get("decided")

    def at_threshold(self, prediction: Mapping[str, Any], threshold: float) -> Mapping[str, Any]:
        raise AssertionError("is not asked")


def counted(*decided: Decided | None) -> Any:
    counts = ThresholdCounts(Told(), ())
    for one in decided:
        counts.add({"decided": one}, {})
    return counts.to_json()


def test_counts_are_those_of_counting_again() -> None:
    draw = random.Random(0)
    every = []
    for _ in range(400):
        truth, said = draw.choice("abc"), draw.choice("abc")
        score = draw.choice([draw.random(), 0.0, 0.29, 0.57, 1.0])
        every.append(Decided([Decision(said, score, said == truth)], [truth]))
    found = counted(*every, None)
    assert found["examples"] == 400 and found["left_out"] == 0
    assert [one["name"] for one in found["classes"]][0] == ALL and len(found["classes"]) == 4
    for one in found["classes"]:
        mine = [d for e in every for d in e.decisions if one["name"] in (ALL, d.name)]
        for place in range(STEPS + 1):
            passed = [d for d in mine if d.score + 1e-6 >= place / STEPS]
            at = thresholds.at(one, place)
            assert (at.right, at.wrong) == (sum(d.right for d in passed), sum(not d.right for d in passed))
            assert at.held_back == len(mine) - len(passed)
        there = sum(name == one["name"] or one["name"] == ALL for e in every for name in e.there)
        assert thresholds.at(one, 30).missed == there - thresholds.at(one, 30).right


def test_precision_recall_and_f1_and_where_that_is_highest() -> None:
    right = [Decision("a", score, True) for score in (0.9, 0.8, 0.4)]
    wrong = [Decision("a", score, False) for score in (0.7, 0.3, 0.2)]
    [found] = counted(*(Decided([one], ["a"]) for one in right), *(Decided([one], []) for one in wrong))["classes"]
    assert found["name"] == "a", "of one class there is no sum"
    at = thresholds.at(found, 75)
    assert (at.precision, at.recall, at.held_back) == (1.0, pytest.approx(2 / 3), 4)
    assert at.f1 == pytest.approx(0.8)
    assert thresholds.best(found) == 31, "the lowest of those that are as good: 3 right, 1 wrong"
    nothing = thresholds.at(found, 100)
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, 0.0, 0.0)


def test_the_most_frequent_of_many_classes_are_kept_and_all_are_in_the_sum() -> None:
    many = MAX_CLASSES + 20
    every = [Decided([Decision(str(i), 0.5, True)], [str(i)] * (1 + (i >= 20))) for i in range(many)]
    found = counted(*every)
    assert len(found["classes"]) == 1 + MAX_CLASSES and found["left_out"] == 20
    assert found["classes"][0]["right"][50] == many
    assert {one["name"] for one in found["classes"][1:]} == {str(i) for i in range(20, many)}


def test_of_nothing_there_is_nothing() -> None:
    assert counted() is None and counted(None, Decided([], [])) is None


@pytest.mark.parametrize(("threshold", "place"), [(0.734, 73), (0.735001, 74), (-3.0, 0), (7.0, 100)])
def test_the_nearest_step(threshold: float, place: int) -> None:
    assert thresholds.place_of(threshold) == place

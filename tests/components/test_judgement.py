from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from components.judgement import CONSTANT, Estimate, Found, Judgement, finite_references, interval, judge
from trainer.task import Gate

GROUPS = 20


def estimate(value: float, error: float = 0.01) -> Estimate:
    """With groups that come to that standard error: half of them above, half below."""
    off = error / math.sqrt(GROUPS - 1)
    return Estimate(value, tuple(value + off * (-1) ** i for i in range(GROUPS)))


def share(value: float, examples: int) -> Estimate:
    return estimate(value, math.sqrt(value * (1 - value) / examples))


def found(value: float, **others: Any) -> Found:
    return Found(**{"examples": 1000, "candidate": {"score": estimate(value)}, **others})


def test_a_model_ahead_of_everything_is_blessed() -> None:
    rivals = {
        "reference": {"kNN": {"score": 0.8}},
        "constant": {"score": estimate(0.1)},
        "baseline": {"score": estimate(0.85)},
    }
    judgement = judge([Gate("score", bound=0.9)], found(0.95, **rivals), strict=True)
    assert judgement.blessed
    assert judgement.verdict == (
        "blessed: score 0.95, ≥ 0.9 (floor), ≥ 0.8 (reference: kNN), ≥ 0.1 (constant answer), "
        "≥ 0.85 (latest blessed model)"
    )
    assert judgement.reference == {"kNN": {"score": 0.8}, CONSTANT: {"score": 0.1}}


def test_zero_beside_zero_cannot_be_judged() -> None:
    judgement = judge([Gate("score")], found(0.0, reference={"template": {"score": 0.0}}), strict=True)
    assert not judgement.blessed
    assert judgement.verdict == "cannot be judged: score is 0, and so is the bound (reference: template)"


@pytest.mark.parametrize("value", [0.1, 0.09])
def test_a_model_like_the_constant_answer_is_not_blessed(value: float) -> None:
    rivals = {"reference": {"kNN": {"score": 0.05}, "tree": {"score": 0.12}}, "constant": {"score": estimate(0.1)}}
    judgement = judge([Gate("score", reference_margin=None)], found(value, **rivals), strict=True)
    assert judgement.verdict == f"not blessed: score {value} is no better than the constant answer's 0.1"


def test_a_bound_that_failed_is_never_told_without_the_metric() -> None:
    rivals = {"reference": {"kNN": {"score": 0.8}}, "constant": {"score": estimate(0.4)}}
    judgement = judge([Gate("score")], found(0.3, **rivals), strict=True)
    assert judgement.verdict == (
        "not blessed: score 0.3, < 0.8 (reference: kNN), score 0.3 is no better than the constant answer's 0.4"
    )


def test_what_no_method_can_tell_cannot_be_judged() -> None:
    """One class alone: the constant answer, the model and the reference are all right."""
    rivals = {"reference": {"kNN": {"score": 1.0}}, "constant": {"score": estimate(1.0, 0)}}
    judgement = judge([Gate("score")], found(1.0, **rivals), strict=True)
    assert judgement.verdict.startswith("cannot be judged: score 1 is no better than the constant answer's 1")


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (0.20, "blessed: score 0.2, ≥ 0.15 (reference: kNN), ≥ 0.1 (constant answer: popularity)"),
        (0.11, "cannot be judged: score 0.11 beside popularity's 0.1: 1,000 eval examples are too few to tell them"),
        (0.10, "cannot be judged: score 0.1 is no better than popularity's 0.1, and no reference does better"),
        (0.09, "not blessed: score 0.09 is no better than popularity's 0.1"),
    ],
)
def test_a_reference_that_is_one_answer_to_everybody_is_a_constant_answer(
    value: float, verdict: str, strict: bool
) -> None:
    """Others would be called a tie on a user's data."""
    reference = {"popularity": {"score": 0.1}} | ({"kNN": {"score": 0.15}} if value > 0.15 else {})
    judgement = judge([Gate("score", constant="popularity")], found(value, reference=reference), strict)
    assert judgement.verdict.startswith(verdict)


def test_a_constant_answer_that_has_no_value_cannot_be_judged() -> None:
    judgement = judge([Gate("score", constant="popularity")], found(0.9, reference={"kNN": {"score": 0.1}}), True)
    assert judgement.verdict == "cannot be judged: there is no score of popularity"


@pytest.mark.parametrize("strict", [True, False])
def test_too_few_examples_to_be_told_from_the_constant_answer(strict: bool) -> None:
    rivals = {"constant": {"accuracy": Estimate(0.5)}}
    few = Found(10, {"accuracy": share(0.6, 10)}, shares=["accuracy"], **rivals)
    judgement = judge([Gate("accuracy")], few, strict)
    assert judgement.verdict.startswith("cannot be judged: accuracy 0.6 beside the constant answer's 0.5: 10 eval")
    many = Found(10_000, {"accuracy": share(0.6, 10_000)}, shares=["accuracy"], **rivals)
    assert judge([Gate("accuracy")], many, strict).blessed


def test_without_groups_nothing_is_told_from_chance() -> None:
    alone = Found(3, {"score": Estimate(0.9)}, constant={"score": Estimate(0.3)})
    assert judge([Gate("score")], alone, strict=True).outcome == "cannot be judged"


@pytest.mark.parametrize("bad", [math.nan, math.inf, None])
@pytest.mark.parametrize("first", [True, False])
def test_a_reference_that_is_no_number_is_left_out_and_named(bad: float | None, first: bool) -> None:
    scores: list[tuple[str, dict[str, Any]]] = [("broken", {"score": bad}), ("kNN", {"score": 0.97})]
    judgement = judge([Gate("score")], found(0.95, reference=dict(scores if first else scores[::-1])), strict=True)
    assert judgement.verdict == "not blessed: score 0.95, < 0.97 (reference: kNN, within the sampling error)"
    assert judgement.left_out == [f"broken is left out as a reference: its score is {bad}, not a number"]


def test_references_of_which_none_is_a_number_cannot_judge() -> None:
    judgement = judge([Gate("score")], found(0.95, reference={"broken": {"score": math.nan}}), strict=True)
    assert judgement.verdict == "cannot be judged: broken is left out as a reference: its score is nan, not a number"


def test_nothing_to_be_compared_with_cannot_be_judged() -> None:
    judgement = judge([Gate("score")], found(0.95), strict=True)
    assert judgement.verdict == "cannot be judged: score 0.95 has neither a bound nor a reference"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_no_number_cannot_be_judged(value: float) -> None:
    judgement = judge([Gate("score", bound=0.5)], found(value, reference={"kNN": {"score": 0.1}}), strict=True)
    assert judgement.verdict == f"cannot be judged: score is {value}, not a number"


def test_five_mistakes_beside_three_of_360_are_a_tie_on_a_users_data() -> None:
    few = Found(
        360, {"accuracy": share(355 / 360, 360)}, reference={"kNN": {"accuracy": 357 / 360}}, shares=["accuracy"]
    )
    assert judge([Gate("accuracy")], few, strict=False).verdict == (
        "blessed: accuracy 0.9861, ties with 0.9917 (reference: kNN)"
    )
    assert judge([Gate("accuracy")], few, strict=True).verdict == (
        "not blessed: accuracy 0.9861, < 0.9917 (reference: kNN, within the sampling error)"
    )


def test_a_reference_better_by_more_than_chance_holds_a_model_back() -> None:
    judgement = judge([Gate("score")], found(0.9, reference={"kNN": {"score": 0.95}}), strict=False)
    assert judgement.verdict == "not blessed: score 0.9, < 0.95 (reference: kNN)"


def test_a_win_within_the_sampling_error_is_called_a_tie() -> None:
    judgement = judge([Gate("score")], found(0.9, reference={"kNN": {"score": 0.899}}), strict=False)
    assert judgement.verdict == "blessed: score 0.9, ties with 0.899 (reference: kNN)"


def test_the_baseline_is_compared_on_the_same_examples() -> None:
    """Each value is uncertain, their difference is not: what is certain holds a model back."""
    ours, theirs = estimate(0.90, 0.05), estimate(0.91, 0.05)
    judgement = judge(
        [Gate("score", reference_margin=None)], found(0, candidate={"score": ours}, baseline={"score": theirs}), False
    )
    assert judgement.verdict == "not blessed: score 0.9, < 0.91 (latest blessed model)"


def test_errors_are_better_where_they_are_lower() -> None:
    rivals = {"reference": {"persistence": {"mae": 2.0}}, "constant": {"mae": Estimate(5.0)}}
    gate = Gate("mae", higher_is_better=False)
    better = Found(500, {"mae": estimate(1.5)}, **rivals)
    assert judge([gate], better, strict=True).verdict == (
        "blessed: mae 1.5, ≤ 2 (reference: persistence), ≤ 5 (constant answer)"
    )
    worse = Found(500, {"mae": estimate(2.5)}, **rivals)
    assert judge([gate], worse, strict=True).verdict == "not blessed: mae 2.5, > 2 (reference: persistence)"


def test_an_unhealthy_training_is_the_verdict() -> None:
    health = {"ok": False, "finding": "answers one class for everything", "advice": "try a lower learning rate"}
    judgement = judge([Gate("score", bound=0.5)], found(0.9), strict=True, health=health)
    assert judgement.verdict == "not blessed: answers one class for everything; try a lower learning rate"


def test_slices_have_bounds_of_their_own() -> None:
    slices = [{"slice": "label: a", "metrics": {"score": 0.9}}, {"slice": "label: b", "metrics": {"score": 0.7}}]
    judgement = judge([Gate("score", bound=0.5, slice_bound=0.8)], found(0.85, slices=slices), strict=True)
    assert judgement.verdict == "not blessed: score 0.85, score 0.7 for label: b < 0.8 (floor)"


def test_intervals() -> None:
    low, high = interval(estimate(0.5, 0.01), 1000, share=False) or (0, 0)
    assert (low, high) == pytest.approx((0.5 - 2.093 * 0.01, 0.5 + 2.093 * 0.01), abs=1e-4)
    assert interval(Estimate(1.0), 10, share=True) == pytest.approx((0.7225, 1.0), abs=1e-3)
    assert interval(Estimate(0.5), 10, share=False) is None


def test_finite_references_keeps_the_others() -> None:
    kept, left_out = finite_references({"a": {"x": 1.0, "y": math.nan}})
    assert kept == {"a": {"x": 1.0}}
    assert len(left_out) == 1


def test_a_judgement_is_read_as_it_was_written(tmp_path: Path) -> None:
    judgement = judge([Gate("score", bound=0.5)], found(0.9), strict=False)
    judgement.write(tmp_path)
    assert Judgement.read(tmp_path) == judgement


def lacking(value: float, **others: Any) -> Judgement:
    """Of a model whose score is fine, and a second metric that data may lack."""
    candidate = {"score": estimate(0.9), "path": Estimate(value)}
    gates = [Gate("score", bound=0.5), Gate("path", bound=0.5)]
    return judge(gates, found(0, candidate=candidate, may_lack=["path"], **others), strict=True)


def test_what_the_data_lack_is_left_out_with_its_gate() -> None:
    judgement = lacking(math.nan)
    assert judgement.blessed and set(judgement.metrics) == {"score"}
    assert [gate["metric"] for gate in judgement.gates] == ["score"]


@pytest.mark.parametrize(
    "rival", [{"reference": {"median": {"path": 0.7}}}, {"constant": {"path": estimate(0.7)}}], ids=str
)
def test_a_model_without_a_value_where_a_reference_has_one_cannot_be_judged(rival: dict[str, Any]) -> None:
    assert not lacking(math.nan, **rival).blessed


def test_what_the_data_have_is_judged_though_they_might_lack_it() -> None:
    assert lacking(0.6).blessed and not lacking(0.4).blessed

"""The one judge: from values with their sampling errors to a verdict, which everything else only reads.

A verdict is "blessed", "not blessed" or "cannot be judged". Its rows are written once, by the Evaluator, as
`judgement.json` beside TFMA's results; the blessing, the report, the result and the dashboard follow from that file.

How far a value lies from chance is told by the delete-a-group jackknife (Wolter, "Introduction to Variance
Estimation", 2007, chapter 4; the method of TFMA's own confidence intervals): examples fall into `sampling.GROUPS`
groups, and the metric is computed without each group in turn. The difference of two answers to the same examples is
paired: computed without the same groups. A reference is known by its values alone, so that its own error is reckoned
from its value and the two are taken as independent. That errs on the side of calling two answers equal.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.task import Gate

JUDGEMENT = "judgement.json"
"""In the artifact of the evaluation."""

CONSTANT = "constant answer"
"""The reference that gives one answer to everything, chosen with the eval split in view: the most frequent class, the
median, the empty text."""

BLESSED, NOT_BLESSED, CANNOT_BE_JUDGED = "blessed", "not blessed", "cannot be judged"
PASSED, FAILED, OPEN = "passed", "failed", "open"

TOLERANCE = 1e-6
"""TFMA sums in float32: a model exactly as good as its bound must not fail by rounding."""

FEWEST_GROUPS = 5
"""Groups of examples without which no sampling error is given."""

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A metric's value on the eval split, and its values without each group of examples in turn."""

    value: float
    without: tuple[float, ...] = ()

    def __sub__(self, other: Estimate) -> Estimate:
        """The paired difference; without groups where the two do not have the same."""
        paired = len(self.without) == len(other.without)
        differences = tuple(a - b for a, b in zip(self.without, other.without, strict=True)) if paired else ()
        return Estimate(self.value - other.value, differences)

    @property
    def error(self) -> float:
        """The standard error; NaN where it cannot be told."""
        groups = len(self.without)
        if groups < FEWEST_GROUPS or not all(map(math.isfinite, self.without)):
            return math.nan
        mean = sum(self.without) / groups
        return math.sqrt((groups - 1) / groups * sum((value - mean) ** 2 for value in self.without))


@dataclass(frozen=True)
class Found:
    """What an evaluation found. Estimates are metric -> value with its groups.

    `reference` is method -> metric -> value; `slices` as the report shows them: slice, examples, metrics.
    `shares` names the metrics that are a share of the examples, as accuracy is; `episodes` says of metrics that run the
    model how many episodes they are of. `may_lack` names those that are left out where data lack what they are of.
    """

    examples: int
    candidate: Mapping[str, Estimate]
    baseline: Mapping[str, Estimate] = field(default_factory=dict)
    constant: Mapping[str, Estimate] = field(default_factory=dict)
    reference: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    slices: Sequence[Mapping[str, Any]] = ()
    shares: Collection[str] = ()
    episodes: Mapping[str, int] = field(default_factory=dict)
    may_lack: Collection[str] = ()

    def lacks(self, metric: str) -> bool:
        """Whether the data lack what the metric is of: neither the model nor a reference has a value."""
        if metric not in self.may_lack or math.isfinite(self.candidate.get(metric, Estimate(math.nan)).value):
            return False
        constant = self.constant.get(metric, Estimate(math.nan)).value
        return not math.isfinite(constant) and not any(metric in scores for scores in self.reference.values())


@dataclass(frozen=True)
class Judgement:
    """A verdict and what it rests on, as `judgement.json` holds it.

    `gates` has one row for each bound (`components.report.page.GateRow`), `intervals` metric -> [low, high] at
    `CONFIDENCE`, `left_out` says which references were left out and why, `strict` whether a tie counts as a defeat.
    """

    outcome: str
    verdict: str
    key_metric: str
    gates: list[dict[str, Any]]
    metrics: dict[str, float]
    intervals: dict[str, list[float]]
    baseline: dict[str, float]
    reference: dict[str, dict[str, float]]
    left_out: list[str]
    examples: int
    strict: bool

    @property
    def blessed(self) -> bool:
        return self.outcome == BLESSED

    def write(self, evaluation: Path) -> None:
        text = json.dumps(dataclasses.asdict(self), indent=2, default=float)
        (evaluation / JUDGEMENT).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, evaluation: Path) -> Judgement:
        return cls(**json.loads((evaluation / JUDGEMENT).read_text(encoding="utf-8")))


def judge(gates: Sequence[Gate], found: Found, strict: bool, health: Mapping[str, Any] | None = None) -> Judgement:
    """Judges a model.

    Args:
      gates: what it must reach; the first is of the key metric.
      found: the evaluation.
      strict: on default data: a model must be at least as good as each rival. Otherwise a rival holds it back only
        where it is better by more than chance.
      health: `ok`, `finding` and `advice` of the training, if it was looked at.
    """
    reference, left_out = finite_references(found.reference)
    found = dataclasses.replace(found, reference=reference)
    rows = [
        row for gate in gates if not found.lacks(gate.metric) for row in _Judge(gate, found, strict, left_out).rows()
    ]
    states = {row["state"] for row in rows}
    outcome = NOT_BLESSED if FAILED in states else CANNOT_BE_JUDGED if OPEN in states else BLESSED
    verdict = f"{outcome}: {_reasons(outcome, rows, gates[0].metric, found)}"
    if health is not None and not health.get("ok", True):
        outcome = NOT_BLESSED
        verdict = f"{outcome}: " + "; ".join(str(health[name]) for name in ("finding", "advice") if health.get(name))
    constant = {name: estimate.value for name, estimate in found.constant.items()}
    return Judgement(
        outcome=outcome,
        verdict=verdict,
        key_metric=gates[0].metric,
        gates=rows,
        metrics={name: estimate.value for name, estimate in found.candidate.items() if not found.lacks(name)},
        intervals={
            name: list(limits)
            for name, estimate in found.candidate.items()
            if name != "example_count"  # how many examples there are is no estimate
            and (limits := interval(estimate, found.examples, name in found.shares)) is not None
        },
        baseline={name: estimate.value for name, estimate in found.baseline.items()},
        reference={**reference, **({CONSTANT: constant} if constant else {})},
        left_out=left_out,
        examples=found.examples,
        strict=strict,
    )


def finite_references(
    reference: Mapping[str, Mapping[str, Any]],
) -> tuple[dict[str, dict[str, float]], list[str]]:
    """The references that are numbers, and in words those that are left out because they are none."""
    kept: dict[str, dict[str, float]] = {}
    left_out = []
    for method, scores in reference.items():
        for metric, value in scores.items():
            if isinstance(value, (int, float)) and math.isfinite(value):
                kept.setdefault(method, {})[metric] = float(value)
            else:
                left_out.append(f"{method} is left out as a reference: its {metric} is {value}, not a number")
    return kept, left_out


def interval(estimate: Estimate, examples: int, share: bool) -> tuple[float, float] | None:
    """The limits of a value at `CONFIDENCE`, or None where they cannot be told.

    Of a share by Wilson's score (1927), which says something of 0 and 1, too; of others by Student's t.
    """
    if share and examples:
        return _wilson(estimate.value, examples)
    if not math.isfinite(estimate.error):
        return None
    reach = _student((1 + CONFIDENCE) / 2, len(estimate.without)) * estimate.error
    return estimate.value - reach, estimate.value + reach


def _wilson(share: float, examples: int) -> tuple[float, float]:
    z = 1.959964
    middle = (share + z * z / (2 * examples)) / (1 + z * z / examples)
    reach = z * math.sqrt(share * (1 - share) / examples + z * z / (4 * examples**2)) / (1 + z * z / examples)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _student(quantile: float, groups: int) -> float:
    from scipy.stats import t

    return float(t.ppf(quantile, groups - 1))


class _Judge:
    """One gate on what an evaluation found."""

    def __init__(self, gate: Gate, found: Found, strict: bool, left_out: Sequence[str]) -> None:
        self._gate, self._found, self._strict, self._left_out = gate, found, strict, left_out
        self._sign = 1 if gate.higher_is_better else -1
        self._estimate = found.candidate.get(gate.metric, Estimate(math.nan))
        self._share = gate.metric in found.shares
        episodes = found.episodes.get(gate.metric)
        self._too_few = (
            f"{found.examples:,} eval examples are too few" if episodes is None else f"too few episodes ({episodes:,})"
        )

    def rows(self) -> Iterator[dict[str, Any]]:
        gate, value = self._gate, self._estimate.value
        if not math.isfinite(value):
            yield self._row(None, "no value", OPEN, words=f"{gate.metric} is {value}, not a number")
            return
        if gate.bound is not None:
            yield self._row(gate.bound, "floor", PASSED if self._ahead(value, gate.bound) >= -TOLERANCE else FAILED)
        rivals = [*self._reference(), *self._constant(), *self._baseline()]
        if not rivals and gate.bound is None:
            why = "; ".join(self._left_out) or f"{gate.metric} {value:.4g} has neither a bound nor a reference"
            rivals = [self._row(None, "no reference", OPEN, words=why)]
        yield from rivals
        yield from self._slices()

    def _reference(self) -> Iterator[dict[str, Any]]:
        """The best reference, after the gate's factor and margin."""
        gate = self._gate
        known = {
            method: scores[gate.metric]
            for method, scores in self._found.reference.items()
            if gate.metric in scores and method != gate.constant
        }
        if gate.reference_margin is None or not known:
            return
        method = max(known, key=lambda name: self._sign * known[name])
        bound = known[method] * gate.reference_factor + self._sign * gate.reference_margin
        own, other = self._own_error(), self._error_at(known[method]) * gate.reference_factor
        yield self._rival(bound, f"reference: {method}", math.hypot(own, other))

    def _baseline(self) -> Iterator[dict[str, Any]]:
        gate = self._gate
        other = self._found.baseline.get(gate.metric)
        if other is not None and math.isfinite(other.value):
            bound = other.value - self._sign * gate.baseline_margin
            yield self._rival(bound, "latest blessed model", (self._estimate - other).error)

    def _constant(self) -> Iterator[dict[str, Any]]:
        """The constant answer, which must be beaten by more than the sampling error, whatever the data: what follows
        from the labels, or a reference."""
        gate = self._gate
        origin, its = CONSTANT, f"the {CONSTANT}'s"
        other = self._found.constant.get(gate.metric)
        if gate.constant:
            origin, its = f"{CONSTANT}: {gate.constant}", f"{gate.constant}'s"
            named = self._found.reference.get(gate.constant, {}).get(gate.metric)
            if named is None:
                yield self._row(None, origin, OPEN, words=f"there is no {gate.metric} of {gate.constant}")
                return
            other = Estimate(named)
        if other is None or not math.isfinite(other.value):
            return
        value, ahead = self._estimate.value, self._ahead(self._estimate.value, other.value)
        reach = self._reach(self._constant_error(other))
        if ahead <= TOLERANCE:
            state = OPEN if self._nothing_does_better(value) else FAILED
            words = f"{gate.metric} {value:.4g} is no better than {its} {other.value:.4g}"
            words += ", and no reference does better" if state == OPEN else ""
        elif ahead > reach:
            state, words = PASSED, ""
        else:
            state = OPEN
            words = f"{gate.metric} {value:.4g} beside {its} {other.value:.4g}: {self._too_few} to tell them apart"
        yield self._row(other.value, origin, state, words=words)

    def _constant_error(self, other: Estimate) -> float:
        """Of the difference: paired where the constant answer was computed group by group."""
        error = (self._estimate - other).error if other.without else self._own_error()
        return max(error, self._own_error()) if self._share and error == 0 else error

    def _nothing_does_better(self, value: float) -> bool:
        known = [scores[self._gate.metric] for scores in self._found.reference.values() if self._gate.metric in scores]
        return bool(known) and all(self._ahead(value, other) >= -TOLERANCE for other in known)

    def _rival(self, bound: float, origin: str, error: float) -> dict[str, Any]:
        """Against another method: a tie is what lies within the sampling error of the difference."""
        value = self._estimate.value
        ahead, reach = self._ahead(value, bound), self._reach(error)
        tie = abs(ahead) <= reach if math.isfinite(reach) else False
        if abs(ahead) <= TOLERANCE and value == 0 and self._gate.higher_is_better:
            return self._row(bound, origin, OPEN, words=f"{self._gate.metric} is 0, and so is the bound ({origin})")
        state = PASSED if ahead >= -TOLERANCE or (tie and not self._strict) else FAILED
        words = ""
        if state == FAILED and not self._strict and not math.isfinite(reach):
            state = OPEN
            words = f"{self._gate.metric} {value:.4g} beside {bound:.4g} ({origin}): "
            words += f"{self._too_few} to tell them apart"
        return self._row(bound, origin, state, tie, words)

    def _slices(self) -> Iterator[dict[str, Any]]:
        gate = self._gate
        if gate.slice_bound is None:
            return
        for entry in self._found.slices:
            value = entry["metrics"].get(gate.metric, math.nan)
            state = PASSED if self._ahead(value, gate.slice_bound) >= -TOLERANCE else FAILED
            yield self._row(gate.slice_bound, "floor", state) | {"value": value, "slice": entry["slice"]}

    def _ahead(self, value: float, other: float) -> float:
        """By how much `value` is the better one; negative where it is worse."""
        return self._sign * (value - other)

    def _reach(self, error: float) -> float:
        """What a difference must exceed not to be chance: one-sided, at `CONFIDENCE`. NaN where it cannot be told."""
        return _student(CONFIDENCE, max(len(self._estimate.without), 2)) * error

    def _own_error(self) -> float:
        return self._error_at(self._estimate.value) if self._share else self._estimate.error

    def _error_at(self, value: float) -> float:
        """The error of an answer to the same split of which only the value is known.

        Of a share it is the binomial one, after Agresti and Coull (1998), which is not 0 at 0 and 1. Of an error it is
        the model's own, in proportion to the value. Of other measures it is the model's own.
        """
        examples = self._found.examples
        if self._share:
            if len(self._estimate.without) < FEWEST_GROUPS:
                return math.nan
            share = (value * examples + 2) / (examples + 4)
            return math.sqrt(share * (1 - share) / (examples + 4))
        own = self._estimate
        if not self._gate.higher_is_better and own.value > 0 and value > 0:
            return own.error * value / own.value
        return own.error

    def _row(self, bound: float | None, origin: str, state: str, tie: bool = False, words: str = "") -> dict[str, Any]:
        limits = interval(self._estimate, self._found.examples, self._share)
        return {
            "metric": self._gate.metric,
            "value": self._estimate.value,
            "interval": None if limits is None else list(limits),
            "bound": bound,
            "bound_from": origin,
            "higher_is_better": self._gate.higher_is_better,
            "state": state,
            "passed": state == PASSED,
            "tie": tie,
            "slice": "",
            "words": words,
        }


def _reasons(outcome: str, rows: Sequence[Mapping[str, Any]], key_metric: str, found: Found) -> str:
    """Why, in plain words: of a blessed model the key metric beside each bound, else what failed or is open."""
    value = found.candidate.get(key_metric, Estimate(math.nan)).value
    reasons = [f"{key_metric} {value:.4g}"]
    if outcome == BLESSED:
        told = [row for row in rows if row["metric"] == key_metric and not row["slice"]]
    else:
        told = [row for row in rows if row["state"] == (FAILED if outcome == NOT_BLESSED else OPEN)]
        if told and told[0]["words"] and told[0]["metric"] == key_metric:
            reasons = []  # these words begin with it
    for row in told:
        reasons.append(row["words"] or _beside(row, key_metric))
    return ", ".join(dict.fromkeys(reasons))


def _beside(row: Mapping[str, Any], key_metric: str) -> str:
    where = f" for {row['slice']}" if row["slice"] else ""
    shown = "" if row["metric"] == key_metric and not where else f"{row['metric']} {row['value']:.4g}{where} "
    if row["tie"] and row["passed"]:
        return f"{shown}ties with {row['bound']:.4g} ({row['bound_from']})"
    holds, fails = ("≥", "<") if row["higher_is_better"] else ("≤", ">")
    within = ", within the sampling error" if row["tie"] else ""
    return f"{shown}{holds if row['passed'] else fails} {row['bound']:.4g} ({row['bound_from']}{within})"

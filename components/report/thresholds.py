"""How much a threshold lets through: counts at each of a hundred steps, of the answers to the eval split.

Counts of examples add up, so that they are kept as they come, one example after the other, however large the split is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from operator import add
from typing import Any, TypedDict

from trainer.decisions import Decides, reaches

STEPS = 100
"""Thresholds are 0, 1 / STEPS, ... 1."""
MAX_CLASSES = 100
"""Of more the most frequent are shown, and all of them together."""
ALL = "all classes"


class ClassThresholds(TypedDict):
    """Of one class: how often it is there, and at each threshold how many answers that name it are right and wrong."""

    name: str
    there: int
    right: list[int]
    wrong: list[int]


class Thresholds(TypedDict):
    """`examples`: of how many all is; `below`: what becomes of an answer below the threshold, `counted`: what an answer
    is, both for people; `classes`: ALL first, where there are several, then the most frequent; `left_out`: how many
    are none of them."""

    examples: int
    below: str
    counted: str
    classes: list[ClassThresholds]
    left_out: int


@dataclass(frozen=True)
class AtThreshold:
    """What comes of one threshold. A share of nothing is None."""

    threshold: float
    right: int
    wrong: int
    missed: int
    held_back: int

    @property
    def precision(self) -> float | None:
        return _share(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float | None:
        return _share(self.right, self.right + self.missed)

    @property
    def f1(self) -> float | None:
        """Their harmonic mean."""
        return _share(2 * self.right, 2 * self.right + self.wrong + self.missed)


class ThresholdCounts:
    """Counts the decisions of answers."""

    def __init__(self, task: Decides, known: Iterable[str]) -> None:
        """`known` are the entries of the vocabulary that the task calls `known_by`."""
        self._task, self._known = task, frozenset(known)
        self._examples = 0
        self._there: Counter[str] = Counter()
        self._scored: defaultdict[str, _Counts] = defaultdict(_none)

    def add(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> None:
        """Raw columns of one eval example, and the model's answer to it."""
        decided = self._task.decisions(example, prediction, self._known)
        if decided is None:
            return
        self._examples += 1
        self._there.update(decided.there)
        for decision in decided.decisions:
            self._scored[decision.name][decision.right][_highest_reached(decision.score)] += 1

    def to_json(self) -> Thresholds | None:
        """None where nothing was counted."""
        names = sorted(self._there.keys() | self._scored.keys(), key=lambda name: (-self._there[name], name))
        if not names:
            return None
        every = _none()
        for counts in self._scored.values():
            for sums, some in zip(every, counts, strict=True):
                sums[:] = map(add, sums, some)
        classes = [_of_class(name, self._there[name], self._scored[name]) for name in names]
        together = [_of_class(ALL, self._there.total(), every)] if len(names) > 1 else []
        return {
            "examples": self._examples,
            "below": self._task.below,
            "counted": self._task.counted,
            "classes": [*together, *classes[:MAX_CLASSES]],
            "left_out": max(len(names) - MAX_CLASSES, 0),
        }


def at(found: ClassThresholds, place: int) -> AtThreshold:
    """What comes of the threshold `place` / STEPS."""
    right, wrong = found["right"][place], found["wrong"][place]
    answered = found["right"][0] + found["wrong"][0]
    return AtThreshold(place / STEPS, right, wrong, found["there"] - right, answered - right - wrong)


def best(found: ClassThresholds) -> int:
    """The place of the threshold at which F1 is highest: of several the lowest, which misses least."""
    return max(range(STEPS + 1), key=lambda place: at(found, place).f1 or 0.0)


def place_of(threshold: float) -> int:
    """Of the step that is nearest."""
    return min(max(round(threshold * STEPS), 0), STEPS)


def _highest_reached(score: float) -> int:
    place = place_of(score)
    return place if reaches(score, place / STEPS) else place - 1


_Counts = tuple[list[int], list[int]]
"""Of wrong and of right decisions, by the highest threshold that each reaches."""


def _none() -> _Counts:
    return [0] * (STEPS + 1), [0] * (STEPS + 1)


def _of_class(name: str, there: int, counts: _Counts) -> ClassThresholds:
    wrong, right = (list(accumulate(reversed(some)))[::-1] for some in counts)
    return {"name": name, "there": there, "right": right, "wrong": wrong}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None

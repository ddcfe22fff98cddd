"""Answers that count from a threshold on: what is counted of them at every threshold, and how they are at a chosen one.

The threshold is one number from 0 to 1, which the score of an answer has to reach: a class's probability, the score of
a box, how like two faces are. Where it is high little of what is answered is wrong, and much is missed.
"""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from data.errors import WrongUse

if TYPE_CHECKING:
    from trainer.task import Task

NOT_SURE = "not sure"
"""The answer of a classifier whose likeliest class stays below the threshold."""
MEANT = "would_be"
"""Beside `label` what it would be at the threshold 0."""

_ROUNDING = 1e-6
"""Scores are float32: 0.7 as a model writes it is a little less than the 0.7 that a person means."""


def reaches(score: float, threshold: float) -> bool:
    """Whether an answer of this score counts."""
    return float(score) + _ROUNDING >= threshold


@dataclass(frozen=True)
class Decision:
    """That something is of the class `name`: its score, from 0 to 1, and whether it is so."""

    name: str
    score: float
    right: bool


@dataclass(frozen=True)
class Decided:
    """What the answer to one example says, and the classes that it should have named, one for each that is there."""

    decisions: Sequence[Decision]
    there: Sequence[str]


class Decides(ABC):
    """What a task is, too, whose answers count from a threshold on: `benison predict --threshold`, the counts in the
    report and the dashboard's slider follow from it. `trainer.families` has it ready for the usual kinds."""

    below: ClassVar[str] = f"said to be {NOT_SURE}, with what it would be"
    """What becomes of an answer whose score is below the threshold, for people."""
    counted: ClassVar[str] = "answers"
    """What the decisions are, in the plural, for people."""
    known_by: ClassVar[str | None] = None
    """The vocabulary of all classes, where evaluation has others, which are to be refused and not to be found."""

    @abstractmethod
    def decisions(
        self, example: Mapping[str, Any], prediction: Mapping[str, Any], known: Collection[str]
    ) -> Decided | None:
        """What is counted of one eval example, None where the truth is unknown; the arguments are as in `Task.preview`,
        and `known` the entries of `known_by`, empty without one. No decision depends on a threshold."""

    @abstractmethod
    def at_threshold(self, prediction: Mapping[str, Any], threshold: float) -> Mapping[str, Any]:
        """One row of the prediction as it is at this threshold, which it holds as `threshold`. An answer counts where
        its score `reaches` it."""


def chosen(task: Task, name: str, threshold: float | None) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """What makes of each row of the prediction of the task called `name` that at a threshold which a person chose.

    Without one rows stay as the model gave them.

    Raises:
      WrongUse: the task takes none, or it is no number from 0 to 1.
    """
    if threshold is None:
        return lambda prediction: prediction
    if not isinstance(task, Decides):
        raise WrongUse(
            f"{name} takes no threshold: its answers have no score that one could be compared with",
            "leave the threshold away: only tasks that classify, detect, verify or recognise take one",
        )
    if not (math.isfinite(threshold) and 0 <= threshold <= 1):
        raise WrongUse(f"the threshold {threshold:g} is not one from 0 to 1", "give a number such as 0.73")
    return functools.partial(task.at_threshold, threshold=threshold)

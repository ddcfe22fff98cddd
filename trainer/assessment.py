"""What one answer of a model was worth, in values that stand in a row of a table: `Task.assess` says it of each answer.

A task's `assess` is one call of `of_decision`, `of_number`, `of_texts` or `of_nearest`, of its family's, or an
`Assessment` of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Assessment:
    """One answer beside the truth.

    Attributes:
      answer, truth: as a person reads them, in a few words; empty where there is none.
      correct: None where an answer is not right or wrong, or where the truth is not known.
      confidence: how sure the model was, from 0 to 1.
      loss: how bad the answer is, higher is worse, 0 where nothing is wrong with it; None where nothing tells.
      loss_name: what `loss` is, the same in all answers of a task.
    """

    answer: str = ""
    truth: str = ""
    correct: bool | None = None
    confidence: float | None = None
    loss: float | None = None
    loss_name: str = ""


def of_decision(answer: str, sure: float, truth: str, correct: bool | None, given: float) -> Assessment:
    """Of an answer that is one of several classes. The loss is that of cross-entropy.

    Args:
      sure, given: the highest probability, and that of the truth.
    """
    from trainer.metrics.classification import LEAST_PROBABILITY

    cost = max(0.0, -math.log(max(given, LEAST_PROBABILITY)))
    return Assessment(answer, truth, correct, sure, cost, "−log of the truth's probability")


def of_number(truth: float | None, answer: float, correct: bool | None = None) -> Assessment:
    """Of an answer that is one number. `correct` is what the task takes for right."""
    if truth is None:
        return Assessment(f"{answer:.4g}")
    return Assessment(
        f"{answer:.4g}", f"{truth:.4g}", correct, loss=abs(answer - truth), loss_name="distance from the truth"
    )


def of_texts(truths: Sequence[str], answer: str, confidence: float | None = None) -> Assessment:
    """Of an answer that is one text, beside those that people wrote: the one that is most like it counts."""
    from trainer.metrics.text import chrf, chrf_counts

    if not truths:
        return Assessment(answer, confidence=confidence)
    likeness = {truth: chrf(chrf_counts(answer, truth)) for truth in truths}
    nearest = max(likeness, key=likeness.__getitem__)
    return Assessment(answer, nearest, None, confidence, 100 - likeness[nearest], "100 − chrF")


def of_nearest(truth: str | None, answer: str, nearest: Mapping[str, float], unknown: str) -> Assessment:
    """Of an answer that is the nearest of the names that are known, or `unknown` where none is near enough.

    `nearest`: the scores, from 0 to 1, of the nearest names. An `unknown` is neither right nor wrong where the truth is
    none of them: a stranger or not, the answer does not tell.
    """
    best = max(nearest.values())
    if truth is None:
        return Assessment(answer, confidence=best)
    correct = None if answer == unknown and truth not in nearest else answer == truth
    behind = best - nearest[truth] if truth in nearest else None
    return Assessment(answer, truth, correct, best, behind, "score of the nearest less that of the truth")

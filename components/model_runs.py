"""Metrics that run the exported model themselves, as a driver in its simulator: once for a whole evaluation.

What each episode gave is kept, and what follows from it: the mean, and the mean without each episode in turn, which is
the delete-one jackknife. A model and the latest blessed one meet the same episodes and are compared in pairs.
"""

from __future__ import annotations

import importlib
import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from components.judgement import Estimate
from data.errors import BenisonError
from trainer.task import Metric

MODEL_RUNS = "model_runs.json"
"""Model name -> metric -> value of each episode."""

LIMIT_S = 600.0
"""A metric may run one model for so long."""


def run(metrics: Sequence[Metric], models: Mapping[str, Path], judge: Path, evaluation: Path) -> None:
    """Runs each of `metrics` on each of `models`, folders of SavedModels, and leaves `MODEL_RUNS` in `evaluation`.

    `judge` is the folder of the model that judged metrics need.
    """
    if metrics:
        found = {
            name: {metric.name: _episodes(metric, model, judge) for metric in metrics} for name, model in models.items()
        }
        (evaluation / MODEL_RUNS).write_text(json.dumps(found), encoding="utf-8")


def read(evaluation: Path) -> dict[str, dict[str, Estimate]]:
    """Model name -> metric -> estimate; empty where no metric runs the model."""
    file = evaluation / MODEL_RUNS
    if not file.exists():
        return {}
    found = json.loads(file.read_text(encoding="utf-8"))
    return {model: {name: estimate(values) for name, values in metrics.items()} for model, metrics in found.items()}


def estimate(episodes: Sequence[float]) -> Estimate:
    """Their mean, NaN where there are none, and without each; a single one says nothing of its error."""
    count = len(episodes)
    if count < 2:
        return Estimate(episodes[0] if count else math.nan)
    total = math.fsum(episodes)
    return Estimate(total / count, tuple((total - one) / (count - 1) for one in episodes))


def _episodes(metric: Metric, model: Path, judge: Path) -> list[float]:
    """
    Raises:
      BenisonError: the metric took longer than `LIMIT_S`.
    """
    function = getattr(importlib.import_module(metric.module), metric.kind)
    config = {**metric.config} | ({"judge": judge} if metric.judged else {})
    begun, values = time.monotonic(), []
    for value in _as_iterable(function(model, **config)):
        values.append(float(value))
        if time.monotonic() - begun > LIMIT_S:
            raise BenisonError(
                f"the metric {metric.name!r} has run the model for more than {LIMIT_S:.0f} s, {len(values)} episodes",
                "let it run fewer or shorter episodes",
            )
    return values


def _as_iterable(found: Any) -> Iterable[Any]:
    return found if isinstance(found, Iterable) else [found]

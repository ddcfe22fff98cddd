"""Examples that a model learnt from, with its answers: what it gets wrong although it was told may be a wrong label."""

from __future__ import annotations

import heapq
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

from components.report.answers import POOL_FROM, PREVIEW_POOL, Answers, in_turn
from trainer.preview import Preview, disk
from trainer.task import Task

EACH, MOST = 8, 100
"""Previews of one slice, such as a class, and of all."""
UNSLICED = 24
"""Previews, where there are no slices."""


def takes_long(task: Task) -> bool:
    """Whether answers take so long that only those are made which eval needs."""
    return min(task.answered_examples, task.plotted_examples) <= PREVIEW_POOL


def class_target(task: Task) -> str | None:
    """The target that is a class name, if there is one."""
    return next((name for name in task.targets if task.columns[name].is_class), None)


class TrainExamples(Answers):
    """A model's answers to a pool of its train split, in which slices take turns; where there are none, it is spread
    over the split."""

    def _unsliced(self) -> list[tuple[int, bytes]]:
        records = enumerate(self._records(POOL_FROM).as_numpy_iterator())
        return heapq.nsmallest(PREVIEW_POOL, records, key=lambda one: zlib.crc32(one[1]))

    def write_by_slice(self, directory: Path) -> list[dict[str, Any]]:
        """Writes previews, of each class or other slice alike many, wrong answers first, and returns their records as
        `Answers.write_previews` does."""
        seen: Counter[Any] = Counter()
        kept: list[tuple[Any, tuple[str, Preview]]] = []
        for key, shown in sorted(zip(self._pool.keys(), self._shown, strict=True), key=lambda pair: _order(pair[1])):
            where = self._where(shown)
            seen[where] += 1
            if seen[where] <= (UNSLICED if where is None else EACH):
                kept.append((where, (key, shown)))
        chosen = sorted(in_turn(kept, MOST), key=lambda pair: _order(pair[1]))
        records = disk.write([shown for _, shown in chosen], directory, "train")
        return [record | {"example": key, "split": "train"} for record, (key, _) in zip(records, chosen, strict=True)]

    def _where(self, shown: Preview) -> tuple[str, str] | None:
        """Its class; of a task without classes the first of its slices."""
        names = [class_target(self._task) or "", *shown.slice]
        return next(((name, shown.slice[name]) for name in names if name in shown.slice), None)


def _order(shown: Preview) -> bool:
    return shown.correct is not False

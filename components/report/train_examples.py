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


class TrainExamples(Answers):
    """A model's answers to a pool of its train split, in which slices take turns; where there are none, it is spread
    over the split."""

    def _unsliced(self) -> list[tuple[int, bytes]]:
        records = enumerate(self._records(POOL_FROM).as_numpy_iterator())
        return heapq.nsmallest(PREVIEW_POOL, records, key=lambda one: zlib.crc32(one[1]))

    def write_by_slice(self, directory: Path) -> list[dict[str, Any]]:
        """Writes previews, of each slice alike many, and returns their records as `Answers.write_previews` does, wrong
        answers first."""
        seen: Counter[Any] = Counter()
        kept: list[tuple[Any, tuple[str, Preview]]] = []
        for key, shown in sorted(zip(self._pool.keys(), self._shown, strict=True), key=lambda pair: _order(pair[1])):
            where = next(iter(shown.slice.items()), None)
            seen[where] += 1
            if seen[where] <= (UNSLICED if where is None else EACH):
                kept.append((where, (key, shown)))
        chosen = sorted(in_turn(kept, MOST), key=lambda pair: _order(pair[1]))
        records = disk.write([shown for _, shown in chosen], directory, "train")
        return [record | {"example": key, "split": "train"} for record, (key, _) in zip(records, chosen, strict=True)]


def _order(shown: Preview) -> bool:
    return shown.correct is not False

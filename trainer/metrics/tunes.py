"""Whether what a model of tunes writes is music that adds up, as a reader of others judges it.

The reader is music21 (Cuthbert & Ariza 2010). The functions run the exported model: TUNES tunes of at most BARS bars,
by seeds from 0 on, in any key and metre, at temperature 1, where it draws as it foresees.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data.columns.opening import ANY
from trainer.backend import tf

TUNES, BARS = 48, 32
TEMPO = 180
NEAR = 1e-3
"""Quarters by which a bar may be off, since thirds are not exact."""


def valid_bars(model: Path) -> Iterator[float]:
    """Of each tune the share of its bars that last as long as its metre says; 0 for one that cannot be read."""
    for bars, _ in _judged(str(model)):
        yield share_right(bars)


def valid_tunes(model: Path) -> Iterator[float]:
    """1 for each tune that can be read and all of whose bars add up."""
    for bars, _ in _judged(str(model)):
        yield all_right(bars)


def own_end(model: Path) -> Iterator[float]:
    """1 for each tune that comes to an end of its own."""
    for _, ended in _judged(str(model)):
        yield ended


def share_right(bars: Sequence[bool]) -> float:
    """Of `bars_that_add_up`."""
    return float(np.mean(bars)) if bars else 0.0


def all_right(bars: Sequence[bool]) -> float:
    """1 where there are bars and all of them add up, else 0."""
    return float(bool(bars) and all(bars))


def bars_that_add_up(abc: str) -> list[bool]:
    """Of each bar whether its notes and rests, as music21 reads them, last as long as the metre that holds there; empty
    for what it cannot read.

    The first bar and the last may be shorter, as with an upbeat.
    """
    from music21 import abcFormat

    due, length = 0.0, 0.0
    lasting: list[tuple[float, float]] = []
    try:
        for token in [*abcFormat.ABCFile().readstr(abc).tokens, abcFormat.ABCBar("|")]:
            if isinstance(token, abcFormat.ABCMetadata) and token.isMeter():
                signature = token.getTimeSignatureObject()
                due = float(signature.barDuration.quarterLength) if signature else 0.0
            elif isinstance(token, abcFormat.ABCNote):
                length += _quarters(token)
            elif isinstance(token, abcFormat.ABCBar) and length:
                lasting.append((length, due))
                length = 0.0
    except Exception:  # noqa: BLE001 - what it raises of a text that is no ABC is of many kinds, also its own
        return []
    right = [abs(length - whole) < NEAR for length, whole in lasting]
    for end in (0, -1) if lasting else ():
        right[end] = right[end] or 0 < lasting[end][0] < lasting[end][1]
    return right


def _quarters(note: Any) -> float:
    """How long a note or rest of music21's reader lasts."""
    tuplet = getattr(note, "activeTuplet", None)
    return float(note.quarterLength) * (float(tuplet.tupletMultiplier()) if tuplet else 1.0)


@functools.lru_cache(maxsize=2)
def _judged(model: str) -> Sequence[tuple[list[bool], float]]:
    loaded = tf.saved_model.load(model)
    found = loaded.signatures["raw"](
        key=tf.fill([TUNES], ANY),
        metre=tf.fill([TUNES], ANY),
        opening=tf.fill([TUNES], ""),
        bars=tf.fill([TUNES], tf.constant(BARS, tf.int64)),
        temperature=tf.ones([TUNES]),
        tempo=tf.fill([TUNES], tf.constant(TEMPO, tf.int64)),
        seed=tf.range(TUNES, dtype=tf.int64),
    )
    written = zip(found["abc"].numpy(), found["ended"].numpy(), strict=True)
    return [(bars_that_add_up(text.decode()), float(ended)) for text, ended in written]

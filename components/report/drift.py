"""How far train and eval lie apart, column by column: from the statistics that a report holds, without TensorFlow.

The distances are those of TFDV: L-infinity between the shares of values (texts and classes), Jensen-Shannon divergence
to the base 2 between histograms (numbers). The two histograms of TFDV have edges of their own; both are brought to
edges that they share before they are compared, so that what is measured is what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from trainer.preview.wording import number

STRETCHES = 10
"""As many as TFDV's own histograms have."""
WHOLE_STRETCHES = 20
"""Whole numbers within a range of at most so many have a stretch each."""
VALUES_SHOWN = 12
"""Of a column of texts or classes, the most frequent ones."""
LARGE = {"Jensen-Shannon": 0.1, "L-infinity": 0.25}
"""From here on a distance is called large where no bound of the data gate says so and chance does not explain it."""

MEANING = (
    "L-infinity is the widest gap between the shares of one value, Jensen-Shannon the divergence of two histograms, to "
    "the base 2; both are 0 where train and eval are alike, and 1 where they have nothing in common."
)

Pair = tuple[float, float]
"""Of train and of eval."""


@dataclass(frozen=True)
class Histograms:
    """Examples in each stretch between two `edges`, which are equally far apart."""

    edges: Sequence[float]
    train: Sequence[int]
    eval: Sequence[int]


@dataclass(frozen=True)
class Shares:
    """The share of all examples that each of `values` has; `others`: how many more values there are."""

    values: Sequence[str]
    train: Sequence[float]
    eval: Sequence[float]
    others: int


@dataclass(frozen=True)
class Drift:
    """One column. `by_chance`: how far two splits of this size come apart by chance, three standard errors; `bound`:
    what the data gate allows, None where it does not judge the column."""

    column: str
    measure: str
    distance: float
    by_chance: float
    bound: float | None
    words: str
    shape: Histograms | Shares

    @property
    def is_large(self) -> bool:
        return self.distance > max(self.by_chance, LARGE[self.measure] if self.bound is None else self.bound)


def drifts(
    statistics: Mapping[str, Mapping[str, Mapping[str, Any]]], bounds: Mapping[str, float] | None = None
) -> list[Drift]:
    """Of all columns that both splits have values of: the large ones first, each by its distance.

    Args:
      statistics: as `components.statistics.summary` returns them; what is no number is passed over.
      bounds: column -> how far its classes may lie apart (`max_skew`).
    """
    found = [
        drift
        for column, splits in statistics.items()
        if (drift := _drift(column, splits.get("train", {}), splits.get("eval", {}), (bounds or {}).get(column)))
    ]
    return sorted(found, key=lambda drift: (not drift.is_large, -drift.distance, drift.column))


def _drift(column: str, train: Mapping[str, Any], held: Mapping[str, Any], bound: float | None) -> Drift | None:
    if train.get("top") and held.get("top"):
        return _of_values(column, train, held, bound)
    if train.get("histogram") and held.get("histogram"):
        return _of_numbers(column, train, held)
    return None


# --- texts and classes ---


def _of_values(column: str, train: Mapping[str, Any], held: Mapping[str, Any], bound: float | None) -> Drift | None:
    parts = [{str(value): count for value, count in side["top"]} for side in (train, held)]
    wholes = [max(side.get("count", 0), sum(part.values()), 1) for side, part in zip((train, held), parts, strict=True)]
    # A value that one list lacks is none of that split only if the list is whole: TFDV lists the most frequent ones.
    whole_lists = [side.get("unique", 0) <= len(part) for side, part in zip((train, held), parts, strict=True)]
    known = [
        value
        for value in dict.fromkeys([*parts[0], *parts[1]])
        if all(value in part or is_whole for part, is_whole in zip(parts, whole_lists, strict=True))
    ]
    if not known:
        return None
    shares: dict[str, Pair] = {
        value: (parts[0].get(value, 0) / wholes[0], parts[1].get(value, 0) / wholes[1]) for value in known
    }
    widest = max(known, key=lambda value: abs(shares[value][0] - shares[value][1]))
    here, there = shares[widest]
    middle = (here * wholes[0] + there * wholes[1]) / sum(wholes)
    by_chance = 3 * math.sqrt(middle * (1 - middle) * (1 / wholes[0] + 1 / wholes[1]))
    most = sorted(known, key=lambda value: -max(shares[value]))[:VALUES_SHOWN]
    shown = most if widest in most else [*most[:-1], widest]
    shape = Shares(
        shown,
        [shares[value][0] for value in shown],
        [shares[value][1] for value in shown],
        max(len(known), train.get("unique", 0), held.get("unique", 0)) - len(shown),
    )
    said = f"“{widest}” is {here:.1%} of train and {there:.1%} of eval"
    advice = "split the data so that both sides hold the values alike, unless eval differs on purpose"
    distance = abs(here - there)
    found = Drift(column, "L-infinity", distance, by_chance, bound, "", shape)
    return _told(found, said, advice, train, held)


# --- numbers ---


def _of_numbers(column: str, train: Mapping[str, Any], held: Mapping[str, Any]) -> Drift | None:
    stretches = [[(float(a), float(b), float(n)) for a, b, n in side["histogram"]] for side in (train, held)]
    every = [value for side in stretches for low, high, _ in side for value in (low, high)]
    totals = [sum(count for *_, count in side) for side in stretches]
    if not all(map(math.isfinite, every)) or not all(totals):
        return None
    edges = common_edges(min(every), max(every), {train.get("kind"), held.get("kind")} == {"integer"})
    both = [rebinned(side, edges) for side in stretches]
    sizes = [
        max(1, min(side.get("count", 0) or total, total)) for side, total in zip((train, held), totals, strict=True)
    ]
    bins = sum(1 for pair in zip(*both, strict=True) if any(pair))
    found = Drift(
        column,
        "Jensen-Shannon",
        jensen_shannon(*both),
        _divergence_by_chance(bins, *sizes),
        None,
        "",
        Histograms(edges, *map(_whole, both)),
    )
    outside = sum(count for seen, count in zip(*both, strict=True) if not seen) / totals[1]
    said = f"half of train lies below {number(train.get('median'))}, half of eval below {number(held.get('median'))}"
    said += f", and {outside:.0%} of eval lies where train has nothing" if outside >= 0.005 else ""
    advice = "what eval says of the model holds for such values; train has few or none of them"
    return _told(found, said, advice, train, held)


def common_edges(low: float, high: float, is_whole: bool) -> list[float]:
    """Edges of equal stretches from `low` to `high`; of whole numbers of a small range one stretch around each."""
    if is_whole and high - low <= WHOLE_STRETCHES:
        return [value - 0.5 for value in range(math.floor(low), math.ceil(high) + 2)]
    if high - low <= 1e-12 * max(abs(high), abs(low)):
        room = max(abs(high) * 0.1, 0.5)
        low, high = low - room, high + room
    return [low + (high - low) * i / STRETCHES for i in range(STRETCHES)] + [high]


def rebinned(stretches: Sequence[tuple[float, float, float]], edges: Sequence[float]) -> list[float]:
    """The counts of (low, high, count) between other edges, which hold all of them. Within a stretch the examples are
    taken to lie evenly, as TFDV does."""
    counts = [0.0] * (len(edges) - 1)
    width = (edges[-1] - edges[0]) / len(counts)
    for low, high, count in stretches:
        first = min(int((low - edges[0]) / width), len(counts) - 1)
        last = min(int((high - edges[0]) / width), len(counts) - 1)
        for place in range(first, last + 1):
            covered = min(high, edges[place + 1]) - max(low, edges[place])
            counts[place] += count if first == last else count * max(0.0, covered) / (high - low)
    return counts


def _whole(counts: Sequence[float]) -> list[int]:
    """Rounded so that they add up to what they did."""
    ends = [0, *map(round, accumulate(counts))]
    return [end - begin for begin, end in pairwise(ends)]


def jensen_shannon(train: Sequence[float], held: Sequence[float]) -> float:
    """The divergence of two histograms of the same edges, to the base 2: 0 of equal ones, 1 where none overlaps."""

    def bits(some: Sequence[float], others: Sequence[float]) -> float:
        mine, theirs = sum(some), sum(others)
        return sum(
            n / mine * math.log2(2 * (n / mine) / (n / mine + other / theirs))
            for n, other in zip(some, others, strict=True)
            if n > 0
        )

    return max(0.0, (bits(train, held) + bits(held, train)) / 2)


def _divergence_by_chance(bins: int, train: float, held: float) -> float:
    """Of two samples of one distribution: the divergence comes to a chi-squared of `bins` - 1 degrees of freedom (Lin
    1991; its second-order term), here with three standard deviations above its mean."""
    freedom = max(bins - 1, 0)
    return (freedom + 3 * math.sqrt(2 * freedom)) * (1 / train + 1 / held) / (8 * math.log(2))


# --- words ---


def _told(drift: Drift, said: str, advice: str, train: Mapping[str, Any], held: Mapping[str, Any]) -> Drift:
    """With what it means: of a large distance what differs and what to do, of others why it is none."""
    if drift.is_large:
        words = f"Train and eval differ: {said}: {advice}."
    elif not drift.distance:
        words = "The same in both."
    elif drift.distance <= drift.by_chance:
        words = "No further apart than two splits of this size come by chance."
    else:
        words = f"A little more than chance: {said}."
    lacking = [side.get("missing", 0) / max(side.get("missing", 0) + side.get("count", 0), 1) for side in (train, held)]
    if abs(lacking[0] - lacking[1]) > LARGE["Jensen-Shannon"]:
        words += f" It is missing in {lacking[0]:.0%} of train and in {lacking[1]:.0%} of eval."
    return Drift(**{**vars(drift), "words": words})

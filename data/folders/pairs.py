"""Records in pairs: as a folder gives them, or drawn where it gives single ones; and nobody on both sides.

A task with a column of kind `Same` compares two records. What comes with its partner, as a row of a table that names
two files, stays as it is. What comes alone, as files in a folder for each person, is paired with others of its own
split: half of the pairs are of one person, half of two. Which, and in what order, follows from the paths alone.

In an unsplit folder the people decide: those who stand beside each other in a pair that the folder gives are on one
side, and a fifth of all is for evaluation. A split's items are held in memory.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.columns import Column, partner_of, sameness
from data.errors import BadValue, DataRefused
from data.folders.layouts import Item, Problem
from data.folders.layouts.base import key, number
from data.folders.splits import Sides, side_of_place, sides_of_groups
from data.ties import Ties

MOST_OFFSETS = 4
"""Each record is paired with at most so many of its own, and as many others."""
WANTED_PAIRS = 2_000
"""Larger splits have fewer pairs of each record: at least one of its own, and one other."""


@dataclass(frozen=True)
class Pair:
    """A record and its partner. `drawn` where a folder did not give it; of the drawn pairs of a record one is `first`:
    what is wrong with the record itself is told of that one."""

    side: str
    item: Item
    drawn: bool = False
    first: bool = True

    def tells(self, problem: Problem, columns: Mapping[str, Column]) -> bool:
        """Whether its problem is not told by another pair, or of another record, already."""
        blames_partner = problem.column is not None and columns[problem.column].drawn
        return not self.drawn or (self.first and not blames_partner)


@dataclass(frozen=True)
class Pairs:
    """The pairs of a split, or of "all" splits of a folder that is not split: `words` says how."""

    pairs: Sequence[Pair]
    words: str
    names: Counter[str]
    """Of the records that were given, by the name by which they are the same."""
    alone: int
    """Records that are the only one of their name, so that they are in pairs of two names alone."""

    @classmethod
    def of(cls, items: Iterable[Item], columns: Mapping[str, Column], split: str) -> Pairs:
        """
        Raises:
          DataRefused: there is nothing to pair records with.
        """
        found = list(items)
        same, by = sameness(columns) or ("", "")
        values = [_value(item, columns, by) for item in found]
        words, sides = "", [split] * len(found)
        if split == "all":
            decided, sides = _sides(found, values, columns, by)
            words = decided.words
        pairs: list[Pair] = []
        single: dict[str, list[tuple[Item, str]]] = {side: [] for side in sides}
        for item, value, side in zip(found, values, sides, strict=True):
            if item.problem is not None or item.values.get(same) is not None or _has_partner(item, columns):
                pairs.append(Pair(side, item))
            elif value is None:
                pairs.append(Pair(side, Item(item.file, item.row, {}, Problem(by, f"no {columns[by].noun}"))))
            else:
                single[side].append((item, value))
        alone = 0
        for side, those in single.items():
            if those:
                drawn, of_one = _drawn(side, those, columns)
                alone += of_one
                pairs += drawn
        count = sum(pair.drawn for pair in pairs)
        said = f"{count:,} pairs drawn by {by}" if count else ""
        pairs.sort(key=_order)
        names = Counter(value for value in values if value is not None)
        return cls(pairs, ", ".join(filter(None, (words, said))), names, alone)


def _value(item: Item, columns: Mapping[str, Column], by: str) -> str | None:
    """The name by which records are the same; None where there is none that can be read."""
    value = item.values.get(by)
    if columns[by].is_missing(value) or isinstance(value, BadValue):
        return None
    try:
        encoded = columns[by].encode(by, value)[by]
    except BadValue:
        return None
    return encoded.decode() if isinstance(encoded, bytes) else str(encoded)


def _has_partner(item: Item, columns: Mapping[str, Column]) -> bool:
    return any(not columns[name].is_missing(item.values.get(name)) for name in partner_of(columns).values())


# --- sides ---


def _sides(
    items: Sequence[Item], values: Sequence[str | None], columns: Mapping[str, Column], by: str
) -> tuple[Sides, list[str]]:
    """The side of each item: all that is tied together, by a name or a file, on one."""
    ties = Ties()
    partners = partner_of(columns)
    roots: list[Hashable] = []
    for item, value in zip(items, values, strict=True):
        known: list[Hashable] = [] if value is None else [(by, value)]
        if (of_partner := item.values.get(partners.get(by, ""))) is not None:
            known.append((by, str(of_partner)))
        for name, partner in partners.items():
            if columns[name].is_media:
                known += [(name, path) for path in (item.values.get(name), item.values.get(partner)) if path]
        roots.append(ties.tie(known) if known and item.problem is None else None)
    groups = [None if root is None else _hashed(ties.root(root)) for root in roots]
    decided = sides_of_groups((group for group in groups if group is not None), by, fewest=2)
    if decided is None:
        raise DataRefused(
            f"the pairs tie all to each other, so that no {by} can be held out" if len(items) else "there is no record",
            f"put them into train/ and eval/, each {by} into one of them",
        )
    sides = [
        side_of_place(item) if group is None else decided.side_of_group(group)
        for item, group in zip(items, groups, strict=True)
    ]
    return decided, sides


def _hashed(token: Hashable) -> int:
    return int.from_bytes(hashlib.sha256(repr(token).encode()).digest()[:8], "big")


# --- drawing ---


def _drawn(side: str, items: Sequence[tuple[Item, str]], columns: Mapping[str, Column]) -> tuple[list[Pair], int]:
    """The pairs of single records of one side, and how many of these are the only one of their kind.

    Raises:
      DataRefused: all are of one kind, or no two are.
    """
    same, by = sameness(columns) or ("", "")
    where = "the folder" if side == "all" else side
    by_name: defaultdict[str, list[Item]] = defaultdict(list)
    for item, name in sorted(items, key=lambda one: key(one[0].file)):
        by_name[name].append(item)
    sizes = Counter({name: len(own) for name, own in by_name.items()})
    if len(sizes) < 2:
        raise DataRefused(
            f"{where} holds one {by} only, {next(iter(sizes))!r}: there is nobody to tell apart",
            f"add files of at least one other {by} to {where}, or leave the folder unsplit",
        )
    if max(sizes.values()) < 2:
        raise DataRefused(
            f"{where} holds one file of each {by}: there are no two of the same",
            f"add further files of some {by}; each folder is one {by}",
        )
    offsets = max(1, min(MOST_OFFSETS, WANTED_PAIRS // (2 * len(items))))
    of_names = [by_name[name] for name in sorted(by_name)]
    pairs = [
        pair
        for which, own in enumerate(of_names)
        for place in range(len(own))
        for pair in _of_one(side, of_names, which, place, offsets, columns)
    ]
    return pairs, sum(size == 1 for size in sizes.values())


def _of_one(
    side: str,
    of_names: Sequence[Sequence[Item]],
    which: int,
    place: int,
    offsets: int,
    columns: Mapping[str, Column],
) -> Iterator[Pair]:
    """The pairs of one record: with those that follow it among its own, and with as many of others."""
    own, item = of_names[which], of_names[which][place]
    following = range(1, min(offsets, max(1, (len(own) - 1) // 2)) + 1) if len(own) > 1 else range(0)
    for offset in following:
        yield _pair(side, item, own[(place + offset) % len(own)], True, offset == 1, columns)
    for turn in range(max(1, len(following))):
        drawn = number(key(f"{item.file} {turn}"))
        others = of_names[(which + 1 + drawn % (len(of_names) - 1)) % len(of_names)]
        partner = others[drawn // len(of_names) % len(others)]
        yield _pair(side, item, partner, False, not following, columns)


def _pair(side: str, item: Item, partner: Item, alike: bool, first: bool, columns: Mapping[str, Column]) -> Pair:
    same, _ = sameness(columns) or ("", "")
    beside: dict[str, Any] = {name: partner.values.get(of) for of, name in partner_of(columns).items()}
    return Pair(side, Item(item.file, item.row, {**item.values, **beside, same: int(alike)}), True, first)


def _order(pair: Pair) -> bytes:
    """What shuffles pairs, always in the same way."""
    beside = sorted(str(value) for value in pair.item.values.values())
    return key(f"{pair.item.file} {pair.item.row} {' '.join(beside)}")

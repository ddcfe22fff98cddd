"""Two sets of pictures, crossed: each of the first set beside some of the second, as contents and styles.

A task with a column of kind `Crossed` combines two pictures of which nobody says that they belong together. A folder
holds both sets: in two folders, or in a table whose rows name one of the first, one of the second, or both. Within each
side of the split pairs are made so that every picture of both sets is in as many as any other, give or take one; in
evaluation at least `EVAL_PAIRS`, if there are so many. Which, and in what order, follows from the paths alone. Where
every row of a split's table names both, those pairs are the ones.

An unsplit folder is split set by set: a fifth of either is for evaluation, so that neither picture of a pair that is
judged was learnt from. Files of equal content are on one side. The paths of a split are held in memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.columns import Column, Crossed, Value, crossed
from data.errors import BadFile, DataRefused
from data.folders.files import Inside
from data.folders.layouts import Item, Problem
from data.folders.layouts.base import key, number
from data.folders.splits import side_of_place, sides_of_groups

EVAL_PAIRS = 120
"""In evaluation each picture is in several pairs until there are so many."""

Encoded = tuple[dict[str, Value] | None, Problem | None]
Found = tuple[str, Item, dict[str, Value] | None, Problem | None]
"""Side, where it stands, and features or a problem."""


@dataclass(frozen=True)
class Crossing:
    """The pairs of a split, or of "all" splits of a folder that is not split: `words` says how."""

    columns: tuple[str, str]
    sides: Mapping[str, tuple[Sequence[Item], Sequence[Item]]]
    """Side -> the first set and the second, to be crossed."""
    given: Sequence[tuple[str, Item]]
    """Side and item of pairs that stand in a table, and of what cannot be read."""
    words: str

    @classmethod
    def of(cls, items: Iterable[Item], columns: Mapping[str, Column], split: str, folder: Path, root: Path) -> Crossing:
        """
        Raises:
          DataRefused: one of the sets has no picture, or only one of which none can be held out.
        """
        first, second = crossed(columns) or ("", "")
        found = list(items)
        good = [item for item in found if item.problem is None]
        bad = [(side_of_place(item) if split == "all" else split, item) for item in found if item.problem is not None]
        both = [item for item in good if _has(item, first, columns) and _has(item, second, columns)]
        if good and split != "all" and len(both) == len(good):
            return cls((first, second), {}, [*bad, *((split, item) for item in both)], "")
        sets = [_single(good, name, columns) for name in (first, second)]
        for name, those in zip((first, second), sets, strict=True):
            if not those:
                raise DataRefused(
                    f"{'the folder' if split == 'all' else split} holds no {name} {columns[name].noun}",
                    f"add some; a table names them in {_field(name, first)}",
                )
        if split != "all":
            return cls((first, second), {split: (sets[0], sets[1])}, bad, "")
        halves, words = zip(
            *(_halves(name, those, folder, Inside(root)) for name, those in zip((first, second), sets, strict=True)),
            strict=True,
        )
        sides = {side: (halves[0][side], halves[1][side]) for side in ("train", "eval")}
        return cls((first, second), sides, bad, "; ".join(words))

    def records(
        self, encode: Callable[[Item], Encoded], columns: Mapping[str, Column], shard: int, num_shards: int
    ) -> Iterator[Found]:
        """Those of one shard. A picture that cannot be read is told once, and the next of its set takes its place."""
        second = columns[self.columns[1]]
        assert isinstance(second, Crossed)
        for side, item in self.given[shard::num_shards]:
            features, problem = encode(item)
            if features is not None:
                features |= second.named(self.columns[1], item.values[self.columns[1]])
            yield side, item, features, problem
        for side, (firsts, seconds) in self.sides.items():
            sets = _Set(self.columns[0], firsts), _Set(self.columns[1], seconds)
            for place in range(shard, _count(side, len(firsts), len(seconds)), num_shards):
                for item, features, problem in _met(place, sets, encode):
                    if features is not None:
                        features |= second.named(self.columns[1], item.values[self.columns[1]])
                    yield side, item, features, problem


@dataclass
class _Set:
    column: str
    items: Sequence[Item]
    bad: dict[int, Problem] = field(default_factory=dict)
    """Place -> what is wrong."""

    def next_good(self, place: int) -> int | None:
        """The first from `place` on, and round, that is not known to be bad."""
        after = ((place + step) % len(self.items) for step in range(len(self.items)))
        return next((one for one in after if one not in self.bad), None)


def _count(side: str, firsts: int, seconds: int) -> int:
    """How many pairs: each picture is in one at least."""
    least = max(firsts, seconds)
    return min(firsts * seconds, max(least, EVAL_PAIRS)) if side == "eval" else least


def _met(
    place: int, sets: tuple[_Set, _Set], encode: Callable[[Item], Encoded]
) -> Iterator[tuple[Item, dict[str, Value] | None, Problem | None]]:
    """The pair that has this place among all that there are, which come each once; before it what is wrong with its
    pictures, where this is the first pair that they are in: that of their own place."""
    counts = [len(one.items) for one in sets]
    own = [place % counts[0], (place + place // math.lcm(*counts)) % counts[1]]
    where = [one.next_good(start) for one, start in zip(sets, own, strict=True)]
    for which, start in enumerate(own):  # one that an earlier pair found to be bad is told here, at its own place
        if start in sets[which].bad and start == place:
            yield _alone(sets[which].items[start]), None, sets[which].bad[start]
    while None not in where:
        first, second = (one.items[at] for one, at in zip(sets, where, strict=True) if at is not None)
        item = Item(first.file, first.row, {**_known(second), **_known(first)})
        features, problem = encode(item)
        if problem is None or problem.column not in (sets[0].column, sets[1].column):
            yield item, features, problem
            return
        which = int(problem.column == sets[1].column)
        at = where[which]
        assert at is not None
        if at == own[which] == place:
            yield _alone(sets[which].items[at]), None, problem
        sets[which].bad[at] = problem
        where[which] = sets[which].next_good(at)


def _alone(item: Item) -> Item:
    return Item(item.file, item.row, {})


def _known(item: Item) -> dict[str, Any]:
    return {name: value for name, value in item.values.items() if value not in (None, "")}


def _has(item: Item, name: str, columns: Mapping[str, Column]) -> bool:
    return not columns[name].is_missing(item.values.get(name))


def _single(items: Sequence[Item], name: str, columns: Mapping[str, Column]) -> list[Item]:
    """Each picture of one set once, shuffled, always in the same way."""
    sets = crossed(columns) or ()
    found: dict[str, Item] = {}
    for item in items:
        if _has(item, name, columns):
            values = {key: value for key, value in item.values.items() if key == name or key not in sets}
            found.setdefault(str(item.values[name]), Item(item.file, item.row, values))
    return [found[path] for path in sorted(found, key=lambda path: key(f"{name} {path}"))]


def _halves(name: str, items: Sequence[Item], folder: Path, inside: Inside) -> tuple[dict[str, list[Item]], str]:
    """The items of one set by their side, and how they were split."""
    groups = _contents([str(item.values[name]) for item in items], folder, inside)
    decided = sides_of_groups(groups, name)
    if decided is None:
        raise DataRefused(
            f"the folder holds one {name} picture only, so that none can be held out to judge by",
            f"add others; or put it into train/{name}/ and eval/{name}/ both, and the others into train/ and eval/: "
            "then it is judged by what it was learnt from",
        )
    sides: dict[str, list[Item]] = {"train": [], "eval": []}
    for item, group in zip(items, groups, strict=True):
        sides[decided.side_of_group(group)].append(item)
    return sides, f"{len(sides['eval'])} of {len(items)} {name} pictures held out"


def _contents(paths: Sequence[str], folder: Path, inside: Inside) -> list[int]:
    """A number for each file, the same for files of equal content. Only files of equal size are read."""
    sizes = {path: _size(folder / path) for path in paths}
    often = Counter(sizes.values())
    numbers = []
    for path in paths:
        told = path.encode("utf-8", "surrogatepass")
        if often[sizes[path]] > 1 and sizes[path] >= 0:
            with contextlib.suppress(BadFile):  # told, with its reason, when the record itself is read
                told = inside.read(str(folder), path)
        numbers.append(number(hashlib.sha256(told).digest()))
    return numbers


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _field(name: str, first: str) -> str:
    """The column of a table that names the files of a set."""
    return "file_name" if name == first else f"{name}_file_name"

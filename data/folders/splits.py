"""Which part of a data folder is for training and which for evaluation: as it lies, or by a column or the content."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from data.columns import Column, Label, Value, content_digest, crossed, excerpt_column, sameness
from data.errors import BadValue, DataRefused
from data.folders.layouts import (
    LAYOUTS,
    Folder,
    Item,
    Layout,
    find_coco_set,
    find_layout,
    find_lfw_set,
    find_listed_set,
    find_ucf_set,
    find_voc_set,
)
from data.folders.layouts.base import refuse_link_out
from data.folders.windows import has_windows, series_columns, time_column

NAMES = {
    "train": ("train", "training"),
    "eval": ("eval", "evaluation", "val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
"""What a folder or table of a split may be called. A test split is evaluated on where there is no other."""

CONTENT = "content"
"""In place of a column to split by."""

EVAL_SHARE = 5
"""One of so many records is for evaluation."""

_SHARDS = re.compile(r"[-_.]\d+-of-\d+")
_MAX_GROUPS = 200_000
_FEWEST, _MOST = 0.1, 0.3
"""A share of records for evaluation that a hash of groups may come to."""
_FEWEST_BY_TIME, _MOST_BY_TIME = 0.05, 0.5


@dataclass(frozen=True)
class Splits:
    """`layouts` are those of "train" and "eval", or of "all"; `note` says in words what else was found."""

    layouts: Mapping[str, Layout]
    note: str = ""


def find_splits(
    root: Path, columns: Mapping[str, Column], names: Mapping[str, Sequence[str]] | None = None, advise: bool = True
) -> Splits:
    """The splits of a data folder.

    Args:
      names: column of the task -> columns of the tables, as far as a person or a trained model says.
      advise: whether a folder in no known form is searched for one that is.

    Raises:
      DataRefused: it is not laid out in a way that fits `columns`.
    """
    if coco := find_coco_set(root, columns):
        _refuse_other_numbers(coco)
        return Splits(coco)
    ways = (find_voc_set, find_lfw_set, find_ucf_set, find_listed_set)
    if listed := next((found for way in ways if (found := way(root, columns))), None):
        return Splits(listed)
    takes = functools.partial(_takes, columns) if advise else None
    whole = Folder(root, root, names=names or {}, takes=takes)
    parts = _parts(whole, columns)
    train, evaluation = parts.get("train"), parts.get("eval") or parts.get("test")
    if not train or not evaluation:
        _refuse_half(whole, parts)
        return Splits({"all": find_layout(columns, whole)})
    layouts: dict[str, Layout] = {}
    layouts["train"] = find_layout(columns, train)
    names = layouts["train"].names_read or evaluation.names  # what train's tables are read as, eval's are
    layouts["eval"] = find_layout(columns, dataclasses.replace(evaluation, names=names))
    _refuse_other_numbers(layouts)
    return Splits(layouts, _note(parts))


def _refuse_other_numbers(layouts: Mapping[str, Layout]) -> None:
    train, evaluation = layouts["train"].class_numbers, layouts["eval"].class_numbers
    for number in sorted(train.keys() & evaluation.keys()):
        if train[number] != evaluation[number]:
            raise DataRefused(
                f"class {number} is {train[number]!r} in train and {evaluation[number]!r} in eval",
                "Give both files the same categories, with the same ids.",
            )


def _takes(columns: Mapping[str, Column], path: Path) -> bool:
    try:
        find_splits(path, columns, advise=False)
    except (DataRefused, OSError):
        return False
    return True


def _parts(whole: Folder, columns: Mapping[str, Column]) -> dict[str, Folder]:
    """Split -> what belongs to it."""
    parts: dict[str, Folder] = {}
    tables = [Path(e.path) for e in whole.entries if any(kind.takes_file(columns, e.name) for kind in LAYOUTS)]
    for split, words in NAMES.items():
        folders = [name for name in whole.folders if name.lower() in words]
        files = [path for path in tables if path.name not in whole.folders and _stem(path) in words]
        there = [f"{name}/" for name in folders] or list(dict.fromkeys(_stem(path) for path in files))
        if folders and files:
            raise DataRefused(f"{whole.path} holds both {folders[0]}/ and {files[0].name}", "Keep one of them.")
        if len(there) > 1:
            raise DataRefused(f"{whole.path} holds both {there[0]} and {there[1]} for {split}", "Keep one of them.")
        if folders:
            refuse_link_out(whole.root, whole.folders[folders[0]])
            parts[split] = Folder(whole.root, whole.folders[folders[0]], names=whole.names, takes=whole.takes)
        elif files:
            parts[split] = Folder(whole.root, whole.path, tuple(files), whole.names, whole.takes)
    return parts


def _stem(path: Path) -> str:
    """The name of a table without its number among the parts of a split: `train-00000-of-00004.parquet`."""
    return _SHARDS.sub("", path.stem.lower())


def _called(part: Folder) -> str:
    return part.files[0].name if part.files else f"{part.path.name}/"


def _note(parts: Mapping[str, Folder]) -> str:
    evaluation = _called(parts.get("eval") or parts["test"])
    note = "" if evaluation.startswith("eval") else f"{evaluation} is for evaluation"
    if "eval" in parts and "test" in parts:
        note += f"{'; ' if note else ''}{_called(parts['test'])} is not used"
    return note


def _refuse_half(whole: Folder, parts: Mapping[str, Folder]) -> None:
    """Refuses a folder of which only one side is there. A lone folder `test` or `val` may be a class among others."""
    there = [_called(part) for part in parts.values()]
    others = len(whole.entries) - sum(len(part.files) or 1 for part in parts.values())
    if "train" not in parts and there[:1] != ["eval/"] and (others or len(parts) < 2):
        return
    lacking = "eval" if "train" in parts else "train"
    raise DataRefused(
        f"{whole.path} is split, but not into train and eval: it holds {', '.join(there)}",
        f"Add {lacking}, or move what {there[0].rstrip('/')} holds up into {whole.path} to have it split 80/20.",
    )


# --- unsplit folders ---


@dataclass(frozen=True)
class Sides:
    """Decides the side of each record of an unsplit folder.

    Attributes:
      words: how, for people.
      column: what decides; None for the content alone.
      eval_from: of a column of times, from when on a record is for evaluation.
      groups: of another column the values, or without one the contents, hashed, whose records are for evaluation;
        None for a fifth of all hashes.
      others_by_content: whether records whose value is none of `groups` are split by their content.
    """

    words: str
    column: str | None = None
    eval_from: int | None = None
    groups: frozenset[int] | None = None
    others_by_content: bool = False

    def side_of_group(self, group: int) -> str:
        return _side(group) if self.groups is None else "eval" if group in self.groups else "train"

    def side(self, features: Mapping[str, Value] | None, columns: Mapping[str, Column], item: Item) -> str:
        if features is None:  # by where it stands
            return side_of_place(item)
        value = features.get(self.column) if self.column else None
        if value is not None and self.eval_from is not None:
            return "eval" if cast(int, value) >= self.eval_from else "train"
        if value is None and self.column:  # of a record without the column the content decides
            return _side(_number(content_digest(features, columns)))
        group = _number(content_digest(features, columns)) if value is None else _hashed(value)
        if self.others_by_content and self.side_of_group(group) == "train":
            return _side(_number(content_digest(features, columns)))
        return self.side_of_group(group)


def side_of_place(item: Item) -> str:
    """Of what cannot be read."""
    return _side(_hashed(f"{item.file}:{item.row}"))


def decide(layout: Layout, columns: Mapping[str, Column], split_by: str | None) -> Sides:
    """How an unsplit folder is split: by the column as far as it can be, else by the content.

    The last fifth of the times is for evaluation, or what comes nearest to it where many records have one time; of
    groups those whose hash says so, or where that is far from a fifth, as of few groups, those that come nearest to it.
    A column that puts all records on one side does not split: the content does.
    """
    if split_by is None:
        return Sides("split 80/20 by content")
    if columns[split_by].is_time:
        return _by_time(layout, columns[split_by], split_by)
    column = columns[split_by]
    if isinstance(column, Label) and column.strangers > 0:
        return _open_set(layout, column, split_by)
    return _by_group(layout, columns[split_by], split_by)


def ways_to_split(columns: Mapping[str, Column]) -> list[str]:
    """What `split_by` may name: a column that a folder holds, or the content.

    Windows overlap: split by their content, or by another column of their last rows, a model would be evaluated on what
    it was trained on. So a series is split by its time, or not at all but is whole on one side. Pairs, too, overlap.
    """
    if pairs := sameness(columns):
        return [pairs[1]]
    if crossed(columns):
        return [CONTENT]  # of either set
    if has_windows(columns):
        return [time_column(columns), *series_columns(columns)]
    if excerpt_column(columns):  # all excerpts of a text are on one side
        return [CONTENT]
    return [*(name for name, column in columns.items() if column.in_folder and not column.is_media), CONTENT]


FEW = 200
"""Of so many records the contents are looked at before they are split, lest one side be empty."""


def decide_by_few_contents(sides: Sides, digests: Iterable[bytes]) -> Sides:
    """How the records of a small folder are split by their contents: copies stay together, and a fifth is evaluated on
    as nearly as can be."""
    sizes = Counter(_number(digest) for digest in digests)
    if len(sizes) < 2 or _FEWEST <= _hashed_share(sizes) <= _MOST:
        return sides
    return Sides(sides.words, groups=about_a_fifth(sizes))


def about_a_fifth(sizes: Mapping[int, int]) -> frozenset[int]:
    """Of groups, hashed, with the size of each those that are for evaluation: a fifth of all by their hashes or, where
    that is far from a fifth, as of few groups, what comes near to it."""
    if _FEWEST <= _hashed_share(sizes) <= _MOST:
        return frozenset(group for group in sizes if _side(group) == "eval")
    return frozenset(_about_a_fifth(sizes, sum(sizes.values()) / EVAL_SHARE))


def _values(layout: Layout, column: Column, name: str) -> Iterator[Value]:
    """The values of one column, of the rows that have one."""
    for item in layout.in_order():
        value = item.values.get(name)
        if item.problem is None and not column.is_missing(value) and not isinstance(value, BadValue):
            try:
                yield column.encode(name, value)[name]
            except BadValue:
                continue  # told, with its reason, when the record itself is read


def _by_time(layout: Layout, column: Column, name: str) -> Sides:
    import numpy as np

    times = np.sort(np.frombuffer(array("q", cast(Iterator[int], _values(layout, column, name))), np.int64))
    moments, starts = np.unique(times, return_index=True)
    if len(moments) < 2:
        return _by_content(name, "has one time only" if len(moments) else "is not there")
    usual = int(times[len(times) * (EVAL_SHARE - 1) // EVAL_SHARE])
    shares = 1 - starts / len(times)
    share = float(shares[np.searchsorted(moments, usual)])
    if not _FEWEST_BY_TIME <= share <= _MOST_BY_TIME:
        nearest = 1 + int(np.abs(shares[1:] - 1 / EVAL_SHARE).argmin())
        usual, share = int(moments[nearest]), float(shares[nearest])
    if not _FEWEST_BY_TIME <= share <= _MOST_BY_TIME:
        most = float(np.diff([*starts, len(times)]).max()) / len(times)
        return _by_content(name, f"is the same in {most:.0%} of the records")
    about = "the last fifth" if abs(share - 1 / EVAL_SHARE) < 0.02 else f"the last {share:.0%}"
    return Sides(f"{about} by {name} for evaluation", name, eval_from=usual)


def _open_set(layout: Layout, column: Label, name: str) -> Sides:
    """Some names are for evaluation alone, as those of strangers; records of all others are split by their content."""
    names = sorted({_hashed(value) for value in _values(layout, column, name)})
    wanted = round(column.strangers * len(names))
    if len(names) < 3:
        return _by_content(name, f"has {len(names)} values only" if names else "is not there")
    strangers = frozenset(names[: max(1, wanted)])
    words = f"{len(strangers)} of {len(names)} values of {name} for evaluation alone, all others split 80/20 by content"
    return Sides(words, name, groups=strangers, others_by_content=True)


def _by_group(layout: Layout, column: Column, name: str) -> Sides:
    there = False

    def groups() -> Iterator[int]:
        nonlocal there
        for value in _values(layout, column, name):
            there = True
            yield _hashed(value)

    return sides_of_groups(groups(), name) or _by_content(name, "has one value only" if there else "is not there")


def sides_of_groups(groups: Iterable[int], name: str, fewest: int = 1) -> Sides | None:
    """How records are split of which each belongs to a group, a hashed number, by the column `name`; None where there
    are no two groups.

    `fewest`: more than 1 where a group is nothing without another. Of up to FEW groups those are evaluated on then that
    come nearest to a fifth, whatever their hashes say, and so many at least where there are twice as many.
    """
    sizes: defaultdict[int, int] = defaultdict(int)
    for group in groups:
        sizes[group] += 1
        if len(sizes) > _MAX_GROUPS:
            return Sides(f"split 80/20 by {name}", name)
    if len(sizes) < 2:
        return None
    total = sum(sizes.values())
    few = fewest > 1 and len(sizes) <= FEW
    if not few and _FEWEST <= _hashed_share(sizes) <= _MOST:
        return Sides(f"split 80/20 by {name}", name)
    chosen = _about_a_fifth(sizes, total / EVAL_SHARE)
    if len(chosen) < fewest and len(sizes) >= 2 * fewest:
        smallest = sorted((sizes[group], group) for group in sizes if group not in chosen)
        chosen += [group for _, group in smallest[: fewest - len(chosen)]]
    share = sum(sizes[group] for group in chosen) / total
    words = f"{len(chosen)} of {len(sizes)} values of {name} for evaluation, {share:.0%} of the records"
    return Sides(words, name, groups=frozenset(chosen))


def _hashed_share(sizes: Mapping[int, int]) -> float:
    return sum(size for group, size in sizes.items() if _side(group) == "eval") / sum(sizes.values())


def _about_a_fifth(sizes: Mapping[int, int], wanted: float) -> list[int]:
    """Groups in the order of their hashes as long as they fit; at least the smallest, and not all."""
    chosen: list[int] = []
    there = 0
    for group in sorted(sizes):
        if there + sizes[group] <= wanted * 1.1:
            chosen.append(group)
            there += sizes[group]
    smallest = min(sizes, key=lambda group: (sizes[group], group))
    return chosen or [smallest]


def _by_content(name: str, reason: str) -> Sides:
    return Sides(f"split 80/20 by content, since {name} {reason}")


def _side(hashed: int) -> str:
    return "eval" if hashed % EVAL_SHARE == 0 else "train"


def _hashed(value: Any) -> int:
    return _number(hashlib.sha256(value if isinstance(value, bytes) else str(value).encode()).digest())


def _number(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big")

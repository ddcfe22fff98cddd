"""A user's data folder, read record by record: what is good as features, what is bad with its place and reason."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

from data.columns import (
    BadColumn,
    Column,
    Content,
    Value,
    content_digest,
    crossed,
    encode_row,
    excerpt_column,
    sameness,
)
from data.errors import BadValue, DataRefused, WrongUse
from data.folders import excerpts, windows
from data.folders.crossing import Crossing
from data.folders.files import Inside, printable, tree_digest
from data.folders.layouts import Item, Layout, Problem
from data.folders.pairs import Pairs
from data.folders.splits import (
    CONTENT,
    FEW,
    Sides,
    decide,
    decide_by_few_contents,
    find_splits,
    side_of_place,
    ways_to_split,
)

__all__ = ["DataFolder", "Problem", "Record", "content_digest"]


FEWEST_TO_SHARD, SHARD_SIZE = 12_000, 2_500
"""From how many records on a folder is read in shards, and of how many records at least."""
MOST_SHARDS, MOST_SHARDS_OF_ROWS = 16, 4
"""Rows without media are read from the beginning of their table for each shard, which costs little for few shards."""
BYTES_AS_RECORD = 5_000
"""So many bytes of media cost as much as one more record."""
_WEIGHED = 100


@dataclass(frozen=True, slots=True)
class Record:
    """One record, with either `features` (good) or `problem` (bad).

    Attributes:
      split: "train" or "eval".
      file: the media file (folders of files) or the table that the record stands in, relative to the root; in a COCO
        file its image too: "train/annotations.json, image 17".
      row: its line in a CSV or JSONL file as an editor counts (the CSV header is line 1), its row in a Parquet file
        (from 1), None for folders of files and COCO.
    """

    split: str
    file: str
    row: int | None
    features: dict[str, Value] | None
    problem: Problem | None


class DataFolder:
    """A folder of examples in one of the layouts of docs/own-data.md.

    Args:
      split_by: the column that decides the side of a record where the folder is not split: the last fifth of a
        Timestamp is for evaluation, of any other column all records of one value stay together. None and "content" go
        by a hash of the content, and so does a column that cannot split (`data.folders.splits.decide`); `layout` says
        which. Where there are windows, None is the last fifth of each series, and so is the name of the series where
        there is one only.
      names: column of the task -> column or columns of the tables, as far as a person or a trained model says. Of
        tables of measurements only (`data.folders.series`).
      refuse: why a record cannot be used although each of its columns is good; empty where it can be.

    Attributes:
      splits: ("train", "eval"), or ("all",) where each record's split follows from `split_by`.
      names: column of the task -> columns of the tables, where they go by their owner's names; else empty.
      remarks: column, and in words what was done to it, to the number of good records read so far to which it was done.
      without_window: good rows read so far that ended no window, since they begin or end a series or lie beside a gap.

    Raises:
      WrongUse: `root` is no folder, or `split_by` no column.
      DataRefused: it is not laid out in a way that fits `columns`.
    """

    def __init__(
        self,
        root: Path | str,
        columns: Mapping[str, Column],
        split_by: str | None = None,
        names: Mapping[str, Sequence[str]] | None = None,
        refuse: Callable[[Mapping[str, Value]], str] | None = None,
    ) -> None:
        self.root = Path(root)
        self._refuse = refuse
        if not self.root.is_dir():
            raise WrongUse(
                f"{self.root} is no folder", "Give the folder that holds train/ and eval/, or the data itself."
            )
        self.split_by = _column_to_split_by(columns, split_by)
        self.without_window = 0
        self.remarks: Counter[tuple[str, str]] = Counter()
        self.columns = {name: column.as_in(self.root) for name, column in columns.items()}
        try:
            found = find_splits(self.root, self.columns, names)
        except OSError as error:
            raise DataRefused(
                f"{error.filename} cannot be read: {error.strerror}", "Grant the right to read it."
            ) from error
        self._layouts, self._note = dict(found.layouts), found.note
        self.splits = tuple(self._layouts)
        self._made_pairs: dict[str, Pairs] = {}
        self._made_crossings: dict[str, Crossing] = {}
        self.names = dict(next(iter(self._layouts.values())).names_read)

    def records(self, split: str, shard: int = 0, num_shards: int = 1, limit: int | None = None) -> Iterator[Record]:
        """The records of one shard, each of which is in exactly one, in an order that is always the same.

        Media records come shuffled, rows without media, COCO's images and whatever windows are cut from as they stand
        in their files.

        Args:
          split: one of `splits`.
          limit: at most this many records, good or bad, of train and of eval over all shards together, of which each
            shard may give ceil(limit / num_shards).
        """
        if not 0 <= shard < num_shards:
            raise ValueError(f"shard {shard} of {num_shards}")
        records: Iterator[Record]
        if windows.has_windows(self.columns):
            records = (r for i, r in enumerate(self._windows(split)) if i % num_shards == shard)
        elif sameness(self.columns):
            records = self._paired(split, shard, num_shards)
        elif excerpt_column(self.columns):
            records = self._excerpts(split, self.items(split, shard, num_shards))
        elif crossed(self.columns):
            records = self._crossed(split, shard, num_shards)
        else:
            records = self._records(split, self.items(split, shard, num_shards))
        if limit is None:
            return records
        return _first(-(-limit // num_shards), records, 2 if split == "all" else 1)

    def shards(self, limit: int | None = None) -> int:
        """How many shards suit the folder, and `limit` as of `records`: several where reading takes long, and one where
        all of the folder must be read for any part. It depends on the data alone."""
        if (
            windows.has_windows(self.columns)
            or sameness(self.columns)
            or excerpt_column(self.columns)
            or crossed(self.columns)
        ):
            return 1
        size = 0.0
        for split, count in self._counts.items():
            weight = _bytes_of_one(self._layouts[split], self.columns, Inside(self.root)) / BYTES_AS_RECORD
            size += min(count, limit or count) * (1 + weight)
        most = MOST_SHARDS if any(column.is_media for column in self.columns.values()) else MOST_SHARDS_OF_ROWS
        return min(int(size // SHARD_SIZE), most) if size >= FEWEST_TO_SHARD else 1

    def settle(self, num_shards: int) -> None:
        """Finds out what is the same for all shards, before this object is handed to those who read them."""
        if num_shards > 1:
            _ = self._counts
        if "all" in self.splits:
            _ = self.layout

    @functools.cached_property
    def _counts(self) -> dict[str, int]:
        """Items of each split."""
        return {split: sum(1 for _ in layout.in_order()) for split, layout in self._layouts.items()}

    def items(self, split: str, shard: int, num_shards: int) -> Iterator[Item]:
        """A stretch of all items: shard after shard they come as they come to one who reads all."""
        if num_shards == 1:
            return self._layouts[split].items()
        first, last = (self._counts[split] * n // num_shards for n in (shard, shard + 1))
        return islice(self._layouts[split].items(), first, last)

    def digest(self) -> str:
        """SHA-256 (hex) over path, size and change time of every file: it changes when any file does."""
        return tree_digest(self.root)

    def _records(self, split: str, items: Iterable[Item]) -> Iterator[Record]:
        inside = Inside(self.root)
        folder = str(self._layouts[split].folder)
        sides = self._sides if split == "all" else None
        for item in items:
            features, problem = self._encode(item, folder, inside)
            if features is not None and (remark := self._layouts[split].remark(item, features)):
                self.remarks[remark] += 1
            side = sides.side(features, self.columns, item) if sides else split
            yield Record(side, item.file, item.row, features, problem)

    def _excerpts(self, split: str, items: Iterable[Item]) -> Iterator[Record]:
        """The excerpts of whole texts, all of one text after each other."""
        inside, folder = Inside(self.root), str(self._layouts[split].folder)
        name = excerpt_column(self.columns) or ""
        for item in items:
            features, problem = self._encode(item, folder, inside)
            if features is None:
                side = split if split != "all" else side_of_place(item)
                yield Record(side, item.file, item.row, None, problem)
                continue
            key, found = excerpts.text_key(features[name]), excerpts.excerpts(self.columns, features)
            for number, record in enumerate(found):
                side = split if split != "all" else self._text_sides.side(key, number, len(found))
                yield Record(side, item.file, item.row, record, None)

    @functools.cached_property
    def _text_sides(self) -> excerpts.TextSides:
        inside, folder = Inside(self.root), str(self._layouts["all"].folder)
        name = excerpt_column(self.columns) or ""
        encoded = (self._encode(item, folder, inside)[0] for item in self._layouts["all"].in_order())
        return excerpts.TextSides.of(excerpts.sized(features[name] for features in encoded if features is not None))

    def _paired(self, split: str, shard: int, num_shards: int) -> Iterator[Record]:
        inside, folder = Inside(self.root), str(self._layouts[split].folder)
        for pair in self._pairs(split).pairs[shard::num_shards]:
            features, problem = self._encode(pair.item, folder, inside)
            if problem is None or pair.tells(problem, self.columns):
                yield Record(pair.side, pair.item.file, pair.item.row, features, problem)

    def _pairs(self, split: str) -> Pairs:
        if split not in self._made_pairs:
            made = self._made_pairs[split] = Pairs.of(self._layouts[split].in_order(), self.columns, split)
            _, by = sameness(self.columns) or ("", "")
            if made.alone:
                self.remarks[by, "the only record of its kind, and so in no pair of the same"] += made.alone
            if split == "eval" and (met := made.names.keys() & self._pairs("train").names.keys()):
                seen = sum(made.names[name] for name in met)
                self.remarks[by, "of eval, in train too: those that train never saw are better to be judged by"] += seen
        return self._made_pairs[split]

    def _crossed(self, split: str, shard: int, num_shards: int) -> Iterator[Record]:
        inside, folder = Inside(self.root), str(self._layouts[split].folder)
        found = self._crossing(split).records(
            lambda item: self._encode(item, folder, inside), self.columns, shard, num_shards
        )
        for side, item, features, problem in found:
            yield Record(side, item.file, item.row, features, problem)

    def _crossing(self, split: str) -> Crossing:
        if split not in self._made_crossings:
            layout = self._layouts[split]
            self._made_crossings[split] = Crossing.of(layout.in_order(), self.columns, split, layout.folder, self.root)
        return self._made_crossings[split]

    def _windows(self, split: str) -> Iterator[Record]:
        """Windows in place of rows. Of an unsplit folder a window is of the side of its last row, what comes next: the
        first ones of evaluation begin with rows of training, as forecasts do. Or whole series are for evaluation."""
        inside, folder, clocks = Inside(self.root), str(self._layouts[split].folder), self._clocks(split)
        maker = windows.Windows(self.columns, clocks, with_ahead=True)
        time = windows.time_column(self.columns)
        for item in self._layouts[split].in_order():
            row, problem = self._encode(item, folder, inside)
            side = split if split != "all" else "train"
            made = None
            if row is not None:
                series = windows.series_of(self.columns, row)
                if split == "all" and self._whole_series is not None:
                    side = self._whole_series.side(row, self.columns, item)
                elif split == "all" and cast(int, row[time]) >= clocks[series].eval_from:
                    side = "eval"
                try:
                    made = maker.push(item, row)
                except BadValue as error:
                    problem = Problem(time, str(error))
            if problem is not None:
                yield Record(side, item.file, item.row, None, problem)
            elif made is not None:
                place, features = made
                yield Record(side, place.file, place.row, features, None)
            else:
                self.without_window += 1

    @functools.cached_property
    def layout(self) -> str:
        """The layout in words."""
        words = {split: layout.words for split, layout in self._layouts.items()}
        if "all" in words:
            return f"{words['all']}, {self._how_windows if windows.has_windows(self.columns) else self._how_split}"
        alike = len(set(words.values())) == 1
        said = words["train"] if alike else "; ".join(f"{split}: {text}" for split, text in words.items())
        return f"{said}; {self._note}" if self._note else said

    @property
    def _how_split(self) -> str:
        if excerpt_column(self.columns):
            return self._text_sides.words
        if sameness(self.columns):
            return self._pairs("all").words
        return self._crossing("all").words if crossed(self.columns) else self._sides.words

    @property
    def _how_windows(self) -> str:
        if self._whole_series is not None:
            return self._whole_series.words
        time = windows.time_column(self.columns)
        only = f", since there is one {self.split_by} only" if self.split_by != time else ""
        return f"the last fifth by {time} for evaluation{only}"

    @functools.cached_property
    def _whole_series(self) -> Sides | None:
        """Which whole series of an unsplit folder are for evaluation; None where the last fifth of each is."""
        if self.split_by == windows.time_column(self.columns):
            return None
        sides = decide(self._layouts["all"], self.columns, self.split_by)
        return sides if sides.column else None

    @functools.cached_property
    def _sides(self) -> Sides:
        layout = self._layouts["all"]
        sides = decide(layout, self.columns, self.split_by)
        few = list(islice(layout.in_order(), FEW + 1)) if sides.column is None else []
        if not 0 < len(few) <= FEW:
            return sides
        inside, folder = Inside(self.root), str(layout.folder)
        found = (features for item in few if (features := self._encode(item, folder, inside)[0]) is not None)
        return decide_by_few_contents(sides, (content_digest(features, self.columns) for features in found))

    def _clocks(self, split: str) -> dict[windows.Series, windows.Clock]:
        """A pass over the times alone: of each series where there are windows, else of all records together."""
        by_series = windows.has_windows(self.columns)
        time = windows.time_column(self.columns)
        wanted = [time, *(windows.series_columns(self.columns) if by_series else ())]

        def times() -> Iterator[tuple[windows.Series, int]]:
            for item in self._layouts[split].in_order():
                row: dict[str, Value] = {}
                try:
                    for name in wanted:
                        row |= self.columns[name].encode(name, item.values.get(name))
                except BadValue:
                    continue  # told, with its reason, when the record itself is read
                series = windows.series_of(self.columns, row) if by_series else ()
                yield series, cast(int, row[time])

        return windows.clocks(times())

    def _content(self, inside: Inside, folder: str, column: str, path: Any) -> Content:
        return inside.content(folder, path, self.columns[column].streamed)

    def _encode(self, item: Item, folder: str, inside: Inside) -> tuple[dict[str, Value] | None, Problem | None]:
        if item.problem is not None:
            return None, item.problem
        try:
            features = encode_row(self.columns, item.values, functools.partial(self._content, inside, folder))
            reason = self._refuse(features) if self._refuse else ""
            return (None, Problem(None, reason)) if reason else (features, None)
        except BadColumn as error:
            path = item.values.get(error.column)
            # Among the rows of a table the file at fault must be named; else it is the record's own.
            own = (
                not path or not self.columns[error.column].names_file(path) or item.file.endswith(printable(str(path)))
            )
            return None, Problem(error.column, error.reason if own else f"{path!r}: {error.reason}", error.attack)


def _column_to_split_by(columns: Mapping[str, Column], wanted: str | None) -> str | None:
    ways = ways_to_split(columns)
    if wanted is None:
        return windows.time_column(columns) if windows.has_windows(columns) else None
    if wanted not in ways:
        what = "a series, whose windows overlap," if windows.has_windows(columns) else "a folder"
        raise WrongUse(f"{wanted!r} is no column to split {what} by", f"Give one of {', '.join(ways)}.")
    return None if wanted == CONTENT else wanted


def _first(limit: int, records: Iterable[Record], sides: int) -> Iterator[Record]:
    taken: Counter[str] = Counter()
    for record in records if limit > 0 else ():
        if taken[record.split] < limit:
            taken[record.split] += 1
            yield record
        if len(taken) == sides and min(taken.values()) >= limit:
            return


def _bytes_of_one(layout: Layout, columns: Mapping[str, Column], inside: Inside) -> float:
    """Bytes of the media of one record, on average of the first."""
    media = [name for name, column in columns.items() if column.is_media]
    first = list(islice(layout.in_order(), _WEIGHED)) if media else []
    sizes = (_bytes(inside, layout.folder, item.values.get(name)) for item in first for name in media)
    return sum(sizes) / max(len(first), 1)


def _bytes(inside: Inside, folder: Path, path: Any) -> int:
    try:
        there = isinstance(path, str) and inside.holds(str(folder / path))
        return (folder / path).stat().st_size if there else 0
    except (OSError, ValueError):  # which is told, with its place, when the record itself is read
        return 0

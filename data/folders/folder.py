"""A user's data folder, read record by record: what is good as features, what is bad with its place and reason."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from data.columns import BadColumn, Column, Value, content_digest, encode_row
from data.errors import BadValue, DataRefused, WrongUse
from data.folders import windows
from data.folders.files import BadFile, Inside, printable, tree_digest, visible
from data.folders.layouts import (
    Item,
    Layout,
    Problem,
    find_coco_set,
    find_layout,
    find_tables,
    is_table,
    names_read,
    refuse_link_out,
)

__all__ = ["DataFolder", "Problem", "Record", "content_digest"]

_SPLITS = ("train", "eval")
_SPLIT_WORDS = {*_SPLITS, "training", "evaluation", "val", "valid", "validation", "dev", "test", "testing"}


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
        Timestamp is for evaluation (of each series, where there are windows), of any other column all records of one
        value stay together. None goes by a hash of the content.
      names: column of the task -> column or columns of the tables, as far as a person or a trained model says. Of
        tables of measurements only (`data.folders.series`).

    Attributes:
      splits: ("train", "eval"), or ("all",) where each record's split follows from `split_by`.
      layout: the layout in words.
      names: column of the task -> columns of the tables, where they go by their owner's names; else empty.
      without_window: good rows read so far that ended no window, since they begin or end a series or lie beside a gap.

    Raises:
      WrongUse: `root` is no folder.
      DataRefused: it is not laid out in a way that fits `columns`.
    """

    def __init__(
        self,
        root: Path | str,
        columns: Mapping[str, Column],
        split_by: str | None = None,
        names: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.root = Path(root)
        self.columns = dict(columns)
        self.split_by = split_by
        self.without_window = 0
        if not self.root.is_dir():
            raise WrongUse(
                f"{self.root} is no folder", "Give the folder that holds train/ and eval/, or the data itself."
            )
        try:
            self._layouts = _find_splits(self.root, self.columns, names or {})
        except OSError as error:
            raise DataRefused(
                f"{error.filename} cannot be read: {error.strerror}", "Grant the right to read it."
            ) from error
        self.splits = tuple(self._layouts)
        self.names = dict(names_read(next(iter(self._layouts.values()))))
        self.layout = _in_words(self._layouts, self.columns, split_by)

    def records(self, split: str, shard: int = 0, num_shards: int = 1, limit: int | None = None) -> Iterator[Record]:
        """The records of one shard, each of which is in exactly one, in an order that is always the same.

        Media records come shuffled, rows without media and COCO's images as they stand in their files.

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
        else:
            records = self._records(split, self._layouts[split].items(shard, num_shards))
        if limit is None:
            return records
        return _first(-(-limit // num_shards), records, 2 if split == "all" else 1)

    def digest(self) -> str:
        """SHA-256 (hex) over path, size and change time of every file: it changes when any file does."""
        return tree_digest(self.root)

    def _records(self, split: str, items: Iterable[Item]) -> Iterator[Record]:
        inside = Inside(self.root)
        folder = str(self._layouts[split].folder)
        eval_from = self._clocks(split).get((), None) if self._splits_by_time(split) else None
        for item in items:
            features, problem = self._encode(item, folder, inside)
            if split != "all":
                side = split
            elif features is None:
                side = _side(_hashed(f"{item.file}:{item.row}"))
            elif self.split_by not in features:
                side = _side(content_digest(features, self.columns))
            elif eval_from is not None:
                side = "eval" if cast(int, features[self.split_by]) >= eval_from.eval_from else "train"
            else:
                value = features[self.split_by]
                side = _side(_hashed(value))
            yield Record(side, item.file, item.row, features, problem)

    def _windows(self, split: str) -> Iterator[Record]:
        """Windows in place of rows. Of an unsplit folder a window is of the side of its last row, what comes next: the
        first ones of evaluation begin with rows of training, as forecasts do."""
        inside, folder, clocks = Inside(self.root), str(self._layouts[split].folder), self._clocks(split)
        maker = windows.Windows(self.columns, clocks, with_ahead=True)
        time = windows.time_column(self.columns)
        for item in self._layouts[split].items(0, 1):
            row, problem = self._encode(item, folder, inside)
            side = split if split != "all" else "train"
            made = None
            if row is not None:
                series = windows.series_of(self.columns, row)
                if split == "all" and cast(int, row[time]) >= clocks[series].eval_from:
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

    def _splits_by_time(self, split: str) -> bool:
        return split == "all" and _is_time(self.columns, self.split_by)

    def _clocks(self, split: str) -> dict[windows.Series, windows.Clock]:
        """A pass over the times alone: of each series where there are windows, else of all records together."""
        by_series = windows.has_windows(self.columns)
        time = windows.time_column(self.columns)
        wanted = [time, *(windows.series_columns(self.columns) if by_series else ())]

        def times() -> Iterator[tuple[windows.Series, int]]:
            for item in self._layouts[split].items(0, 1):
                row: dict[str, Value] = {}
                try:
                    for name in wanted:
                        row |= self.columns[name].encode(name, item.values.get(name))
                except BadValue:
                    continue  # told, with its reason, when the record itself is read
                series = windows.series_of(self.columns, row) if by_series else ()
                yield series, cast(int, row[time])

        return windows.clocks(times())

    def _encode(self, item: Item, folder: str, inside: Inside) -> tuple[dict[str, Value] | None, Problem | None]:
        if item.problem is not None:
            return None, item.problem
        try:
            return encode_row(self.columns, item.values, lambda _, path: _content(inside, folder, path)), None
        except BadColumn as error:
            path = item.values.get(error.column)
            # Among the rows of a table the file at fault must be named; else it is the record's own.
            own = not self.columns[error.column].is_media or not path or item.file.endswith(printable(str(path)))
            return None, Problem(error.column, error.reason if own else f"{path!r}: {error.reason}", error.attack)


def _content(inside: Inside, folder: str, name: Any) -> bytes:
    if not isinstance(name, str):
        raise BadFile("expected the name of a file")
    return inside.read(folder, name)


def _side(digest: bytes) -> str:
    """80/20 by a hash, of the content so that exact copies stay on one side."""
    return "eval" if int.from_bytes(digest[:8], "big") % 5 == 0 else "train"


def _hashed(value: Any) -> bytes:
    return hashlib.sha256(value if isinstance(value, bytes) else str(value).encode()).digest()


def _first(limit: int, records: Iterable[Record], sides: int) -> Iterator[Record]:
    taken: Counter[str] = Counter()
    for record in records if limit > 0 else ():
        if taken[record.split] < limit:
            taken[record.split] += 1
            yield record
        if len(taken) == sides and min(taken.values()) >= limit:
            return


def _find_splits(root: Path, columns: Mapping[str, Column], names: Mapping[str, Sequence[str]]) -> dict[str, Layout]:
    if coco := find_coco_set(root, columns):
        return coco
    entries = visible(root)
    folders = {entry.name: Path(entry.path) for entry in entries if entry.is_dir()}
    rows_only = not any(column.is_media for column in columns.values())
    files = [Path(entry.path) for entry in entries if rows_only and is_table(entry)]
    named = {split: [path for path in files if path.stem == split] for split in _SPLITS}
    for split in _SPLITS:
        if split in folders and named[split]:
            raise DataRefused(f"{root} holds both {split}/ and {named[split][0].name}", "Keep one of them.")
    there = [split for split in _SPLITS if split in folders or named[split]]
    _refuse_half(root, there, [*folders, *(path.name for path in files)])
    if not there:
        return {"all": find_layout(root, root, columns, names)}
    for split in set(there) & set(folders):
        refuse_link_out(root, folders[split])
    layouts: dict[str, Layout] = {}
    for split in there:
        if split in folders:
            layouts[split] = find_layout(root, folders[split], columns, names)
        else:
            layouts[split] = find_tables(root, root, named[split], columns, names=names)
        names = names_read(layouts[split]) or names  # what train's tables are read as, eval's are
    return layouts


def _refuse_half(root: Path, there: list[str], names: list[str]) -> None:
    """Refuses a folder that is split, but not into what is called train and eval."""
    others = [name for name in names if Path(name).stem.lower() in _SPLIT_WORDS and Path(name).stem not in _SPLITS]
    if len(there) == 2 or (not there and not len(names) == len(others) >= 2):
        return
    found = [name for name in names if Path(name).stem in there] + others
    wanted = "train" if "eval" in there else "eval"
    if not there:
        fix = "Rename them to train and eval."
    elif others:
        fix = f"Rename {others[0]} to {wanted}{Path(others[0]).suffix}."
    else:
        fix = f"Add {wanted}, or move what {found[0]} holds up into {root} to have it split 80/20."
    raise DataRefused(f"{root} is split, but not into train and eval: it holds {', '.join(found)}", fix)


def _is_time(columns: Mapping[str, Column], split_by: str | None) -> bool:
    return split_by is not None and split_by in columns and columns[split_by].is_time


def _in_words(layouts: Mapping[str, Layout], columns: Mapping[str, Column], split_by: str | None) -> str:
    words = {split: layout.words for split, layout in layouts.items()}
    if "all" in words:
        by = f"by {split_by}" if split_by else "by content"
        by_time = _is_time(columns, split_by) or windows.has_windows(columns)
        return f"{words['all']}, " + (f"the last fifth {by} for evaluation" if by_time else f"split 80/20 {by}")
    if len(set(words.values())) == 1:
        return words["train"]
    return "; ".join(f"{split}: {text}" for split, text in words.items())

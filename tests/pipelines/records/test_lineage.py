"""The metadata store of a task's runs: made, read, or refused in words where it is damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from data.errors import BenisonError
from pipelines.records.lineage import read_only, sqlite_connection


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store that knows of some executions."""
    path = tmp_path / "metadata.db"
    store = MetadataStore(sqlite_connection(path))
    kind = store.put_execution_type(mlmd.ExecutionType(name="Trainer"))
    store.put_executions([mlmd.Execution(type_id=kind, name=f"number {index}" * 20) for index in range(200)])
    return path


def garbage(path: Path) -> None:
    path.write_bytes(b"no database at all")


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def a_hole(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-20_000] + b"\xff" * 20_000)


def of_a_later_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE MLMDEnv SET schema_version = 99")


@pytest.mark.parametrize("damage", [garbage, cut_short, a_hole, of_a_later_version])
def test_a_damaged_store_is_refused_by_name_before_anything_runs(damage: Callable[[Path], None], file: Path) -> None:
    damage(file)
    with pytest.raises(BenisonError, match="the metadata store .*metadata.db cannot be read: ") as caught:
        sqlite_connection(file)
    assert "move the file away" in caught.value.fix


def test_a_store_that_is_yet_to_be_is_none(tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    assert read_only(empty) is None
    empty.touch()
    assert read_only(empty) is None
    assert sqlite_connection(empty).sqlite.filename_uri == str(empty)


def test_a_sound_store_is_read(file: Path) -> None:
    store = read_only(file)
    assert store is not None and len(store.get_executions()) == 200
    sqlite_connection(file)

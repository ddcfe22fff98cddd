"""Paths that TensorFlow takes for patterns, under others by which it reads the same folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import BenisonError, WrongUse
from pipelines.records.plain_path import UNREADABLE, plain
from pipelines.records.workspace import task_space


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENISON_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("name", ["runs [2]", "runs\\2"])
def test_what_is_written_by_the_one_is_read_by_the_other(name: str, tmp_path: Path) -> None:
    space = task_space(tmp_path / name, "digits")
    assert not UNREADABLE & set(str(space.root)) and not (tmp_path / name).exists()
    with space.lock():
        space.remember_seconds({"Trainer": 5.0})
    assert (tmp_path / name / "digits" / "node_seconds.json").is_file()
    assert task_space(tmp_path / name, "digits") == space
    assert task_space(tmp_path / f"{name}b", "digits").root.parent != space.root.parent


def test_a_path_without_such_signs_stays_and_makes_no_link(tmp_path: Path, cache: Path) -> None:
    assert plain(tmp_path / "a b") == tmp_path / "a b" and not cache.exists()


def test_a_cache_that_has_them_too_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENISON_CACHE", str(tmp_path / "c[1]"))
    with pytest.raises(WrongUse, match="TensorFlow takes") as caught:
        plain(tmp_path / "w[1]")
    assert "--workspace DIR, or BENISON_CACHE" in caught.value.fix


def test_a_cache_that_cannot_be_written_is_said(tmp_path: Path, cache: Path) -> None:
    cache.write_text("a file")
    with pytest.raises(BenisonError, match="link by which TensorFlow can read there cannot be made"):
        plain(tmp_path / "w[1]")

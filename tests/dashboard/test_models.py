"""Whether a pushed version is as it was pushed is found out once, and anew after any change."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from components import manifest
from dashboard.app import page
from dashboard.store import Store
from tests.dashboard import stores

TASK = "image_classification"
LONG_AGO = time.time_ns() - 3600 * 10**9


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read through, in order."""
    names: list[str] = []
    real = manifest._digest
    monkeypatch.setattr(manifest, "_digest", lambda path: names.append(path.name) or real(path))
    return names


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if what was just written had been written a minute ago."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 60 * 10**9)


@pytest.mark.usefixtures("settled")
def test_an_unchanged_version_is_not_read_again(tmp_path: Path, hashed: list[str]) -> None:
    stores.pushed(tmp_path, TASK, 1)
    (tmp_path / TASK / "runs").mkdir()
    hashed.clear()
    store = Store(tmp_path)
    for _ in range(3):
        assert "1 files as pushed" in str(page(store, f"/models/{TASK}", ""))
    assert hashed == ["saved_model.pb"]


@pytest.mark.usefixtures("settled")
def test_the_overview_reads_what_is_served_and_no_other_version(tmp_path: Path, hashed: list[str]) -> None:
    for version in (1, 2, 3):
        stores.pushed(tmp_path, TASK, version)
    (tmp_path / TASK / "runs").mkdir()
    hashed.clear()
    assert "1 files as pushed" in str(page(Store(tmp_path), "/models", ""))
    assert hashed == ["saved_model.pb"]


def rewritten(model: Path) -> None:
    """Of the same size, with its time of change set back."""
    file = model / "saved_model.pb"
    before = file.stat()
    file.write_bytes(b"x" * before.st_size)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(model: Path) -> None:
    before = (model / "saved_model.pb").stat()
    (model / "new").write_bytes(b"x" * before.st_size)
    os.utime(model / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.replace(model / "new", model / "saved_model.pb")


def added(model: Path) -> None:
    (model / "assets").mkdir()
    (model / "assets" / "more").touch()


def removed(model: Path) -> None:
    (model / "saved_model.pb").unlink()


def linked(model: Path) -> None:
    (model / "saved_model.pb").unlink()
    (model / "saved_model.pb").symlink_to("/dev/null")


def piped(model: Path) -> None:
    """A pipe must not be waited for."""
    os.mkfifo(model / "pipe")
    (model / "saved_model.pb").unlink()
    (model / "saved_model.pb").symlink_to(model / "pipe")


def manifest_spoilt(model: Path) -> None:
    (model / manifest.NAME).write_bytes(b"\xff")


def version_linked_out(model: Path) -> None:
    model.rename(model.parents[3] / "elsewhere")
    model.symlink_to(model.parents[3] / "elsewhere")


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "change", [rewritten, replaced, added, removed, linked, piped, manifest_spoilt, version_linked_out]
)
def test_any_change_is_found_after_the_version_was_known_to_be_sound(
    change: Callable[[Path], None], tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    model = stores.pushed(workspace, TASK, 1)
    stores.pushed(workspace, "gan", 1)
    for task in (TASK, "gan"):
        (workspace / task / "runs").mkdir()
    store = Store(workspace)
    [known] = store.models(TASK)
    assert store.check(known).problem == ""
    change(model)
    assert store.check(known).problem
    overview = str(page(store, "/models", ""))
    assert "✗" in overview and "1 files as pushed" in overview, "the other task's model is still shown"
    assert "not asked" in str(page(store, f"/models/{TASK}", ""))


def test_what_was_changed_a_moment_ago_is_not_trusted_by_its_times(tmp_path: Path, hashed: list[str]) -> None:
    """A disk's clock is coarse: a second change within its step would show in no time of change."""
    stores.pushed(tmp_path, TASK, 1)
    hashed.clear()
    store = Store(tmp_path)
    [model] = store.models(TASK)
    store.check(model)
    store.check(model)
    assert hashed == ["saved_model.pb"] * 2

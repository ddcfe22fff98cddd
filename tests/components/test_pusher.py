"""A push is whole or it is not there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from components import manifest, pusher
from data.errors import BenisonError
from pipelines.console.failures import Failure


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "model" / "variables").mkdir(parents=True)
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "model" / "variables" / "data").write_bytes(b"weights")
    return tmp_path / "model"


def test_versions_count_from_one_and_verify(model: Path, tmp_path: Path) -> None:
    serving = tmp_path / "serving"
    assert pusher.push(model, serving, {"task": "toy"}).name == "1"
    (model / "variables" / "data").write_bytes(b"other weights")
    assert pusher.push(model, serving, {"task": "toy"}).name == "2"
    assert [manifest.verify(serving / version)["task"] for version in ("1", "2")] == ["toy", "toy"]


def test_the_same_model_is_not_pushed_twice(model: Path, tmp_path: Path) -> None:
    serving = tmp_path / "serving"
    assert pusher.push(model, serving, {}) == pusher.push(model, serving, {})
    assert manifest.versions(serving) == [1]


def test_two_runs_that_push_at_once_push_one_after_the_other(model: Path, tmp_path: Path) -> None:
    models = [model, tmp_path / "other"]
    shutil.copytree(model, models[1])
    for each in models:
        (each / "variables" / "data").write_bytes(os.urandom(4 << 20))
    with ThreadPoolExecutor() as pool:
        versions = list(pool.map(lambda each: pusher.push(each, tmp_path / "serving", {"task": "toy"}), models))
    assert sorted(version.name for version in versions) == ["1", "2"]
    for pushed, version in zip(models, versions, strict=True):
        manifest.verify(version)
        assert (version / "variables" / "data").read_bytes() == (pushed / "variables" / "data").read_bytes()


def test_a_push_killed_halfway_is_never_a_version(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serving = tmp_path / "serving"
    pusher.push(model, serving, {})
    (model / "variables" / "data").write_bytes(b"other weights")

    def killed(path: Path, about: dict[str, object]) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(manifest, "write", killed)
        pusher.push(model, serving, {})
    assert manifest.versions(serving) == [1]
    assert pusher.push(model, serving, {}).name == "2"
    assert sorted(path.name for path in serving.iterdir()) == ["1", "2"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a tmpfs (run as root)")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_push_onto_a_full_disk_leaves_what_was_served(model: Path, small_disk: Path) -> None:
    pusher.push(model, small_disk, {"task": "toy"})
    (model / "variables" / "data").write_bytes(os.urandom(512 << 10))
    with pytest.raises(OSError) as caught:
        pusher.push(model, small_disk, {"task": "toy"})
    shown = Failure.of(caught.value)
    assert shown.exit == 1
    assert shown.message.startswith("the disk is full") and str(small_disk) in shown.message
    assert [path.name for path in small_disk.iterdir()] == ["1"]
    assert manifest.verify(small_disk / "1")["task"] == "toy"
    (model / "variables" / "data").write_bytes(b"a smaller one")
    assert pusher.push(model, small_disk, {"task": "toy"}).name == "2"
    assert sorted(path.name for path in small_disk.iterdir()) == ["1", "2"]


@pytest.mark.parametrize("damage", ["change", "add", "remove"])
def test_tampering_is_refused(model: Path, tmp_path: Path, damage: str) -> None:
    version = pusher.push(model, tmp_path / "serving", {})
    if damage == "change":
        (version / "variables" / "data").write_bytes(b"weightz")
    elif damage == "add":
        (version / "assets").mkdir()
        (version / "assets" / "extra").write_bytes(b"")
    else:
        (version / "saved_model.pb").unlink()
    with pytest.raises(BenisonError, match="variables/data|assets/extra|saved_model.pb"):
        manifest.verify(version)

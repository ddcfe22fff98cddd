from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

import pytest

from pipelines import machine


def versions(monkeypatch: pytest.MonkeyPatch, requires: list[str], installed: dict[str, str]) -> None:
    def version(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(metadata, "requires", lambda name: requires)


def executable(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_packages_of_the_right_version_are_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    versions(monkeypatch, ["tfx==1.16.0", "pillow"], {"benison": "0.1", "tfx": "1.16.0", "pillow": "10"})
    assert [(c.name, c.state, c.found) for c in machine.packages()] == [("tfx", "ok", "1.16.0"), ("pillow", "ok", "10")]


def test_missing_and_wrong_packages_are_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    versions(monkeypatch, ["tfx==1.16.0", "numpy<2"], {"benison": "0.1", "numpy": "2.1"})
    tfx, numpy = machine.packages()
    assert (tfx.state, numpy.state) == ("missing", "missing")
    assert "not installed" in tfx.found and "uv pip install 'tfx==1.16.0'" in tfx.fix
    assert "2.1" in numpy.found and "<2" in numpy.found


def test_without_benison_itself_everything_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    versions(monkeypatch, [], {})
    assert [(c.name, c.state, c.fix) for c in machine.packages()] == [("benison", "missing", "make setup")]


def test_lacking_extras_are_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    requires = ["tfx==1.16.0", 'tensorflow-datasets; extra == "tfds"', 'pytest; extra == "dev"']
    versions(monkeypatch, requires, {"benison": "0.1", "tfx": "1.16.0", "pytest": "9"})
    monkeypatch.setattr(metadata, "metadata", lambda name: _Message(["tfds", "dev"]))
    assert [c.name for c in machine.packages()] == ["tfx"]
    tfds, dev = machine.extras()
    assert (tfds.state, tfds.fix) == ("note", "uv pip install tensorflow-datasets")
    assert dev.state == "ok"


class _Message:
    def __init__(self, extras: list[str]) -> None:
        self._extras = extras

    def get_all(self, name: str) -> list[str]:
        assert name == "Provides-Extra"
        return self._extras


def test_little_memory_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory_limit", lambda: machine.GIB)
    assert machine.memory().state == "note"
    assert machine.memory().found.startswith("1.0 GiB (limit of the container")


def test_a_full_disk_is_noted_also_for_folders_yet_to_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "free for" in machine.disk("disk", tmp_path / "a" / "b", "").found
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10))
    assert machine.disk("disk", tmp_path, "free some") == machine.Check(
        "disk", "note", f"0.0 GiB free for {tmp_path}", "free some"
    )


def test_gpus_are_listed_and_a_broken_driver_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "CPU" in machine.gpu().found
    versions(monkeypatch, [], {"tensorflow": "2.16.2"})
    executable(tmp_path, "nvidia-smi", "echo 'NVIDIA H200, 143771 MiB'")
    assert "NVIDIA H200, 143771 MiB" in machine.gpu().found
    assert "tensorflow[and-cuda]==2.16.2" in machine.gpu().fix
    versions(monkeypatch, [], {"nvidia-cudnn-cu12": "8"})
    assert machine.gpu().state == "ok"
    executable(tmp_path, "nvidia-smi", "echo 'driver mismatch' >&2; exit 9")
    assert "driver mismatch" in machine.gpu().found and "driver" in machine.gpu().fix


def test_clients_on_the_path_are_found_and_others_have_a_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    executable(tmp_path, "uv", "")
    found = {check.name: check for check in machine.clients()}
    assert found["uv or pip"] == machine.Check("uv or pip", "ok", str(tmp_path / "uv"))
    assert found["npm"].state == "note" and "apt-get install npm" in found["npm"].fix
    assert found["apt-get"].state == "note"


def test_all_checks_together_name_each_subject_once(tmp_path: Path) -> None:
    names = [check.name for check in machine.checks(tmp_path)]
    assert {"python", "tensorflow", "cores", "memory", "disk: workspace", "GPU", "npm"} <= set(names)
    assert len(names) == len(set(names))

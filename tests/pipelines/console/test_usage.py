"""The command that a person is given does what it says."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from pipelines.console.usage import usage


@pytest.mark.parametrize(
    ("task", "command"),
    [
        ("image_classification", "benison predict image_classification FILE..."),
        ("speech_recognition", "benison predict speech_recognition FILE..."),
        ("sequence_regression", "benison predict sequence_regression TABLE.csv"),
        ("machine_translation", "benison predict machine_translation --input source=TEXT"),
        ("recommendation", "benison predict recommendation --input user=TEXT"),
        ("gan", "benison predict gan --input seed=1"),
        ("image_generation", "benison predict image_generation FILE..."),
    ],
)
def test_each_task_is_asked_by_what_it_takes(task: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENISON_WORKSPACE", raising=False)
    assert usage(task) == usage(task, Path("workspace")) == command


def test_another_workspace_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENISON_WORKSPACE", raising=False)
    assert shlex.split(usage("gan", Path("/a b/w")))[-2:] == ["--workspace", "/a b/w"]
    monkeypatch.setenv("BENISON_WORKSPACE", "/a b/w")
    assert "--workspace" not in usage("gan", Path("/a b/w"))

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import new_task
from tests.pipelines.command_line import Benison


def test_a_new_task_is_written_and_what_to_do_next(
    benison: Benison, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "leaf_disease.py"
    monkeypatch.setattr(new_task, "create", lambda name: path)
    ended = benison("new-task", "leaf_disease")
    assert ended.code == 0 and str(path) in ended.out and "benison run leaf_disease" in ended.out

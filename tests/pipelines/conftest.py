"""Fixtures of the tests that call `benison` in their own process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import trainer.task
from pipelines import cli
from tests.pipelines.command_line import TASKS, Benison, Ended, Runs, fake_module, load


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Runs]:
    fake = Runs()
    fake_module(monkeypatch, "pipelines.local.run", run=fake.run)
    monkeypatch.setattr(trainer.task, "task_names", lambda: list(TASKS))
    monkeypatch.setattr(trainer.task, "load", load)
    monkeypatch.setenv("BENISON_WORKSPACE", str(tmp_path / "workspace"))
    terminate = signal.getsignal(signal.SIGTERM)
    yield fake
    signal.signal(signal.SIGTERM, terminate)


@pytest.fixture
def benison(capfd: pytest.CaptureFixture[str], runs: Runs) -> Benison:
    """Calls the command line with made-up tasks, whose runs end as `runs` says."""

    def call(*arguments: str | Path) -> Ended:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(argument) for argument in arguments])
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, *capfd.readouterr())

    return call

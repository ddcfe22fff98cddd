"""What a run tells those who look at it from outside, while it goes on and when it has ended."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from data.errors import BenisonError
from pipelines.console.failures import Failure
from pipelines.console.progress import Listener
from pipelines.records import live_state

FACTS = {"task": "digits", "run_id": "r1", "key_metric": "accuracy"}


class Heard(Listener):
    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    def node_started(self, node: str, index: int, total: int, expected_seconds: float | None) -> None:
        self.said.append(("started", node, index, total, expected_seconds))

    def node_progress(self, node: str, fields: dict[str, Any]) -> None:
        self.said.append(("progress", node, fields))

    def node_finished(self, node: str, state: str, seconds: float) -> None:
        self.said.append(("finished", node, state, seconds))

    def message(self, text: str) -> None:
        self.said.append(("message", text))

    def close(self) -> None:
        self.said.append(("close",))


def state(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "state.json").read_text(encoding="utf-8"))
    return found


def test_a_run_is_followed_node_by_node(tmp_path: Path) -> None:
    with live_state.kept(tmp_path, FACTS, Listener()) as listener:
        begun = state(tmp_path)
        assert begun.items() >= {**FACTS, "state": "running", "nodes": []}.items()
        listener.node_started("Trainer", 0, 2, None)
        [node] = state(tmp_path)["nodes"]
        assert (node["id"], node["state"], state(tmp_path)["nodes_total"]) == ("Trainer", "running", 2)
        listener.node_finished("Trainer", "ran", 1.5)
        listener.node_finished("Pusher", "skipped", 0.0)
    ended = state(tmp_path)
    assert [(n["id"], n["state"], n["seconds"]) for n in ended["nodes"]] == [
        ("Trainer", "ran", 1.5),
        ("Pusher", "skipped", 0.0),
    ]
    assert ended["state"] == "finished" and "error" not in ended


def test_progress_and_the_time_of_the_running_node_are_kept_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_state, "BEAT_SECONDS", 0.01)
    with live_state.kept(tmp_path, FACTS, Listener()) as listener:
        listener.node_started("Trainer", 0, 2, None)
        listener.node_progress("Trainer", {"step": 3, "steps_total": 9, "history": {"loss": [1.0]}})
        while not state(tmp_path)["progress"] or not state(tmp_path)["nodes"][0]["seconds"]:
            pass
        assert state(tmp_path)["progress"] == {"step": 3, "steps_total": 9}


def test_all_that_is_heard_is_passed_on(tmp_path: Path) -> None:
    heard = Heard()
    with live_state.kept(tmp_path, FACTS, heard) as listener:
        listener.node_started("Trainer", 0, 2, 5.0)
        listener.node_progress("Trainer", {"step": 3})
        listener.node_finished("Trainer", "ran", 1.5)
        listener.message("well")
        listener.close()
    assert heard.said == [
        ("started", "Trainer", 0, 2, 5.0),
        ("progress", "Trainer", {"step": 3}),
        ("finished", "Trainer", "ran", 1.5),
        ("message", "well"),
        ("close",),
    ]


@pytest.mark.parametrize(
    ("error", "word", "message"),
    [
        (BenisonError("the disk is gone", "put it back"), "failed", "the disk is gone"),
        (ZeroDivisionError("by zero"), "failed", "ZeroDivisionError: by zero"),
        (KeyboardInterrupt(), "interrupted", "interrupted"),
    ],
)
def test_an_end_before_its_time_is_told_with_its_reason(
    error: BaseException, word: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(type(error)), live_state.kept(tmp_path, FACTS, Listener()):
        raise error
    ended = state(tmp_path)
    assert ended["state"] == word and ended["error"]["message"].startswith(message) and ended["error"]["fix"]


def test_a_run_of_many_processes_is_alive_while_one_of_them_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_state, "BEAT_SECONDS", 0.01)
    live_state.begin(tmp_path, FACTS, patience=900)
    assert state(tmp_path).items() >= {**FACTS, "state": "running", "patience": 900}.items()
    os.utime(tmp_path / "state.json", (1, 1))
    with live_state.alive(tmp_path):
        while (tmp_path / "state.json").stat().st_mtime == 1:
            pass
    live_state.end(tmp_path, 12.3456, None)
    ended = state(tmp_path)
    assert (ended["state"], ended["seconds"], "error" in ended) == ("finished", 12.346, False)


def test_a_node_that_is_a_process_of_its_own_keeps_its_own_record(tmp_path: Path) -> None:
    live_state.node_begins(tmp_path, "Trainer")
    live_state.node_begins(tmp_path, "Evaluator")
    running = json.loads((tmp_path / "nodes" / "Trainer.json").read_text(encoding="utf-8"))
    assert running["state"] == "running" and running["started"] and live_state.ended_nodes(tmp_path) == {}
    live_state.node_ends(tmp_path, "Trainer", "failed", Failure("no memory", "raise it", 1))
    live_state.node_ends(tmp_path, "Evaluator", "cached")
    trainer, evaluator = (live_state.ended_nodes(tmp_path)[name] for name in ("Trainer", "Evaluator"))
    assert trainer["failure"] == {"message": "no memory", "fix": "raise it", "exit": 1, "log": ""}
    assert (evaluator["state"], evaluator["failure"]) == ("cached", None)
    assert evaluator["seconds"] >= 0 and evaluator["peak_rss_mb"] > 1
    live_state.node_begins(tmp_path, "Trainer")
    assert set(live_state.ended_nodes(tmp_path)) == {"Evaluator"}, "what is tried again has not ended"


def test_the_end_of_a_failed_run_of_many_processes_says_why(tmp_path: Path) -> None:
    live_state.begin(tmp_path, FACTS, patience=900)
    live_state.end(tmp_path, 1.0, Failure("Trainer: no memory", "raise it", 1))
    ended = state(tmp_path)
    assert (ended["state"], ended["error"]) == ("failed", {"message": "Trainer: no memory", "fix": "raise it"})

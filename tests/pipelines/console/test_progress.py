from __future__ import annotations

import io
import re

import pytest

from data.errors import BenisonError
from pipelines.console.progress import Listener, Live, Plain, describe, in_words, seconds_left

TRAINING = {"step": 300, "steps_total": 1000, "steps_per_second": 50.0, "loss": 0.12345, "history": {}}


def run_two_nodes(listener: Listener) -> None:
    listener.node_started("Transform", 0, 2, None)
    listener.node_finished("Transform", "cached", 0.04)
    listener.node_started("Trainer", 1, 2, 30.0)
    listener.node_progress("Trainer", TRAINING)
    listener.node_finished("Trainer", "ran", 20.25)
    listener.message("see /a/place")
    listener.close()


def test_a_pipe_gets_one_plain_line_for_each_node() -> None:
    stream = io.StringIO()
    run_two_nodes(Plain(stream))
    transform, trainer, message = stream.getvalue().splitlines()
    assert transform.split() == ["=", "Transform", "cached", "0.0", "s"]
    assert trainer.split()[:5] == ["✓", "Trainer", "ran", "20.2", "s"]
    assert trainer.endswith("step 300/1000, 50.0 steps/s, loss 0.1235")
    assert message == "see /a/place"
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", stream.getvalue())


def test_what_one_node_said_is_not_shown_with_the_next() -> None:
    stream = io.StringIO()
    plain = Plain(stream)
    plain.node_progress("Trainer", TRAINING)
    plain.node_finished("Trainer", "failed", 1.0)
    plain.node_finished("Evaluator", "skipped", 0.0)
    assert "step" in stream.getvalue().splitlines()[0] and "step" not in stream.getvalue().splitlines()[1]


def test_a_long_node_says_in_a_pipe_how_it_goes_on_now_and_then() -> None:
    now = [0.0]
    stream = io.StringIO()
    plain = Plain(stream, clock=lambda: now[0])
    plain.node_started("Trainer", 0, 1, None)
    for second in range(100):
        now[0] = float(second)
        plain.node_progress("Trainer", TRAINING | {"step": second})
    first, second, third = stream.getvalue().splitlines()
    assert first.split()[:5] == ["…", "Trainer", "runs", "30.0", "s"]
    assert first.endswith("step 30/1000, 50.0 steps/s, loss 0.1235  19 s left")
    assert "step 60/" in second and "step 90/" in third


def test_a_short_node_says_nothing_before_its_end() -> None:
    stream = io.StringIO()
    plain = Plain(stream)
    plain.node_started("Trainer", 0, 1, None)
    for step in range(50):
        plain.node_progress("Trainer", TRAINING | {"step": step})
    assert stream.getvalue() == ""


def test_a_training_that_stopped_early_says_so() -> None:
    stream = io.StringIO()
    plain = Plain(stream)
    plain.node_started("Trainer", 0, 1, None)
    plain.node_progress("Trainer", TRAINING | {"stopped_early": True})
    plain.node_finished("Trainer", "ran", 20.0)
    assert "step 300/1000" in stream.getvalue() and "stopped early" in stream.getvalue()
    assert seconds_left(TRAINING | {"stopped_early": True}, seconds=5.0, expected=None) is None


class Abandoned(io.StringIO):
    def flush(self) -> None:
        raise BrokenPipeError


def test_rows_of_a_look_before_the_end_are_not_told_as_the_count() -> None:
    stream = io.StringIO()
    plain = Plain(stream)
    plain.node_started("FolderExampleGen", 0, 1, None)
    plain.node_progress("FolderExampleGen", {"rows": 0})
    plain.node_finished("FolderExampleGen", "ran", 0.5)
    assert "rows" not in stream.getvalue()


def test_a_reader_that_leaves_ends_the_run_in_words() -> None:
    with pytest.raises(BenisonError, match="has gone"):
        Plain(Abandoned()).message("x")


def test_a_reader_that_leaves_does_not_end_the_thread_that_watches() -> None:
    now = [0.0]
    plain = Plain(Abandoned(), clock=lambda: now[0])
    plain.node_started("Trainer", 0, 1, None)
    now[0] = 40.0
    plain.node_progress("Trainer", TRAINING)
    with pytest.raises(BenisonError, match="has gone"):
        plain.node_finished("Trainer", "ran", 40.0)


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, ""), (14.2, "  14 s left"), (60.0, "  1 min 0 s left"), (3725.0, "  62 min 5 s left")]
)
def test_time_left_in_words(seconds: float | None, words: str) -> None:
    assert in_words(seconds) == words


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_keeps_a_line_for_each_node_and_long_paths_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    live = Live(stream)
    live.node_finished("Trainer", "ran", 20.25)
    live.message(f"report: {'/folder' * 20}")
    live.close()
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())
    assert re.search(r"✓ Trainer +ran +20\.2 s", shown)
    assert "/folder" * 20 in shown
    assert stream.getvalue().rfind("\x1b[?25h") > stream.getvalue().rfind("\x1b[?25l"), "the cursor is left hidden"


def test_the_live_line_tells_place_speed_loss_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    live = Live(stream)
    live.node_started("Trainer", 7, 12, None)
    live.node_progress("Trainer", TRAINING)
    live.message("")  # redraws the line
    live.close()
    assert "[8/12] Trainer  0 s  step 300/1000, 50.0 steps/s, loss 0.1235  14 s left" in stream.getvalue()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ""),
        ({"rows": 12000}, "12,000 rows"),
        ({"rows": 12000, "rows_total": 60000}, "12,000/60,000 rows"),
        ({"step": 1, "steps_total": 9, "steps_per_second": 0.0, "loss": 2.0}, "step 1/9, loss 2"),
    ],
)
def test_progress_in_words(fields: dict[str, float], words: str) -> None:
    assert describe(fields) == words


def test_time_left_is_by_steps_else_by_the_last_time() -> None:
    assert seconds_left(TRAINING, seconds=5.0, expected=100.0) == 14.0
    assert seconds_left({}, seconds=5.0, expected=100.0) == 95.0
    assert seconds_left({}, seconds=5.0, expected=None) is None
    assert seconds_left({}, seconds=5.0, expected=4.0) is None
    assert seconds_left(TRAINING | {"step": 1000}, seconds=20.0, expected=22.0) == 2.0

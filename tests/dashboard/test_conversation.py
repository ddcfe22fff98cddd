"""A conversation on a model's page, through the browser: what was said stays there, and is shown as it was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components import manifest
from dashboard.store import Store
from dashboard.try_it import Asked, Refused, Trial, chosen_fields
from data.replies import Reply
from tests.dashboard import stores
from tests.dashboard.conftest import ANSWERED_MS, shoot, until
from trainer.backend import load_tensorflow
from trainer.task import load

TASK = "dialogue_system"
TIMER = Reply("timer", "Set for {minutes} minutes.", {"minutes": "How <b>long</b>?"}, "Sorry?")


@pytest.fixture
def talking(tmp_path: Path) -> Path:
    """A workspace with a model that knows one intent: what holds "timer"."""
    tf = load_tensorflow()

    class Timer(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
        def raw(self, text: Any) -> dict[str, Any]:
            known = tf.strings.regex_full_match(text, ".*timer.*")
            unknown = Reply("", "", {}, TIMER.unknown).to_json()
            return {
                "label": tf.where(known, "timer", "unknown"),
                "slots": tf.fill(tf.shape(text), "[]"),
                "reply": tf.where(known, TIMER.to_json(), unknown),
            }

    timer = Timer()
    model = tmp_path / TASK / "serving" / "1"
    tf.saved_model.save(timer, str(model), signatures={"raw": timer.raw})
    manifest.write(model, {"task": TASK, "hparams": {}})
    (tmp_path / TASK / "runs").mkdir()
    return tmp_path


def test_a_conversation_is_held(talking: Path, own_site: str, visit: Callable[..., Any]) -> None:
    page = visit(f"{own_site}/models/{TASK}")

    def lines() -> list[str]:
        return page.locator(".conversation p").all_inner_texts()  # type: ignore[no-any-return]

    assert f"benison chat {TASK}" in page.inner_text("#commands")
    page.fill("#chat-line", "a timer please")
    page.click("#chat-say")
    page.wait_for_selector(".conversation .answered", timeout=ANSWERED_MS)
    assert lines() == ["a timer please", TIMER.questions["minutes"]]
    page.fill("#chat-line", stores.HOSTILE)
    page.press("#chat-line", "Enter")
    until(page, lambda: len(lines()) == 4)
    assert lines()[2:] == [stores.HOSTILE, f"Set for {stores.HOSTILE} minutes."]
    assert page.locator(".conversation b").count() == 0 and page.input_value("#chat-line") == ""
    shoot(page, "conversation")
    page.fill("#chat-line", "x" * 301)
    page.click("#chat-say")
    until(page, lambda: "301 characters" in page.inner_text(".conversation .bad"))
    page.click("#chat-reset")
    until(page, lambda: lines() == [])
    page.fill("#chat-line", "seven")
    page.click("#chat-say")
    until(page, lambda: lines() == ["seven", "Sorry?"])


def test_turns_come_back_from_the_page_and_are_checked(talking: Path) -> None:
    trial = Trial()
    try:
        asked, store = Asked(TASK, {}, {}), Store(talking)
        first = trial.converse(store, asked, "timer", [])
        assert trial.converse(store, asked, "5", [first])["answered"] == "Set for 5 minutes."
        with pytest.raises(Refused, match="cannot be gone on with"):
            trial.converse(store, asked, "5", [{**first, "state": {"slots": 7}}])
        with pytest.raises(Refused, match="longer than"):
            trial.converse(store, asked, "x" * (Trial.MAX_TEXT + 1), [])
        assert trial.converse(store, asked, "5", [first])["answered"] == "Set for 5 minutes."
    finally:
        trial.close()
    with pytest.raises(Refused, match="no pushed model"):
        trial.converse(store, Asked("gan", {}, {}), "a", [])
    assert chosen_fields(load(TASK)) == {}

"""Whether bars add up, as music21 finds."""

from __future__ import annotations

import pytest

from trainer.metrics.tunes import bars_that_add_up

HEAD = "X:1\nM:3/4\nL:1/8\nK:D\n"


@pytest.mark.parametrize(
    ("music", "right"),
    [
        ("A2|d2e2f2|(3ABc d4|e4|]", [True, True, True, True]),  # upbeat and last bar may be short
        ("d2e2f2|d2e2|f6|]", [True, False, True]),
        ("d2e2f2|d2e2f2g2|f6|]", [True, False, True]),
        ("d8|f6|]", [False, True]),
        ("d2e2f2|\nM:2/4\nd2e2|d2e2f2|f2|]", [True, True, False, True]),
        ("", []),
    ],
)
def test_bars_are_held_against_the_metre(music: str, right: list[bool]) -> None:
    assert bars_that_add_up(HEAD + music) == right

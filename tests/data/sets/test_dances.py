"""Which dances are played, and how."""

from __future__ import annotations

import random
from pathlib import Path

from data.sets.dances import ACCENT, INSTRUMENTS, KINDS, MOST, SECONDS, VELOCITY, chosen, performance
from data.sets.fiddle_tunes import Found


def tune(number: int, kind: str) -> Found:
    rng = random.Random(number)
    bars = (" ".join(rng.choice("CDEFGABc") for _ in range(8)) for _ in range(16))
    return Found(f"a/{number}", "", f"maj M:4/4 {' | '.join(bars)} |", "G", kind)


def test_kinds_are_named_alike_and_no_side_has_too_many() -> None:
    kinds = ["double jig", "jig", "reel", "waltz"]
    found = chosen([tune(number, kinds[number % 4]) for number in range(1200)])
    assert {kind for _, kind in found} == {"jig", "reel"} <= set(KINDS)
    for (split, _), those in found.items():
        assert 0 < len(those) <= MOST[split]
    names = {
        split: {one.name for (side, _), those in found.items() if side == split for one in those} for split in MOST
    }
    assert not names["train"] & names["eval"]


def test_a_tune_is_played_alike_each_time_by_an_instrument_of_its_side() -> None:
    one = tune(1, "reel")
    for split in ("train", "eval"):
        played = performance(one, split, Path("a.flac"))
        assert played == performance(one, split, Path("a.flac"))
        assert played.program in INSTRUMENTS[split]
        assert [note[3] for note in played.notes[:9]] == [ACCENT, *[VELOCITY] * 7, ACCENT]
        assert max(note[0] for note in played.notes) < SECONDS
    assert not set(INSTRUMENTS["train"]) & set(INSTRUMENTS["eval"])

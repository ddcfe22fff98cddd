"""Which tunes are the same tune."""

from __future__ import annotations

import random

from data.sets.fiddle_tunes import Found, families, sides_of


def tune(name: str, seed: int, change: int = 0) -> Found:
    rng = random.Random(seed)
    notes = [rng.choice("CDEFGAB") for _ in range(80)]
    notes[:change] = [rng.choice("cdefgab") for _ in range(change)]
    return Found(name, "", "maj M:4/4 " + " ".join(notes), "C", "reel")


def test_settings_of_a_tune_are_one_family_and_on_one_side() -> None:
    found = [tune("a", 1), tune("b", 2), tune("c", 1, change=30), tune("d", 3)]
    assert families(found) == [0, 1, 0, 3]
    many = [tune(str(n), n // 2, change=20 * (n % 2)) for n in range(60)]
    sides = sides_of(many)
    assert all(one == other for one, other in zip(sides[::2], sides[1::2], strict=True))
    assert set(sides) == {"train", "eval"}

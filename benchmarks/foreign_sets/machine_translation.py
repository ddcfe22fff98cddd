"""Numbers as German words; and a made-up language that puts the verb last, marks objects and is written in Greek."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ONES = ["null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"]
TENS = ["", "", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]
TEENS = {6: "sech", 7: "sieb"}
NOUNS = [
    *("girl", "boy", "dog", "cat", "horse", "bird", "king", "queen"),
    *("baker", "sailor", "teacher", "child", "farmer", "doctor", "wolf", "bear"),
]
VERBS = ["sees", "hears", "loves", "follows", "finds", "calls", "helps", "carries", "fears", "greets"]
ADJECTIVES = ["old", "young", "small", "tall", "brave", "tired", "happy", "quiet", "green", "clever"]


def numerals(folder: Path, examples: int = 4000) -> None:
    """123456 -> hundertdreiundzwanzig tausend vierhundertsechsundfünfzig."""
    rng = np.random.default_rng(9)
    found = sorted({int(10 ** rng.uniform(0, 6)) for _ in range(2 * examples)})
    chosen = rng.permutation(found)[:examples].tolist()
    _write(folder, [(" ".join(str(number)), in_german(number)) for number in chosen])


def verb_last(folder: Path, examples: int = 4000) -> None:
    """the old girl sees a dog -> its words in Greek letters, the object before the verb and with an ending."""
    rng = np.random.default_rng(10)
    pairs = {_sentence(rng) for _ in range(examples)}
    _write(folder, sorted(pairs))


def in_german(number: int) -> str:
    """A number from 1 to 999,999 in words."""
    thousands, rest = divmod(number, 1000)
    words = [_below_a_thousand(thousands) + " tausend"] if thousands else []
    return " ".join(words + ([_below_a_thousand(rest)] if rest else []))


def _below_a_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    head = f"{ONES[hundreds]}hundert" if hundreds > 1 else "hundert" * hundreds
    tens, ones = divmod(rest, 10)
    if rest <= 12:
        return head + (ONES[rest] if rest else "")
    if rest < 20:
        return head + TEENS.get(ones, ONES[ones]) + "zehn"
    return head + (f"{ONES[ones]}und" if ones else "") + TENS[tens]


def _sentence(rng: np.random.Generator) -> tuple[str, str]:
    subject, thing = (_phrase(rng) for _ in range(2))
    verb = VERBS[rng.integers(len(VERBS))]
    foreign = [*map(_greek, reversed(subject)), *(_greek(word) + "ον" for word in reversed(thing)), _greek(verb)]
    return " ".join(["the", *subject, verb, "the", *thing]), " ".join(foreign)


def _phrase(rng: np.random.Generator) -> list[str]:
    adjectives = rng.choice(ADJECTIVES, size=rng.integers(3), replace=False).tolist()
    return [*adjectives, NOUNS[rng.integers(len(NOUNS))]]


def _greek(word: str) -> str:
    return word[::-1].translate(str.maketrans("abcdefghijklmnopqrstuvwxyz", "αβκδεφγχιζκλμνοπθρστυφωξψζ"))


def _write(folder: Path, pairs: Sequence[tuple[str, str]]) -> None:
    """One table, unsplit."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "pairs.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("source", "target"))
        writer.writerows(pairs)


SETS = {"numerals": numerals, "verb_last": verb_last}

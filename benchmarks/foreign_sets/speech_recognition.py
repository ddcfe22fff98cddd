"""Other languages by synthetic voices: Spanish numbers, and longer, faster Russian phrases.

Both are unsplit, with the voice of each sound, so that whole voices are held out. eSpeak NG comes in the package that
the default set takes it from.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

from benchmarks.foreign_sets._speech import VARIANTS, spoken

PHRASES = 130
"""Of each voice."""

SPANISH = (
    *("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"),
    *("veinte", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa", "cien", "mil"),
)
RUSSIAN = (
    *("дом", "вода", "хлеб", "рука", "город", "зима", "лето", "весна", "река", "небо", "окно", "дверь", "книга"),
    *("слово", "друг", "брат", "сестра", "мама", "утро", "вечер", "ночь", "день", "снег", "ветер", "море", "лес"),
    *("красный", "синий", "белый", "новый", "старый", "большой"),
)


def spanish(folder: Path) -> None:
    """Numbers of one to three words."""
    _write(folder, "es", SPANISH, 3, (0.9, 1.2), random.Random(13))


def russian(folder: Path) -> None:
    """Two to five words in any order, up to half as fast again."""
    _write(folder, "ru", RUSSIAN, 5, (1.0, 1.5), random.Random(14))


def _write(
    folder: Path, language: str, words: Sequence[str], longest: int, speeds: tuple[float, float], rng: random.Random
) -> None:
    """Sounds beside `metadata.jsonl`: file_name, text, voice."""
    from data.sets._voices import Utterance

    folder.mkdir(parents=True, exist_ok=True)
    utterances, rows = [], []
    for variant in VARIANTS:
        for number in range(PHRASES):
            text = " ".join(rng.choices(words, k=rng.randint(longest // 2, longest)))
            name = f"{variant}-{number:03}.wav"
            speed, pitch = round(rng.uniform(*speeds), 2), round(rng.uniform(0.8, 1.25), 2)
            utterances.append(Utterance(text, f"{language}+{variant}", str(folder / name), speed, pitch))
            rows.append({"file_name": name, "text": text, "voice": variant})
    spoken(utterances)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")


SETS = {"russian": russian, "spanish": spanish}

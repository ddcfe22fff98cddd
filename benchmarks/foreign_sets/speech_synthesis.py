"""A real person in another language; another synthetic voice in another script, in LJ Speech's form.

`spanish` is the person who reads the names of Tux Paint's stamps, in recordings that differ in loudness and room: each
sentence once. `russian` is one of eSpeak NG's voices at 22,050 Hz, faster, with numbers in figures.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.foreign_sets._speech import spoken
from benchmarks.foreign_sets.speech_recognition import RUSSIAN
from data.sets.things import DATA_SET, STAMPS
from data.sources.archives import unpack
from data.sources.fetch import fetch_to_cache

CLIPS = "_desc_es.ogg"
SENTENCES = 900


def spanish(folder: Path) -> None:
    """The clips beside `metadata.jsonl`: file_name, text."""
    folder.mkdir(parents=True, exist_ok=True)
    source = DATA_SET.sources[0][0]
    rows: dict[str, str] = {}
    with TemporaryDirectory() as scratch:
        archive = fetch_to_cache(source, Path(scratch), print)
        patterns = [f"{STAMPS}*{end}" for end in (CLIPS, ".txt")]
        files = unpack(archive, Path(scratch) / "out", *patterns, skip_links=True)
        for clip in sorted(file for file in files if file.name.endswith(CLIPS)):
            table = clip.with_name(clip.name.replace(CLIPS, ".txt"))
            text = _spanish_of(table) if table.is_file() else ""
            if text and text not in rows:
                name = f"{len(rows):04}.ogg"
                rows[text] = name
                (folder / name).write_bytes(clip.read_bytes())
    lines = (json.dumps({"file_name": name, "text": text}, ensure_ascii=False) + "\n" for text, name in rows.items())
    (folder / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")


def _spanish_of(table: Path) -> str:
    """Of a stamp's description, a line a language."""
    lines = table.read_text("utf-8", errors="replace").splitlines()
    return next((line.removeprefix("es.utf8=").strip() for line in lines if line.startswith("es.utf8=")), "")


def russian(folder: Path) -> None:
    """`metadata.csv` with bars and `wavs/`: three to six words in any order, and a number in figures among them."""
    from data.sets._voices import Utterance

    (folder / "wavs").mkdir(parents=True, exist_ok=True)
    rng, utterances, lines = random.Random(16), [], []
    for number in range(SENTENCES):
        words = [*rng.choices(RUSSIAN, k=rng.randint(2, 5)), str(rng.randint(2, 99))]
        rng.shuffle(words)
        text, name = " ".join(words), f"RU-{number:04}"
        utterances.append(Utterance(text, "ru+f3", str(folder / "wavs" / f"{name}.wav"), speed=1.1))
        lines.append(f"{name}|{text}\n")
    spoken(utterances)
    (folder / "metadata.csv").write_text("".join(lines), encoding="utf-8")


SETS = {"russian": russian, "spanish": spanish}

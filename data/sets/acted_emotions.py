"""Sentences in five moods by synthetic voices, of which some are held out. **Synthetic, and acted by rule.**

No person spoke, and nobody felt anything: eSpeak NG's voices say sentences that mean nothing in particular, and a rule
sets how (`RULES`): how high and how lively the pitch is, how fast and how loud they speak, and how rough, trembling or
breathy. The rule follows what listeners and measurements agree on for actors (Banse & Scherer 1996; Juslin & Laukka
2003), each time with another strength and with chance in each of its parts, so that moods overlap. What is right here
says how well the rule is found again in voices that training never heard, and nothing of people: for them take
RAVDESS, EmoDB or recordings of your own.

`train/` holds 22 voices, `eval/` six others; no sentence is in both.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from data.sets.spoken_phrases import ESPEAK, ESPEAK_FILES
from data.sources.catalogue import DataSet, Source

if TYPE_CHECKING:
    from data.sets._voices import Said

DATA_SET = DataSet(
    name="acted_emotions",
    title="Sentences in five moods, acted by rule by synthetic voices, some of them held out",
    licence="free (what GPL-3's eSpeak NG has spoken)",
    credit="eSpeak NG by Jonathan Duddington, Reece Dunn and others",
    sources=((ESPEAK,),),
)


@dataclass(frozen=True)
class Rule:
    """How a mood is spoken, times what is usual of the voice; `quality` are lines of eSpeak NG's voice files."""

    pitch: float
    pitch_range: float
    speed: float
    volume: float
    quality: tuple[str, ...] = ()


RULES = {
    "angry": Rule(1.15, 1.5, 1.15, 1.0, ("roughness 5",)),
    "fearful": Rule(1.35, 0.7, 1.3, 0.45, ("flutter 25",)),
    "happy": Rule(1.3, 1.8, 1.08, 0.75),
    "neutral": Rule(1.0, 1.0, 1.0, 0.6),
    "sad": Rule(0.85, 0.5, 0.75, 0.35, ("voicing 80", "breath 8 10 10 8 6")),
}
STRENGTH = 0.6, 1.3
"""From and to: the power to which a rule's factors are raised."""
CHANCE = 0.08
"""Standard deviation of the logarithm of each factor's own chance."""

VOICES = {
    "train": (
        *("en-us+m1", "en-us+m2", "en+m3", "en+m6", "en-us+m7", "en+m8", "en-us+f1", "en+f2", "en-us+f4", "en+f5"),
        *("en-us+Alex", "en+Alicia", "en-us+Andy", "en+Annie", "en-us+Gene", "en+Hugo", "en-us+Jacky", "en+Lee"),
        *("en-us+Michael", "en+belinda", "en-us+david", "en+steph"),
    ),
    "eval": ("en-us+f3", "en+m4", "en-us+Andrea", "en+edward", "en-us+linda", "en+zac"),
}
TIMES = {"train": 16, "eval": 14}
"""Split -> sentences of each voice in each mood."""

WHO = (
    "The children",
    "Our neighbours",
    "My brothers",
    "The doctors",
    "Those two",
    "They all",
    "The others",
    "You both",
)
DO = (
    "will come back",
    "are waiting",
    "left the keys",
    "saw the letter",
    "must be told",
    "have the tickets",
    "went home",
)
WHEN = ("on Monday", "at seven o'clock", "after the meeting", "by the window", "in the kitchen", "before the rain")


def sentences(split: str) -> list[str]:
    """Those of a split: every fourth is for `eval/`."""
    every = [f"{who} {do} {when}." for who in WHO for do in DO for when in WHEN]
    return [text for place, text in enumerate(every) if (place * 7 % 24 % 4 == 0) == (split == "eval")]


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/metadata.jsonl` (file_name, label, voice) and the sounds beside it, FLAC."""
    from data.sets._voices import lay_out
    from data.sources.archives import unpack

    with TemporaryDirectory(dir=target.parent) as scratch:
        unpack(archives[0], Path(scratch), *ESPEAK_FILES)
        _write_qualities(Path(scratch))
        lay_out({split: _said(split, target / split) for split in VOICES}, target, Path(scratch))


def _write_qualities(libraries: Path) -> None:
    """Beside each variant of eSpeak NG's, one for each mood: the same with the lines of its `quality`."""
    variants = {voice.partition("+")[2] for voices in VOICES.values() for voice in voices}
    for folder in libraries.rglob("voices/!v"):
        for variant in sorted(variants):
            own = (folder / variant).read_text(encoding="utf-8").rstrip()
            for mood, rule in RULES.items():
                lines = [own, *rule.quality]
                (folder / f"{variant}-{mood}").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _said(split: str, folder: Path) -> Iterator[Said]:
    from data.sets._voices import Utterance

    for voice in VOICES[split]:
        rng = random.Random(f"{split} {voice}")
        for mood, rule in RULES.items():
            for number, text in enumerate(rng.sample(sentences(split), TIMES[split])):
                strength = rng.uniform(*STRENGTH)
                factors = (rule.pitch, rule.pitch_range, rule.speed, rule.volume)
                pitch, pitch_range, speed, volume = (
                    round(one**strength * rng.lognormvariate(0.0, CHANCE), 3) for one in factors
                )
                path = str(folder / f"{voice}-{mood}-{number:02}.flac")
                row = {"file_name": Path(path).name, "label": mood, "voice": voice}
                yield row, Utterance(text, f"{voice}-{mood}", path, speed, pitch, pitch_range, volume)

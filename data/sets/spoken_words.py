"""Single words: 34 to be spotted and 44 others, by synthetic voices of which some are held out, and by a person.

**Most of it is synthetic.** Digits, numbers and commands, and other words that are all of the class `_unknown_`, are
spoken by eSpeak NG's and Flite's voices, each time at another speed and pitch. `train/` holds 39 voices. `eval/` holds
seven others, never heard in training: six of eSpeak NG's and `flite-rms`, which is modelled on a person. Half of the
words of `_unknown_` are said in `train/` and the other half in `eval/`: words that no training heard.

`human` is a real person: 56 recordings of single words for telephone menus, 8 kHz, labelled by their file names, all of
them in `eval/`. What is right of these says more of real speakers than all the others.

The synthesisers and the recordings are those of `spoken_phrases`; where Flite (from Debian 12 on x86-64) or the
recordings cannot be had, the set is laid out without those voices.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from data.sets._people import DIGITS, TEENS, words_of
from data.sets.spoken_phrases import (
    ALLISON,
    ALPHABET,
    ASTERISK,
    COMMANDS,
    ESPEAK,
    FLITE,
    READ_AS,
    TENS,
    UNITS,
    UNPACKED,
    VOICES,
)
from data.sources.catalogue import DataSet, Source

if TYPE_CHECKING:
    from data.sets._voices import Said, Utterance

DATA_SET = DataSet(
    name="spoken_words",
    title="Single words by synthetic voices, some of them held out; by a person (eval only)",
    licence="CC-BY-SA-3.0 (the person's recordings); free (what GPL-3's eSpeak NG and BSD-like Flite have spoken)",
    credit="voice of Allison Smith, recorded for Asterisk; eSpeak NG by Jonathan Duddington, Reece Dunn and others; "
    "Flite by Alan W Black and Kevin Lenzo, Carnegie Mellon University",
    sources=(VOICES, (ESPEAK, ASTERISK), (ESPEAK,)),
)

UNKNOWN = "_unknown_"
KEYWORDS = (*DIGITS, *UNITS, *COMMANDS)
OTHERS = {"train": (*TEENS, *TENS, *ALPHABET)[::2], "eval": (*TEENS, *TENS, *ALPHABET)[1::2]}
"""Split -> words of the class UNKNOWN."""
HUMAN = replace(
    ALLISON, words={path: word for path, word in ALLISON.words.items() if word in (*KEYWORDS, *OTHERS["eval"])}
)

_ACCENTS = ("en-us", "en", "en-us-nyc", "en-gb-scotland", "en-gb-x-rp", "en-029", "en-gb-x-gbclan")
_VARIANTS = (
    *("m1", "m2", "m3", "m6", "m7", "m8", "f1", "f2", "f4", "f5", "Alex", "Alicia", "Andy", "Annie", "Denis", "Gene"),
    *("Hugo", "Jacky", "Lee", "Marco", "Michael", "Mike", "adam", "anika", "aunty", "belinda", "benjamin", "boris"),
    *("david", "grandma", "john", "max", "paul", "robert", "steph", "travis"),
)
ESPEAK_TRAIN = tuple(f"{_ACCENTS[place % len(_ACCENTS)]}+{variant}" for place, variant in enumerate(_VARIANTS))
FLITE_TRAIN = ("flite-awb", "flite-kal16", "flite-slt")
ESPEAK_EVAL = ("en-us+f3", "en+m4", "en-gb-scotland+Andrea", "en-us-nyc+edward", "en-gb-x-gbcwmd+linda", "en-us+zac")
FLITE_EVAL = ("flite-rms",)

TIMES = {
    "train": dict.fromkeys(ESPEAK_TRAIN, (2, 1)) | dict.fromkeys(FLITE_TRAIN, (8, 4)),
    "eval": dict.fromkeys((*ESPEAK_EVAL, *FLITE_EVAL), (1, 1)),
}
"""Split -> voice -> how often it says each keyword, and each other word."""


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/metadata.jsonl` (file_name, label, voice) and the sounds beside it, FLAC or WAV."""
    from data.sets._voices import lay_out
    from data.sources.archives import unpack

    with TemporaryDirectory(dir=target.parent) as scratch:
        for archive, source in zip(archives, sources, strict=True):
            unpack(archive, Path(scratch), *UNPACKED[source])
        splits = {split: _said(split, target / split, Path(scratch), sources) for split in TIMES}
        lay_out(splits, target, Path(scratch))


def _said(split: str, folder: Path, scratch: Path, sources: Sequence[Source]) -> Iterator[Said]:
    for word, utterance in _utterances(split, folder, with_flite=FLITE in sources):
        yield _row(word, utterance.voice, utterance.path), utterance
    if split == "eval" and HUMAN.source in sources:
        for name, word in words_of(HUMAN, scratch, folder):
            yield _row(word, HUMAN.voice, name), None


def _utterances(split: str, folder: Path, with_flite: bool) -> Iterator[tuple[str, Utterance]]:
    """The word of each utterance of a split, and how it is said."""
    from data.sets._voices import Utterance

    for voice, (keyword_times, other_times) in TIMES[split].items():
        if voice.startswith("flite-") and not with_flite:
            continue
        rng = random.Random(f"{split} {voice}")  # a voice says the same whatever others there are
        for number, word in enumerate((*KEYWORDS * keyword_times, *OTHERS[split] * other_times)):
            yield (
                word,
                Utterance(
                    text=READ_AS.get(word, word),
                    voice=voice,
                    path=str(folder / f"{voice}-{number:03}.flac"),
                    speed=round(rng.uniform(0.75, 1.3), 2),
                    pitch=round(rng.uniform(0.75, 1.3), 2),
                ),
            )


def _row(word: str, voice: str, path: str) -> dict[str, str]:
    return {"file_name": Path(path).name, "label": word if word in KEYWORDS else UNKNOWN, "voice": voice}

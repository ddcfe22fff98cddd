"""Single words that people recorded for programs: a clock, two games, a teacher of letters; and phrases made of them.

Nothing is transcribed in the packages: what is said follows from the names of the files.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.sources.fetch import Source

if TYPE_CHECKING:
    import numpy as np

SAYTIME = Source(
    client="debian",
    package="saytime",
    version="1.0-35+b1",
    filename="saytime_1.0-35+b1_amd64.deb",
    sha256="189e502f34ab7e2a9ececc45d781273760cfe11f3719f4176a9f6d472228856a",
    size_bytes=148_804,
    holds="37 words by a person",
)
SCID = Source(
    client="debian",
    package="scid-data",
    version="1:4.7.4+dfsg1-2",
    filename="scid-data_1%3a4.7.4+dfsg1-2_all.deb",
    sha256="8310db911ec7b3f501fac1a696b58dcb93e53d0544a4529af6f1d95f08f926ec",
    size_bytes=8_205_832,
    holds="22 words by a person",
)
KLETTRES = Source(
    client="debian",
    package="klettres-data",
    version="4:22.12.3-1",
    filename="klettres-data_4%3a22.12.3-1_all.deb",
    sha256="1186d257a19e84230856baea0b0b1ded8be9195080fcdb2588970b5cd937f5a8",
    size_bytes=39_529_084,
    holds="91 letters and words by two people",
)
KTUBERLING = Source(
    client="debian",
    package="ktuberling-data",
    version="4:22.12.3-1",
    filename="ktuberling-data_4%3a22.12.3-1_all.deb",
    sha256="fba44c875bfa31ea488dadd9263e87a4dcaea0bd47d28817f6c0dc6d2af970ed",
    size_bytes=46_661_752,
    holds="66 words by a person",
)


@dataclass(frozen=True)
class Person:
    """One voice, and where its words lie.

    Attributes:
      words: path below `folder` -> what is said in it.
    """

    voice: str
    source: Source
    folder: str
    words: Mapping[str, str]

    @property
    def patterns(self) -> tuple[str, ...]:
        """What is wanted of the archive."""
        return tuple(f"{self.folder}/{path}" for path in self.words)


DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")
_CLOCK = {
    **{f"{ten}.au": name for ten, name in ((20, "twenty"), (30, "thirty"), (40, "forty"), (50, "fifty"))},
    **{f"{name}.au": name for name in ("and", "exactly", "hour", "hours", "minute", "minutes", "oh", "second")},
    "seconds.au": "seconds",
    "oclock.au": "o'clock",
    "am.au": "a m",
    "pm.au": "p m",
    "the_time_is.au": "the time is",
}
_SYLLABLES = (
    "car",
    "dog",
    "fix",
    "gas",
    "gem",
    "hot",
    "jet",
    "key",
    "me",
    "my",
    "no",
    "pet",
    "saw",
    "say",
    "sit",
    "sky",
)
_TUBER = (
    *("ball", "bow", "coat", "ear", "earring", "eye", "eyebrow", "flower", "hair", "hat", "moustache", "mouth", "nose"),
    *("shoe", "shorts", "skirt", "spectacles", "stick", "sunglasses", "tie", "umbrella"),
    *("egypt_arch", "egypt_birds", "egypt_boy", "egypt_bridge", "egypt_camel", "egypt_cart", "egypt_column"),
    *("egypt_donkey", "egypt_girl", "egypt_grass", "egypt_man", "egypt_oasis", "egypt_pyramid", "egypt_road"),
    *("egypt_well", "egypt_woman", "moon_alien", "moon_astronaut", "moon_earth", "moon_hotel", "moon_monster"),
    *("moon_planet", "moon_radar", "moon_rocket", "moon_satellite", "moon_sign", "moon_star", "pizzeria_anchovy"),
    *("pizzeria_bacon", "pizzeria_cheese", "pizzeria_cucumber", "pizzeria_mushroom", "pizzeria_olive"),
    *("pizzeria_onion", "pizzeria_oregano", "pizzeria_pepper", "pizzeria_pepperoni", "pizzeria_pineapple"),
    *("pizzeria_salami", "pizzeria_tomato", "tv_bicycle", "tv_car", "tv_cyclist", "tv_train", "tv_tree"),
)
"""Files that are named by one word; those of two words may be said with an article or as one."""

DAWSON = Person(
    "human-dawson",
    SAYTIME,
    "usr/share/saytime",
    {**{f"{number}.au": name for number, name in enumerate((*DIGITS, *TEENS))}, **_CLOCK},
)
CHESS = Person(
    "human-chess",
    SCID,
    "usr/share/scid/sounds",
    {
        **{f"{number}.wav": DIGITS[number] for number in range(1, 9)},
        **{f"{letter}.wav": letter for letter in "abcdefgh"},
        **{f"{name}.wav": name.lower() for name in ("Bishop", "King", "Knight", "Mate", "Queen", "Rook")},
    },
)
LETTERS_US = Person(
    "human-letters-us",
    KLETTRES,
    "usr/share/klettres/en",
    {
        **{f"alpha/{letter.upper()}.ogg": letter for letter in LETTERS},
        **{f"syllab/{word}.ogg": word for word in _SYLLABLES},
    },
)
LETTERS_GB = Person(
    "human-letters-gb",
    KLETTRES,
    "usr/share/klettres/en_GB",
    {
        **{f"alpha/{letter}.ogg": letter for letter in LETTERS},
        **{f"syllab/{word}.ogg": word for word in (*_SYLLABLES, "arm", "ball", "ear", "hut", "or", "the", "well")},
    },
)
THINGS = Person(
    "human-things",
    KTUBERLING,
    "usr/share/ktuberling/sounds/en",
    {f"{name}.ogg": name.rpartition("_")[2] for name in _TUBER},
)

FRAME_SECONDS = 0.01
QUIET = 0.05
"""Times the loudest frame: what is below, before and after a word, is cut off."""
MARGIN_SECONDS = 0.05
"""Kept of that on either side."""
PAUSE_SECONDS = 0.0, 0.25
"""From and to, between two words."""
RATES = 0.87, 1.15
"""From and to: times which a phrase is played faster, and higher (Ko et al. 2015)."""


def words_of(person: Person, unpacked: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Copies or writes each recording into `folder`: the name of the file and what is said in it."""
    import soundfile

    for path, text in person.words.items():
        source = unpacked / person.folder / path
        stem = f"{person.voice}-{path.rpartition('.')[0].replace('/', '-')}"
        if source.suffix == ".au":  # of no header
            samples, rate = read(source)
            soundfile.write(folder / f"{stem}.flac", samples, rate, "PCM_16")
            yield f"{stem}.flac", text
        else:
            shutil.copyfile(source, folder / f"{stem}{source.suffix}")
            yield f"{stem}{source.suffix}", text


def phrases_of(
    person: Person, unpacked: Path, folder: Path, said: Iterator[tuple[str, ...]], rng: random.Random
) -> Iterator[tuple[str, str]]:
    """Writes phrases of the person's own words, cut out and put one after another, each time at another rate: the name
    of the file and what is said in it.

    Args:
      said: the paths of the words of each phrase.
    """
    import numpy as np
    import soundfile

    cut = {path: _cut_out(*read(unpacked / person.folder / path)) for path in person.words}
    rate = read(unpacked / person.folder / next(iter(person.words)))[1]
    for number, paths in enumerate(said):
        parts = []
        for path in paths:
            parts += [cut[path], np.zeros(round(rng.uniform(*PAUSE_SECONDS) * rate), np.float32)]
        name = f"{person.voice}-phrase-{number:03}.flac"
        played = 25 * round(rate * rng.uniform(*RATES) / 25)
        soundfile.write(folder / name, np.concatenate(parts[:-1]), played, "PCM_16")
        yield name, " ".join(person.words[path] for path in paths)


def read(path: Path) -> tuple[np.ndarray[Any, Any], int]:
    """float32 `[samples]` and their rate; `.au` files are bare bytes by the mu-law at 8 kHz."""
    import soundfile

    raw = {"samplerate": 8000, "channels": 1, "format": "RAW", "subtype": "ULAW"} if path.suffix == ".au" else {}
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True, **raw)
    return samples.mean(axis=1), rate


def _cut_out(samples: np.ndarray[Any, Any], rate: int) -> np.ndarray[Any, Any]:
    """Without the quiet before and after."""
    import numpy as np

    frame, margin = round(FRAME_SECONDS * rate), round(MARGIN_SECONDS * rate)
    whole = samples[: len(samples) // frame * frame].reshape(-1, frame)
    power = (whole**2).mean(axis=1)
    (loud,) = np.nonzero(power > QUIET**2 * power.max())
    return samples[max(loud[0] * frame - margin, 0) : (loud[-1] + 1) * frame + margin]

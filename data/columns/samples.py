"""What made-up records are about, so that all columns of one record tell of the same thing and a task can be learnt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

WORDS = ("left", "middle", "right", "upper", "lower")
CLASSES = WORDS[:3]
LETTERS = "CEGBd"
"""A note for each word."""
WIDTH, HEIGHT = 32, 24
FRAMES, FRAME_RATE = 8, 10
RATE = 8000
WORD_SECONDS = 0.5
FIRST_HOUR = datetime(2026, 1, 1)


@dataclass(frozen=True)
class Media:
    """A made-up file."""

    suffix: str
    content: bytes


@dataclass(frozen=True)
class Subject:
    """What one record is about; all of its columns tell of it.

    `kind` is its class, the first of its `words`; `hour` orders the records; `boxes` are x, y, width, height and class
    in a picture of WIDTH x HEIGHT; `position` is the column's among all, so that two of a kind differ.
    """

    hour: int
    kind: int
    words: tuple[int, ...]
    boxes: tuple[tuple[int, int, int, int, int], ...]
    position: int = 0

    @property
    def text(self) -> str:
        """Its words; in every second column each is spelt backwards, as in another language."""
        return self.text_at(self.position)

    def text_at(self, position: int) -> str:
        words = [WORDS[word] for word in self.words]
        return " ".join(words if position % 2 == 0 else [word[::-1] for word in words])


_FAR = 1_000_000
"""Hours by which a partner's subject lies from its own, so that no noise is shared."""


def subject(hour: int, kind: int, rng: np.random.Generator) -> Subject:
    words = (kind, *(int(word) for word in rng.integers(len(WORDS), size=rng.integers(3))))
    return Subject(hour, kind, words, tuple(_boxes(kind, rng)))


def partner(of: Subject) -> Subject:
    """What the record beside it is about: of every second pair of records something of the same kind."""
    import numpy as np

    rng = np.random.default_rng([of.hour, len(CLASSES)])
    kind = of.kind if of.hour // len(CLASSES) % 2 else (of.kind + 1) % len(CLASSES)
    return replace(subject(of.hour + _FAR, kind, rng), position=of.position)


def class_name(classes: tuple[str, ...], kind: int) -> str:
    names = classes or CLASSES
    return names[kind % len(names)]


def share(subject: Subject) -> float:
    """Of a range: a number between 0 and 1 that its kind decides, another in the next column."""
    return (1 + (subject.kind + subject.position) % len(CLASSES)) / (1 + len(CLASSES))


def picture(subject: Subject) -> np.ndarray[Any, Any]:
    """uint8 `[HEIGHT, WIDTH, 3]`: noise, with a rectangle in the colour of its class in each box."""
    import numpy as np

    noise = np.random.default_rng([subject.hour, subject.position])
    pixels = noise.integers(0, 60, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    for x, y, width, height, which in subject.boxes:
        pixels[y : y + height, x : x + width, which] = 230
    return pixels


def outlines(subject: Subject) -> np.ndarray[Any, Any]:
    """uint8 `[HEIGHT, WIDTH]`: what each pixel of `picture` shows, 0 for nothing, else 1 + the class."""
    import numpy as np

    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    for x, y, width, height, which in subject.boxes:
        pixels[y : y + height, x : x + width] = 1 + which
    return pixels


def sound(subject: Subject, min_seconds: float, max_seconds: float) -> np.ndarray[Any, Any]:
    """float `[samples]`: for each word a tone of its own."""
    import numpy as np

    seconds = np.clip(WORD_SECONDS * len(subject.words), min_seconds, max_seconds)
    time = np.arange(int(np.ceil(seconds * RATE))) / RATE
    spoken = np.minimum(time / seconds * len(subject.words), len(subject.words) - 1).astype(int)
    pitch = 300.0 * (1 + np.array(subject.words)[spoken])
    noise = np.random.default_rng(subject.hour).normal(size=len(time))
    return np.asarray(0.5 * np.sin(2 * np.pi * pitch * time) + 0.01 * noise)


def frames(subject: Subject) -> np.ndarray[Any, Any]:
    """uint8 `[FRAMES, HEIGHT, WIDTH, 3]`: over still noise, a square in the colour of its class, which moves to the
    right for the first class, to the left for the second, downwards for others."""
    import numpy as np

    noise = np.random.default_rng([subject.hour, subject.position])
    film = np.repeat(noise.integers(0, 60, (1, HEIGHT, WIDTH, 3), dtype=np.uint8), FRAMES, axis=0)
    aside, side = int(noise.integers(HEIGHT - 8)), 8
    for number, pixels in enumerate(film):
        along = (WIDTH - side) * number // (FRAMES - 1)
        down = (HEIGHT - side) * number // (FRAMES - 1)
        x, y = ((along, aside), (WIDTH - side - along, aside), (aside, down))[min(subject.kind, 2)]
        pixels[y : y + side, x : x + side, subject.kind % 3] = 230
    return film


def tune(subject: Subject) -> str:
    """Tokens as `data.media.midis` reads: for each word a note of its own pitch; in every second column an octave
    higher."""
    octave = 12 * (subject.position % 2)
    length = 20 + subject.hour % 60
    return " ".join(f"on_{60 + 4 * word + octave} wait_{length} off_{60 + 4 * word + octave}" for word in subject.words)


def abc(subject: Subject) -> str:
    """A tune in ABC: for each word a bar of one note, as often as the metre of its class has beats, so that a bar's end
    follows from more than the notes just before it."""
    beats = 4 + subject.kind
    bars = "|".join(LETTERS[word] * beats for word in subject.words * 4)
    return f"X:1\nM:{beats}/4\nL:1/4\nK:C\n{bars}|]\n"


def png(pixels: np.ndarray[Any, Any]) -> Media:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return Media(".png", stream.getvalue())


def gif(film: np.ndarray[Any, Any]) -> Media:
    """An animation of uint8 `[frames, height, width, 3]`."""
    import io

    from PIL import Image

    stream = io.BytesIO()
    first, *others = [Image.fromarray(pixels) for pixels in film]
    first.save(stream, "GIF", save_all=True, append_images=others, duration=1000 // FRAME_RATE, loop=0)
    return Media(".gif", stream.getvalue())


def _boxes(kind: int, rng: np.random.Generator) -> Iterator[tuple[int, int, int, int, int]]:
    """One of each of some classes, beside each other: the record's own, and up to two more."""
    third = WIDTH // 3
    for place, which in enumerate((kind, *rng.choice(len(CLASSES), size=rng.integers(3), replace=False))):
        width, height = (int(side) for side in rng.integers(6, third, size=2))
        x, y = place * third + int(rng.integers(third - width + 1)), int(rng.integers(HEIGHT - height + 1))
        yield x, y, width, height, int(which)

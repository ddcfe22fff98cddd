"""MIDI files to one text of tokens and back: what a language model of tunes reads and writes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from data.errors import BadValue

STEP_SECONDS = 0.01
"""Times are rounded to this."""
MAX_STEPS = 100
"""Longer waits are several tokens."""

T = TypeVar("T")

DRUMS = 9
NO_NOTE = "the MIDI file holds no note"
_TOKEN = re.compile(r"(on|off|wait)_(\d{1,3})")
_HIGHEST = 127


def read(content: bytes, parts: Callable[[Any], Iterator[T]]) -> list[T]:
    """What `parts` finds in a MIDI file, which it gets as a mido.MidiFile.

    Raises:
      BadValue: it is no MIDI file, or is damaged.
    """
    import mido

    try:
        return list(parts(mido.MidiFile(file=io.BytesIO(content))))
    except Exception as error:  # noqa: BLE001 - on damaged bytes mido raises nearly anything, IndexError too
        raise BadValue(f"the MIDI file cannot be read: {error or type(error).__name__}") from None


def tokens(content: bytes, max_tokens: int = 100_000) -> str:
    """The notes of a MIDI file as one text: tokens with a space between them.

    `on_P` and `off_P` begin and end the note of pitch P (0 to 127, 60 is the middle C); `wait_N` lets N steps of 10 ms
    pass, N from 1 to 100. Tempo changes are in the waits; tracks and instruments are laid together, the drums left out;
    a pitch that begins twice ends once between. As Oore et al. (2018), "This Time with Feeling", without velocities.

    Raises:
      BadValue: it is no MIDI file, is damaged, holds no note, or gives more than `max_tokens`.
    """
    found = read(content, _events)
    if not found:
        raise BadValue(NO_NOTE)
    words: list[str] = []
    now = found[0][0]
    for at, word in found:
        words += _waits(at - now)
        words.append(word)
        now = at
        if len(words) > max_tokens:
            raise BadValue(f"more than {max_tokens:,} tokens; cut the tune")
    return " ".join(words)


def midi(text: str) -> bytes:
    """A MIDI file (one track, piano, 120 beats a minute) of tokens as `tokens` writes; words that are none are skipped.

    Notes that never end do so at the end of the text.
    """
    import mido

    # 120 beats a minute with 50 ticks a beat: a tick is a step.
    file = mido.MidiFile(type=0, ticks_per_beat=50)
    track = file.add_track()
    sounding: set[int] = set()
    steps = 0
    for kind, number in ((kind, int(digits)) for kind, digits in _TOKEN.findall(text)):
        if kind == "wait":
            steps += min(number, MAX_STEPS)
        elif number <= _HIGHEST and (kind == "on") != (number in sounding):
            track.append(mido.Message(f"note_{kind}", note=number, velocity=64, time=steps))
            sounding ^= {number}
            steps = 0
    for number in sorted(sounding):
        track.append(mido.Message("note_off", note=number, velocity=64, time=steps))
        steps = 0
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def _events(file: object) -> Iterator[tuple[int, str]]:
    """Steps from the beginning and a token, of each note that begins or ends."""
    sounding: dict[int, int] = {}
    seconds = 0.0
    for message in file:  # type: ignore[attr-defined]
        seconds += message.time
        if message.type not in ("note_on", "note_off") or message.channel == DRUMS:
            continue
        at, pitch = round(seconds / STEP_SECONDS), message.note
        if message.type == "note_on" and message.velocity > 0:
            if pitch in sounding:
                yield at, f"off_{pitch}"
            sounding[pitch] = at
            yield at, f"on_{pitch}"
        elif sounding.pop(pitch, None) is not None:
            yield at, f"off_{pitch}"


def _waits(steps: int) -> list[str]:
    whole, rest = divmod(steps, MAX_STEPS)
    return [f"wait_{MAX_STEPS}"] * whole + [f"wait_{rest}"] * (rest > 0)

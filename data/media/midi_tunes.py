"""MIDI files as melodies of `data.media.tunes`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from data.errors import BadValue
from data.media import midis, tunes
from data.media.midis import DRUMS, NO_NOTE
from data.media.tunes import Bar, Metre, Pitch, Sounding, Tune, Tuplet

GRID = Fraction(1, 16)
"""Of a whole note: times are rounded to this, but for three equal notes in a quarter."""
BEAT = Fraction(1, 4)

# Krumhansl and Kessler (1982), from the keynote on by semitones.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)

_STEPS = {"maj": (0, 0, 1, 2, 2, 3, 3, 4, 4, 5, 6, 6), "min": (0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6)}
"""By the semitones above the keynote, of which of the seven letters a note is spelt."""


class Note(NamedTuple):
    """Times in whole notes from the beginning; `pitch` as MIDI has it, 60 for middle C."""

    start: Fraction
    end: Fraction
    pitch: int


def read(content: bytes) -> Tune:
    """The melody of a MIDI file.

    It is the skyline (Uitdenbogerd & Zobel 1998): of all tracks but the drums the highest note that sounds. Metre and
    key are the first that the file tells; without a metre it is 4/4, without a key what fits the notes best (Krumhansl
    1990). Times are rounded to sixteenths, three equal notes in a quarter are a triplet.

    Raises:
      BadValue: it is no MIDI file, is damaged, or holds no note; or as `data.media.tunes.written`.
    """
    messages = midis.read(content, _placed)
    melody = skyline(_notes(messages))
    if not melody:
        raise BadValue(NO_NOTE)
    keynote, mode = _told_key(messages) or likely_key(melody)
    metre = next((Metre(m.numerator, m.denominator) for _, m in messages if m.type == "time_signature"), Metre(4, 4))
    bars = _bars(_in_time(melody), metre.whole, keynote, mode)
    return tunes.written(bars, metre, keynote, mode)


def skyline(notes: Sequence[Note]) -> list[Note]:
    """One note at a time: the highest of those that begin together, unless a higher one still sounds. A note ends where
    the next begins."""
    found: list[Note] = []
    for note in sorted(notes, key=lambda note: (note.start, -note.pitch)):
        if found and (note.start == found[-1].start or (note.start < found[-1].end and note.pitch < found[-1].pitch)):
            continue
        if found and found[-1].end > note.start:
            found[-1] = found[-1]._replace(end=note.start)
        found.append(note)
    return found


def likely_key(melody: Sequence[Note]) -> tuple[str, str]:
    """Keynote and mode, major or minor, whose profile correlates best with how long each note sounds."""
    import numpy as np

    lasting = np.zeros(12)
    for note in melody:
        lasting[note.pitch % 12] += float(note.end - note.start)
    keynotes = [(tunes.keynote_pitch(name).semitones % 12, name) for name in tunes.KEYNOTES]
    scores = [
        (np.corrcoef(np.roll(profile, semitones), lasting)[0, 1], name, mode)
        for mode, profile in (("maj", _MAJOR), ("min", _MINOR))
        for semitones, name in keynotes
        if abs(tunes.sharps_of(name, mode)) < tunes.MOST_SHARPS
    ]
    _, keynote, mode = max(scores, key=lambda score: np.nan_to_num(score[0]))
    return keynote, mode


def _placed(file: Any) -> Iterator[tuple[Fraction, Any]]:
    """All messages, each with its time in whole notes."""
    import mido

    if file.ticks_per_beat <= 0:
        raise ValueError("times in frames, not in beats")
    now = 0
    for message in mido.merge_tracks(file.tracks):
        now += message.time
        yield Fraction(now, 4 * file.ticks_per_beat), message


def _notes(messages: Sequence[tuple[Fraction, Any]]) -> list[Note]:
    sounding: dict[tuple[int, int], Fraction] = {}
    found: list[Note] = []
    for at, message in messages:
        kind = message.type
        if kind not in ("note_on", "note_off") or message.channel == DRUMS:
            continue
        which = message.channel, message.note
        start = sounding.pop(which, None)
        if start is not None and at > start:
            found.append(Note(start, at, which[1]))
        if kind == "note_on" and message.velocity > 0:
            sounding[which] = at
    return found


def _told_key(messages: Sequence[tuple[Fraction, Any]]) -> tuple[str, str] | None:
    told = next((m.key for _, m in messages if m.type == "key_signature"), None)
    if told is None:
        return None
    keynote, mode = told.removesuffix("m"), "min" if told.endswith("m") else "maj"
    return (keynote, mode) if keynote in tunes.keynotes() else None


class _Timed(NamedTuple):
    start: Fraction
    end: Fraction
    pitch: int
    in_triplet: bool = False


def _in_time(melody: Sequence[Note]) -> list[_Timed]:
    """Times on the grid; a note reaches to the next one where less than a step of the grid is between them."""
    first = melody[0].start // BEAT * BEAT
    triplets = _triplets(melody, first)
    starts = [triplets.get(i, _rounded(note.start)) for i, note in enumerate(melody)]
    found: list[_Timed] = []
    for i, note in enumerate(melody):
        following = starts[i + 1] if i + 1 < len(melody) else None
        end = max(_rounded(note.end), starts[i] + GRID)
        if i in triplets:
            end = starts[i] + BEAT / 3
        elif following is not None and end + GRID >= following:
            end = following
        if end > starts[i]:
            found.append(_Timed(starts[i], end, note.pitch, i in triplets))
    return found


def _rounded(time: Fraction) -> Fraction:
    return round(time / GRID) * GRID


def _triplets(melody: Sequence[Note], first: Fraction) -> dict[int, Fraction]:
    """Index of each note of three that share a quarter equally -> when it begins."""
    near = GRID / 4
    found: dict[int, Fraction] = {}
    for i in range(len(melody) - 2):
        beat = round((melody[i].start - first) / BEAT) * BEAT + first
        due = [beat + BEAT * n / 3 for n in range(3)]
        behind = melody[i + 3].start if i + 3 < len(melody) else beat + BEAT
        three = all(abs(melody[i + n].start - due[n]) < near for n in range(3))
        if three and behind > beat + BEAT - near:
            found |= {i + n: due[n] for n in range(3)}
    return found


def _bars(melody: Sequence[_Timed], whole: Fraction, keynote: str, mode: str) -> list[Bar]:
    """Notes and rests in bars; what goes on across the end of a bar is tied. What is silent before the first note is
    left out, so that the first bar may be short."""
    now = melody[0].start
    bars = [Bar()]
    third = 0

    def add(pitch: Pitch | None, until: Fraction) -> None:
        nonlocal now
        while now < until:
            end = min(until, (now // whole + 1) * whole)
            bars[-1].events.append(Sounding(pitch, end - now, tied=pitch is not None and end < until))
            now = end
            if now % whole == 0:
                bars.append(Bar())

    for note in melody:
        add(None, note.start)
        pitch = spelt(note.pitch, keynote, mode)
        if note.in_triplet:
            if third == 0:
                bars[-1].events.append(Tuplet(3, 2, 3))
            bars[-1].events.append(Sounding(pitch, BEAT / 2))
            third = (third + 1) % 3
            now = note.end
            if now % whole == 0:
                bars.append(Bar())
        else:
            add(pitch, note.end)
    return bars if bars[-1].events else bars[:-1]


def spelt(pitch: int, keynote: str, mode: str) -> Pitch:
    """A note of MIDI as it is spelt in a key."""
    home = tunes.keynote_pitch(keynote)
    octave, semitones = divmod(pitch - tunes.MIDDLE_C - home.semitones, 12)
    letter = home.letter + 7 * octave + _STEPS["maj" if tunes.MODES[mode] >= -1 else "min"][semitones]
    return Pitch(letter, pitch - tunes.MIDDLE_C - tunes.natural(letter))

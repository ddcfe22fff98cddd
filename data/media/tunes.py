"""Melodies as texts of tokens, in ABC notation moved to C: what a language model of tunes reads and writes.

A tune is `MODE M:METRE` and then its bars, as in `maj M:6/8 | G3/2 A/2 c | ...`; a token each is

- `MODE`, one of MODES, and `M:6/8`, the metre, which may change at the beginning of a bar;
- a note, with its length in eighths, as ABC has it: `^F,3/2`, and `-` where the next note goes on with it;
- a rest, `z2`;
- `(P:Q:R`, the next R notes and rests last Q/P of what is written;
- `|`, the end of a bar.

All tunes are moved so that their keynote is C, each note spelt as it stands to the keynote: what is learnt of one key
holds for all (as Sturm et al. 2016, "Music transcription modelling"). The keynote itself is beside the text, the C to B
from middle C on, so that nothing is lost.

It is a melody: chords are their highest notes, and ornaments, chord symbols, dynamics and words are left out. It goes
once from its beginning to its end: of several endings the last one, repeats are not played.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from data.errors import BadValue

LETTERS = "CDEFGAB"
NATURAL = (0, 2, 4, 5, 7, 9, 11)
"""Semitones above C of each letter."""
MIDDLE_C = 60

MODES = {"maj": 0, "min": -3, "dor": -2, "mix": -1, "phr": -4, "lyd": 1, "loc": -5}
"""Of each mode how many more sharps than the major key of the same keynote has."""

KEYNOTES = ("C", "G", "D", "A", "E", "B", "F#", "C#", "F", "Bb", "Eb", "Ab", "Db", "Gb", "Cb")
_SHARPS = dict(zip(KEYNOTES, (0, 1, 2, 3, 4, 5, 6, 7, -1, -2, -3, -4, -5, -6, -7), strict=True))
"""Of a major key, flats below zero."""
_MORE_KEYNOTES = {"G#": 8, "D#": 9, "A#": 10, "Fb": -8}
"""Keynotes that have no major key of up to seven accidentals, but a minor one or another."""
MOST_SHARPS = 7

LOWEST, HIGHEST = -14, 28
"""Letters of a note above the keynote."""
MOST_ALTERED = 2

BAR = "|"
EIGHTH = Fraction(1, 8)
MOST_UNEVEN = 0.25
"""Share of bars that do not add up to the metre, above which a tune is taken to be damaged."""


class Pitch(NamedTuple):
    """`letter` counts the white keys from middle C, `alteration` semitones up from there."""

    letter: int
    alteration: int

    @property
    def semitones(self) -> int:
        """Above middle C."""
        return natural(self.letter) + self.alteration


class Sounding(NamedTuple):
    """A note or a rest: `pitch` is None for a rest, `written` a part of a whole note, `tied` to the next note."""

    pitch: Pitch | None
    written: Fraction
    tied: bool = False


class Tuplet(NamedTuple):
    """The next `lasts` notes and rests last `time` of `notes` of what is written."""

    notes: int
    time: int
    lasts: int


class Metre(NamedTuple):
    beats: int
    of: int

    @property
    def whole(self) -> Fraction:
        return Fraction(self.beats, self.of)


Event = Sounding | Tuplet | Metre


@dataclass
class Bar:
    events: list[Event] = field(default_factory=list)

    @property
    def length(self) -> Fraction:
        """Parts of a whole note that it lasts."""
        return sum((lasting for _, lasting in timed(self.events)), Fraction())


class Tune(NamedTuple):
    """`text` as this module's docstring says, `keynote` one of `keynotes()`."""

    text: str
    keynote: str


def natural(letter: int) -> int:
    octave, place = divmod(letter, len(LETTERS))
    return 12 * octave + NATURAL[place]


def sharps_of(keynote: str, mode: str) -> int:
    """Sharps of a key, flats below zero."""
    return (_SHARPS | _MORE_KEYNOTES)[keynote] + MODES[mode]


def keynotes() -> tuple[str, ...]:
    return (*KEYNOTES, *_MORE_KEYNOTES)


def keys() -> tuple[str, ...]:
    """All keys of up to seven accidentals, as ABC names them: `C`, `Am`, `Ddor`."""
    return tuple(
        key_name(keynote, mode)
        for mode in MODES
        for keynote in keynotes()
        if abs(sharps_of(keynote, mode)) <= MOST_SHARPS
    )


def key_name(keynote: str, mode: str) -> str:
    return keynote + {"maj": "", "min": "m"}.get(mode, mode)


def keynote_pitch(keynote: str) -> Pitch:
    return Pitch(LETTERS.index(keynote[0]), {"": 0, "#": 1, "b": -1}[keynote[1:]])


def signature(sharps: int) -> dict[int, int]:
    """Letter (0 for C to 6 for B) -> its alteration in a key of so many sharps."""
    if sharps >= 0:
        return {(3 + 4 * i) % 7: 1 for i in range(sharps)}
    return {(6 + 3 * i) % 7: -1 for i in range(-sharps)}


def timed(events: Iterable[Event]) -> Iterator[tuple[Sounding, Fraction]]:
    """Notes and rests, and how long each lasts."""
    factor, left = Fraction(1), 0
    for event in events:
        if isinstance(event, Tuplet):
            factor, left = Fraction(event.time, event.notes), event.lasts
        elif isinstance(event, Sounding):
            yield event, event.written * (factor if left else 1)
            left = max(0, left - 1)


# --- bars ---


def put_right(bars: Sequence[Bar], metre: Metre) -> list[Bar]:
    """Bars that add up, as far as lines of the notation only stand where they should not, or do not where they should.

    A bar of several bars' length is cut where a note ends, and two short ones that make up one, as before and behind a
    repeat, are one.

    Raises:
      BadValue: too many bars do not add up.
    """
    found: list[Bar] = []
    now = metre
    lengths: list[tuple[Bar, Fraction]] = []
    for bar in bars:
        now = next((event for event in bar.events if isinstance(event, Metre)), now)
        if not any(isinstance(event, Sounding) for event in bar.events):
            if bar.events:
                lengths.append((bar, now.whole))
            continue
        lengths += ((part, now.whole) for part in _cut(bar, now.whole))
    before = Fraction()
    for bar, whole in lengths:
        length = bar.length
        if len(found) > 1 and 0 < length < whole and before + length == whole:
            found[-1].events += bar.events
            before = whole
        elif found and not any(isinstance(event, Sounding) for event in found[-1].events):
            found[-1].events += bar.events  # a metre that stood alone
            before = length
        else:
            found.append(Bar(list(bar.events)))
            before = length
    _refuse_uneven(found, metre)
    return found


def _cut(bar: Bar, whole: Fraction) -> Iterator[Bar]:
    length = bar.length
    if length <= whole or length % whole:
        yield bar
        return
    part, left = Bar(), 0
    for event in bar.events:
        if isinstance(event, Tuplet):
            left = event.lasts
        elif isinstance(event, Sounding):
            left = max(0, left - 1)
        part.events.append(event)
        if isinstance(event, Sounding) and not left and part.length == whole:
            yield part
            part = Bar()
    if part.events:
        yield part


def _refuse_uneven(bars: Sequence[Bar], metre: Metre) -> None:
    """The first and the last bar may be short, as with an upbeat."""
    now, wrong = metre, []
    for number, bar in enumerate(bars[1:-1], start=2):
        now = next((event for event in bar.events if isinstance(event, Metre)), now)
        if (length := bar.length) != now.whole:
            wrong.append((number, length, now))
    if len(wrong) > MOST_UNEVEN * max(1, len(bars) - 2):
        number, length, now = wrong[0]
        raise BadValue(
            f"{len(wrong)} of {len(bars)} bars do not add up to their metre; the first is bar {number}, "
            f"which lasts {length} of a whole note where {now.beats}/{now.of} is due"
        )


# --- text ---


def written(bars: Sequence[Bar], metre: Metre, keynote: str, mode: str) -> Tune:
    """The tune as a text.

    Raises:
      BadValue: there is no note in it, or one that is too high, too low or too far altered.
    """
    if not any(event.pitch for bar in bars for event in bar.events if isinstance(event, Sounding)):
        raise BadValue("it holds no note")
    home = keynote_pitch(keynote)
    words = [mode, f"M:{metre.beats}/{metre.of}"]
    for bar in bars:
        words += (_word(event, home) for event in bar.events)
        words.append(BAR)
    return Tune(" ".join(words), keynote)


def _word(event: Event, home: Pitch) -> str:
    if isinstance(event, Metre):
        return f"M:{event.beats}/{event.of}"
    if isinstance(event, Tuplet):
        return f"({event.notes}:{event.time}:{event.lasts}"
    length = spelt_length(event.written / EIGHTH)
    if event.pitch is None:
        return f"z{length}"
    return spelt(moved(event.pitch, home)) + length + ("-" if event.tied else "")


def moved(pitch: Pitch, home: Pitch) -> Pitch:
    """The pitch as it stands to C, where it is now in a key whose keynote is `home`.

    Raises:
      BadValue: it is out of reach.
    """
    letter = pitch.letter - home.letter
    altered = Pitch(letter, pitch.semitones - home.semitones - natural(letter))
    if not LOWEST <= letter <= HIGHEST or abs(altered.alteration) > MOST_ALTERED:
        raise BadValue(f"the note {spelt(pitch)} is too high, too low or too far altered")
    return altered


def spelt(pitch: Pitch) -> str:
    """As ABC writes it."""
    octave, place = divmod(pitch.letter, len(LETTERS))
    letter = LETTERS[place] if octave < 1 else LETTERS[place].lower()
    marks = "," * -octave if octave < 0 else "'" * (octave - 1)
    return ("^" * pitch.alteration or "_" * -pitch.alteration) + letter + marks


@functools.lru_cache
def spelt_length(length: Fraction) -> str:
    """A note's length in units, as ABC writes it: nothing for 1, `2`, `/2`, `3/2`."""
    number = "" if length.numerator == 1 else str(length.numerator)
    return number if length.denominator == 1 else f"{number}/{length.denominator}"


_NOTE = re.compile(
    r"(?P<altered>\^{0,2}|_{0,2})(?P<letter>[A-Ga-gz])(?P<octave>,*|'*)(?P<n>\d*)(/(?P<m>\d+))?(?P<tie>-?)"
)
_TUPLET = re.compile(r"\((\d+):(\d+):(\d+)")
_METRE = re.compile(r"M:(\d+)/(\d+)")


def read_word(word: str) -> Event | None:
    """What a token says; None for a mode, the end of a bar, and what is none."""
    if match := _TUPLET.fullmatch(word):
        return Tuplet(*map(int, match.groups()))
    if match := _METRE.fullmatch(word):
        return Metre(*map(int, match.groups()))
    match = _NOTE.fullmatch(word)
    if match is None:
        return None
    length = Fraction(int(match["n"] or 1), int(match["m"] or 1)) * EIGHTH
    if match["letter"] == "z":
        return Sounding(None, length)
    letter = LETTERS.index(match["letter"].upper()) + (7 if match["letter"].islower() else 0)
    letter += 7 * (match["octave"].count("'") - match["octave"].count(","))
    alteration = match["altered"].count("^") - match["altered"].count("_")
    return Sounding(Pitch(letter, alteration), length, bool(match["tie"]))


class Played(NamedTuple):
    """A note as it sounds: times in whole notes, `pitch` as MIDI has it, `is_first` of a bar."""

    begins: Fraction
    ends: Fraction
    pitch: int
    is_first: bool


def played(tune: Tune) -> list[Played]:
    """The notes of a tune, in its own key; tied ones are one."""
    home = keynote_pitch(tune.keynote).semitones + MIDDLE_C
    found: list[Played] = []
    now, tied = Fraction(), False
    for bar in tune.text.split(f" {BAR}"):
        events = [event for word in bar.split() if (event := read_word(word)) is not None]
        is_first = True
        for sounding, lasting in timed(events):
            if sounding.pitch is not None:
                pitch = sounding.pitch.semitones + home
                if tied and found[-1].pitch == pitch and found[-1].ends == now:
                    found[-1] = found[-1]._replace(ends=now + lasting)
                else:
                    found.append(Played(now, now + lasting, pitch, is_first))
            tied, is_first = sounding.tied, False
            now += lasting
    return found

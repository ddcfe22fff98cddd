"""ABC notation (Walshaw; abc:standard 2.1): files of many tunes, and each tune as a melody of `data.media.tunes`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from data.errors import BadValue
from data.media import tunes
from data.media.tunes import Bar, Metre, Pitch, Sounding, Tune, Tuplet

_FIELD = re.compile(r"([A-Za-z+]):(.*)")
_KEY = re.compile(r"([A-Ga-g])([#b]?)\s*([A-Za-z]*)")
_MODES = {
    "": "maj",
    "maj": "maj",
    "ion": "maj",
    "m": "min",
    "min": "min",
    "aeo": "min",
    **{mode: mode for mode in ("dor", "mix", "phr", "lyd", "loc")},
}
_CLEFS = ("cle", "tre", "bas", "alt", "ten", "per", "non")
_ACCIDENTAL = re.compile(r"(\^\^|\^|__|_|=)([A-Ga-g])")
_PITCHED = r"(?P<altered>\^\^|\^|__|_|=)?(?P<letter>[A-Ga-g])(?P<octave>[,']*)"
_LENGTH = r"(?P<n>\d*)(?P<slashes>/*)(?P<m>\d*)"
_SYMBOL = re.compile(
    rf"""
    (?P<skipped>"[^"]*"|![^!\n]*!|\+[^+\n]{{1,20}}\+|\{{[^}}]*\}}|[~.()uvH-Wh-wy`\\$*]\d*?|\s+)
    |\[(?P<name>[A-Za-z]):(?P<value>[^\]]*)\]
    |(?P<bar>\[?:*\|[|:\]]*|::+)(\s*\[?(?P<ending>\d)[\d,.-]*)?
    |\[(?P<lone_ending>\d)[\d,.-]*
    |\[(?P<chord>[^\]]*)\]{_LENGTH.replace("<", "<chord_")}(?P<chord_tie>-?)
    |(?P<rest>[zxZX]){_LENGTH.replace("<", "<rest_")}
    |{_PITCHED}{_LENGTH}(?P<tie>-?)
    |(?P<broken>>+|<+)
    |(?P<late_tie>-)
    """,
    re.VERBOSE,
)
_TUPLET = re.compile(r"\((\d)(?::(\d?)(?::(\d?))?)?")
_IN_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_CHORD_NOTE = re.compile(_PITCHED + _LENGTH)


class Entry(NamedTuple):
    """One tune of a file: its number as its `X:` field has it, its first line, its text."""

    number: str
    line: int
    text: str


def entries(text: str) -> Iterator[Entry]:
    """The tunes of a file, each from its `X:` field on."""
    number, begin, lines = "", 0, list[str]()
    for row, line in enumerate(text.splitlines(), start=1):
        if line.startswith("X:"):
            if lines:
                yield Entry(number, begin, "\n".join(lines))
            number, begin, lines = line[2:].partition("%")[0].strip(), row, []
        if begin:
            lines.append(line)
    if lines:
        yield Entry(number, begin, "\n".join(lines))


def read(text: str) -> Tune:
    """One tune, with or without its `X:` field.

    Of several voices the first is read.

    Raises:
      BadValue: it has no metre or key, there is what is no ABC in it, or its bars do not add up.
    """
    reader = _Reader()
    lines = [_without_comment(line) for line in text.splitlines()]
    for line in lines:
        if match := _FIELD.match(line):
            reader.field(match[1], match[2].strip())
        elif line.strip():
            reader.music(line)
    return reader.tune()


def opening(text: str, key: str, metre: str) -> str:
    """The beginning of a tune, as tokens without mode and metre; the bar in which it ends is not complete.

    Args:
      text: notes and bar lines in eighths, without a head.
      key, metre: those of the tune, as `K:` and `M:` have them.

    Raises:
      BadValue: there is what is no ABC in it, or no note.
    """
    reader = _Reader()
    for name, value in (("M", metre), ("L", str(tunes.EIGHTH)), ("K", key)):
        reader.field(name, value)
    for line in text.splitlines():
        reader.music(_without_comment(line))
    assert reader.metre is not None and reader.key is not None, "set by the fields above"
    whole = tunes.written([bar for bar in reader.bars if bar.events], reader.metre, *reader.key)
    words = whole.text.split()[2:]
    is_open = bool(reader.bars[-1].events)
    return " ".join(words[:-1] if is_open else words)


def _without_comment(line: str) -> str:
    return re.split(r"(?<!\\)%", line, maxsplit=1)[0].rstrip()


@dataclass
class _Reader:
    """What was read so far of a tune."""

    metre: Metre | None = None
    unit: Fraction | None = None
    key: tuple[str, str] | None = None
    accidentals: dict[int, int] = field(default_factory=dict)
    """Letter of an octave -> alteration, by the key."""
    altered: dict[int, int] = field(default_factory=dict)
    """Letter -> alteration, to the end of the bar."""
    bars: list[Bar] = field(default_factory=lambda: [Bar()])
    first_metre: Metre | None = None
    voice: str | None = None
    silent: bool = False
    broken: int = 0
    """Of the next note: how often its length is halved (below zero) or what is halved is added (above)."""
    first_ending: int | None = None
    """The bar in which an ending began that may be followed by another."""

    def field(self, name: str, value: str) -> None:
        if name == "V":
            voice = value.split()[0] if value.split() else ""
            self.voice = voice if self.voice is None else self.voice
            self.silent = voice != self.voice
        elif name == "X" and self.key:
            raise BadValue("it holds several tunes where one was expected")
        elif self.silent:
            return
        elif name == "M":
            self._set_metre(value)
        elif name == "L":
            match = re.fullmatch(r"(\d+)\s*/\s*(\d+)|1", value)
            if not match or match[2] == "0":
                raise BadValue(f"L:{value} is no length of a note, such as 1/8")
            self.unit = Fraction(int(match[1] or 1), int(match[2] or 1))
        elif name == "K":
            self._set_key(value)

    def music(self, line: str) -> None:
        place = 0
        while place < len(line):
            if match := _TUPLET.match(line, place):
                if not self.silent:
                    notes = int(match[1])
                    time = int(match[2] or 0) or _IN_TIME.get(notes, 2)
                    self._add(Tuplet(notes, time, int(match[3] or 0) or notes))
            elif match := _SYMBOL.match(line, place):
                self._symbol(match)
            else:
                raise BadValue(f"{line[place : place + 12]!r} is no ABC")
            place = match.end()

    def tune(self) -> Tune:
        if self.key is None:
            raise BadValue("it has no key: write K: behind the other fields of its head")
        if self.first_metre is None:
            raise BadValue("it has no metre: write M: with one such as 4/4 into its head")
        keynote, mode = self.key
        return tunes.written(tunes.put_right(self.bars, self.first_metre), self.first_metre, keynote, mode)

    # --- fields ---

    def _set_metre(self, value: str) -> None:
        common = {"C": "4/4", "C|": "2/2"}.get(value, value)
        match = re.match(r"\(?(\d+(?:\s*\+\s*\d+)*)\)?\s*/\s*(\d+)", common)
        beats, of = (sum(map(int, match[1].split("+"))), int(match[2])) if match else (0, 0)
        if not 0 < beats <= 64 or of not in (1, 2, 4, 8, 16, 32):
            raise BadValue(f"M:{value} is no metre, such as 4/4")
        self.metre = Metre(beats, of)
        if self.key is None or self.first_metre is None:
            self.first_metre = self.metre
        elif self.metre != self._metre_there():
            self._add(self.metre)

    def _metre_there(self) -> Metre | None:
        changes = [event for bar in self.bars for event in bar.events if isinstance(event, Metre)]
        return changes[-1] if changes else self.first_metre

    def _set_key(self, value: str) -> None:
        name = value.strip()
        if name.lower() in ("", "none") or name.lower().startswith("clef"):
            key = ("C", "maj")
        elif name[:2].lower() == "hp":
            key = ("A", "mix")  # the Highland pipe's
        else:
            key = self._key_of(name, value)
        self.accidentals = tunes.signature(tunes.sharps_of(*key))
        for mark, letter in _ACCIDENTAL.findall(name[1:]):
            self.accidentals[tunes.LETTERS.index(letter.upper())] = _alteration(mark)
        self.key = self.key or key

    def _key_of(self, name: str, value: str) -> tuple[str, str]:
        match = _KEY.match(name)
        word = match[3].lower() if match else ""
        mode = _MODES.get(word if word == "m" else word[:3])
        if mode is None and (word[:3] in _CLEFS or word == "exp"):
            mode = "maj"
        keynote = match[1].upper() + match[2] if match else ""
        if mode is None or keynote not in tunes.keynotes():
            raise BadValue(f"K:{value} is no key, such as D, Am or Edor")
        return keynote, mode

    # --- music ---

    def _symbol(self, match: re.Match[str]) -> None:
        if match["name"]:
            self.field(match["name"], match["value"].strip())
        elif self.silent or match["skipped"]:
            return
        elif match["bar"]:
            self._bar(match["ending"])
        elif match["lone_ending"]:
            self._ending(match["lone_ending"])
        elif match["chord"] is not None:
            self._chord(match)
        elif match["rest"]:
            length = self._length(match["rest_n"], match["rest_slashes"], match["rest_m"])
            if match["rest"] in "ZX":
                if self.metre is None:
                    raise BadValue("a rest of whole bars, but there is no metre")
                length = int(match["rest_n"] or 1) * self.metre.whole
            self._note(None, length, tied=False)
        elif match["letter"]:
            self._note(self._pitch(match), self._length(match["n"], match["slashes"], match["m"]), bool(match["tie"]))
        elif match["broken"]:
            self._break(match["broken"])
        elif match["late_tie"]:
            self._tie_last()

    def _add(self, event: tunes.Event) -> None:
        self.bars[-1].events.append(event)

    def _bar(self, ending: str | None) -> None:
        self.altered = {}
        if self.bars[-1].events:
            self.bars.append(Bar())
        if ending:
            self._ending(ending)

    def _ending(self, number: str) -> None:
        """Only the last of several endings stays."""
        if number == "1":
            self.first_ending = len(self.bars) - 1
        elif self.first_ending is not None:
            del self.bars[self.first_ending : len(self.bars) - 1]

    def _chord(self, match: re.Match[str]) -> None:
        notes = list(_CHORD_NOTE.finditer(match["chord"]))
        if not notes:
            raise BadValue(f"[{match['chord']}] is no chord")
        pitches = [self._pitch(note) for note in notes]
        own = self._length(notes[0]["n"], notes[0]["slashes"], notes[0]["m"])
        outer = self._length(match["chord_n"], match["chord_slashes"], match["chord_m"]) / self._unit
        tied = bool(match["chord_tie"]) or match["chord"].endswith("-")
        self._note(max(pitches, key=lambda pitch: pitch.semitones), own * outer, tied)

    def _pitch(self, match: re.Match[str]) -> Pitch:
        letter = tunes.LETTERS.index(match["letter"].upper()) + (7 if match["letter"].islower() else 0)
        letter += 7 * (match["octave"].count("'") - match["octave"].count(","))
        if match["altered"]:
            self.altered[letter] = _alteration(match["altered"])
        last = self._last()
        if letter not in self.altered and last and last.tied and last.pitch and last.pitch.letter == letter:
            return last.pitch
        return Pitch(letter, self.altered.get(letter, self.accidentals.get(letter % 7, 0)))

    @property
    def _unit(self) -> Fraction:
        if self.unit is None:
            self.unit = Fraction(1, 16) if self.metre and self.metre.whole < Fraction(3, 4) else Fraction(1, 8)
        return self.unit

    def _length(self, number: str, slashes: str, divisor: str) -> Fraction:
        if divisor == "0" or number == "0":
            raise BadValue("a note of no length, or one divided by 0")
        below = int(divisor) if divisor else 2 ** len(slashes)
        return self._unit * Fraction(int(number or 1), below)

    def _note(self, pitch: Pitch | None, length: Fraction, tied: bool) -> None:
        if self.key is None:
            raise BadValue("there is music before the key: K: is the last field of the head")
        if self.broken:
            length *= _broken(self.broken)
            self.broken = 0
        if length.denominator > 64 or length > 8:
            raise BadValue(f"a note that lasts {length} of a whole one")
        self._add(Sounding(pitch, length, tied))

    def _break(self, marks: str) -> None:
        """`A>B` is `A3/2B/2`; what follows is done to the next note."""
        count = len(marks) if marks[0] == ">" else -len(marks)
        last = self._last()
        if last is None or abs(count) > 3:
            raise BadValue(f"{marks!r} stands between no two notes")
        self._replace_last(last._replace(written=last.written * _broken(count)))
        self.broken = -count

    def _tie_last(self) -> None:
        last = self._last()
        if last is not None and last.pitch is not None:
            self._replace_last(last._replace(tied=True))

    def _last(self) -> Sounding | None:
        for bar in reversed(self.bars[-2:]):
            for event in reversed(bar.events):
                if isinstance(event, Sounding):
                    return event
        return None

    def _replace_last(self, by: Sounding) -> None:
        for bar in reversed(self.bars[-2:]):
            for place in reversed(range(len(bar.events))):
                if isinstance(bar.events[place], Sounding):
                    bar.events[place] = by
                    return


def _broken(count: int) -> Fraction:
    part = Fraction(1, 2 ** abs(count))
    return 2 - part if count > 0 else part


def _alteration(mark: str) -> int:
    return mark.count("^") - mark.count("_")

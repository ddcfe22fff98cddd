"""Tunes by number, and what a tune's tokens sound like and look like, inside the graph.

Tokens are those of `data.media.tunes`. Numbers of tokens are int64 `[batch, steps]`, PAD behind the last. Times are
whole TICKS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from data.media import tunes
from trainer.backend import tf
from trainer.features.texts import END, NUM_SPECIAL, PAD, UNKNOWN

VOCABULARY = "tune_tokens"

HEAD = 2
"""Tokens before the first bar: mode and metre."""

LEAST_FREQUENT = 2
"""How often a token of its own stands in the train split at least. One that stands there once is UNKNOWN, so that it is
learnt how likely an unknown token is."""

SPELLING_BITS = 12.0
"""What it takes to say which token an UNKNOWN is: of some 60 pitches and 64 lengths one."""

TICKS = 6720
"""Of a whole note: sixty-fourths, and thirds, fifths and sevenths of what is longer, are whole numbers of them."""

MIDI_LOWEST, MIDI_HIGHEST = 0, 127
VELOCITY = 80


def index_tunes(text: Any, longest: int) -> Any:
    """Numbers of the tokens of texts of at most so many, int64 `[batch, longest]`. For use in `preprocess`.

    A full pass over the train split makes the vocabulary VOCABULARY, the most frequent first.
    """
    import tensorflow_transform as tft

    words = tf.strings.split(text)
    vocabulary = tft.vocabulary(words.flat_values, frequency_threshold=LEAST_FREQUENT, vocab_filename=VOCABULARY)
    found = tft.apply_vocabulary(words.flat_values, vocabulary, default_value=UNKNOWN - NUM_SPECIAL)
    return words.with_flat_values(found + NUM_SPECIAL).to_tensor(PAD, shape=[None, longest])


class Tokens:
    """What each token of a vocabulary says, as arrays by its number.

    Attributes:
      words: the tokens, special ones empty; `events` what each says, None as of `tunes.read_word`.
      is_mode, is_metre, is_bar, is_sounding, is_note, is_tuplet, is_tied: bool `[size]`; rests sound, but are no notes.
      ticks: int32, of a note or rest as it is written.
      tuplet: int32 `[size, 3]`, as `tunes.Tuplet`; 1, 1, 0 of other tokens.
      letter, alteration: int32, of a note as it stands to C.
      shown: string, what ABC has for the length of a note, and for tuplets and metres.
    """

    def __init__(self, vocabularies: Mapping[str, Sequence[str]]) -> None:
        self.words = [""] * NUM_SPECIAL + list(vocabularies[VOCABULARY])
        self.events = events = [tunes.read_word(word) for word in self.words]
        sounding = [event if isinstance(event, tunes.Sounding) else None for event in events]
        pitches = [event.pitch if event and event.pitch else None for event in sounding]
        self.is_mode = np.array([word in tunes.MODES for word in self.words])
        self.is_metre = np.array([isinstance(event, tunes.Metre) for event in events])
        self.is_bar = np.array([word == tunes.BAR for word in self.words])
        self.is_sounding = np.array([event is not None for event in sounding])
        self.is_note = np.array([pitch is not None for pitch in pitches])
        self.is_tuplet = np.array([isinstance(event, tunes.Tuplet) for event in events])
        self.is_tied = np.array([bool(event and event.tied) for event in sounding])
        self.ticks = np.array([round(event.written * TICKS) if event else 0 for event in sounding], np.int32)
        self.tuplet = np.array([event if isinstance(event, tunes.Tuplet) else (1, 1, 0) for event in events], np.int32)
        self.letter = np.array([pitch.letter if pitch else 0 for pitch in pitches], np.int32)
        self.alteration = np.array([pitch.alteration if pitch else 0 for pitch in pitches], np.int32)
        self.shown = [_shown(word, event) for word, event in zip(self.words, events, strict=True)]

    def __len__(self) -> int:
        return len(self.words)

    @property
    def may_stand(self) -> np.ndarray[Any, Any]:
        """bool `[HEAD + 1, size]`: what the first token of a tune may be, the second, and any behind these."""
        later = ~self.is_mode & (np.arange(len(self)) >= NUM_SPECIAL)
        later[END] = True
        return np.array([self.is_mode, self.is_metre, later])

    def number(self, words: Any) -> Any:
        """Numbers of tokens, int64 of the shape of `words`, UNKNOWN for what is none. Without lookup tables."""
        known = tf.constant(self.words[NUM_SPECIAL:])
        same = words[..., None] == known
        found = tf.argmax(tf.cast(same, tf.int32), -1) + NUM_SPECIAL
        return tf.where(tf.reduce_any(same, -1), found, tf.constant(UNKNOWN, tf.int64))


def _shown(word: str, event: tunes.Event | None) -> str:
    if isinstance(event, tunes.Sounding):
        length = tunes.spelt_length(event.written / tunes.EIGHTH)
        return ("" if event.pitch else "z") + length + ("-" if event.tied else "")
    if isinstance(event, tunes.Tuplet):
        return f"({event.notes}" if event == (event.notes, 2, event.notes) and event.notes == 3 else word
    return f"\n{word}\n" if isinstance(event, tunes.Metre) else ""


class Place(NamedTuple):
    """Where a tune stands behind some of its tokens; each int32 of one shape."""

    position: Any
    """Ticks since the bar began."""
    bars: Any
    """How many have ended."""
    notes: Any
    """Of a tuplet, as `tunes.Tuplet` has it."""
    time: Any
    left: Any
    """Notes and rests that are still to come in the tuplet."""

    @classmethod
    def first(cls, like: Any) -> Place:
        zero = tf.zeros_like(like, tf.int32)
        return cls(zero, zero, zero + 1, zero + 1, zero)


def advance(place: Place, numbers: Any, tokens: Tokens) -> Place:
    """The place behind one more token of each row."""
    ticks, is_bar = tf.gather(tokens.ticks, numbers), tf.gather(tokens.is_bar, numbers)
    is_sounding, is_tuplet = tf.gather(tokens.is_sounding, numbers), tf.gather(tokens.is_tuplet, numbers)
    opened = tf.gather(tokens.tuplet, numbers)
    lasting = tf.where(place.left > 0, ticks * place.time // place.notes, ticks)
    left = tf.where(is_tuplet, opened[..., 2], tf.maximum(place.left - tf.cast(is_sounding, tf.int32), 0))
    return Place(
        tf.where(is_bar, 0, place.position + lasting),
        place.bars + tf.cast(is_bar, tf.int32),
        tf.where(is_tuplet, opened[..., 0], place.notes),
        tf.where(is_tuplet, opened[..., 1], place.time),
        left,
    )


class Places(NamedTuple):
    """Of each token of whole tunes, int32 `[batch, steps]`."""

    lasting: Any
    """Ticks of the token."""
    position: Any
    """Ticks since the bar began, behind the token."""
    bars: Any
    """How many have ended, with the token."""
    begins: Any
    """Ticks since the tune began, before the token."""


def places(numbers: Any, tokens: Tokens) -> Places:
    """As `advance` step by step, but for all at once."""
    sounding = tf.cast(tf.gather(tokens.is_sounding, numbers), tf.int32)
    opened = tf.gather(tokens.is_tuplet, numbers)
    order = tf.cumsum(sounding, 1)
    tuplet = tf.gather(tokens.tuplet, numbers)
    which = tf.cumsum(tf.cast(opened, tf.int32), 1)
    before = _of_group(tf.where(opened, order, 0), which)
    notes, time, count = (_of_group(tf.where(opened, tuplet[..., i], 0), which) for i in range(3))
    inside = (which > 0) & (sounding > 0) & (order - before <= count)
    ticks = tf.gather(tokens.ticks, numbers)
    lasting = tf.where(inside, ticks * time // tf.maximum(notes, 1), ticks)
    ends = tf.cumsum(lasting, 1)
    is_bar = tf.gather(tokens.is_bar, numbers)
    bars = tf.cumsum(tf.cast(is_bar, tf.int32), 1)
    return Places(lasting, ends - _of_group(tf.where(is_bar, ends, 0), bars), bars, ends - lasting)


def _of_group(values: Any, groups: Any) -> Any:
    """The largest value among those of the same row and group, for each; int32 `[batch, steps]`, none below zero."""
    rows, steps = tf.unstack(tf.shape(values))
    segments = groups + tf.range(rows)[:, None] * (steps + 1)
    largest = tf.math.unsorted_segment_max(tf.reshape(values, [-1]), tf.reshape(segments, [-1]), rows * (steps + 1))
    return tf.gather(largest, segments)


# --- keys ---

MODES = tuple(tunes.MODES)
KEYNOTES = tunes.keynotes()
_SHARPS = np.array([[tunes.sharps_of(keynote, mode) for mode in MODES] for keynote in KEYNOTES], np.int32)
_HOME = np.array([tunes.keynote_pitch(keynote)[:1] + (tunes.keynote_pitch(keynote).semitones,) for keynote in KEYNOTES])
_MOST = int(np.abs(_SHARPS).max())
_SIGNATURES = np.array(
    [[tunes.signature(sharps).get(letter, 0) for letter in range(7)] for sharps in range(-_MOST, _MOST + 1)], np.int32
)
_NAMES = [[tunes.key_name(keynote, mode) for mode in MODES] for keynote in KEYNOTES]


def key_places() -> dict[str, tuple[int, int]]:
    """Name of a key -> the numbers of its keynote and its mode."""
    return {name: (keynote, mode) for keynote, names in enumerate(_NAMES) for mode, name in enumerate(names)}


def sharps(keynote: Any, mode: Any) -> Any:
    """Of keys by the numbers of keynote and mode, int32 `[batch]`; flats below zero."""
    return tf.gather_nd(_SHARPS, tf.stack([keynote, mode], -1))


def is_usual() -> np.ndarray[Any, Any]:
    """float32 `[keynotes, modes]`: 1 for keys of up to seven accidentals."""
    return (np.abs(_SHARPS) <= tunes.MOST_SHARPS).astype(np.float32)


def semitones(letter: Any) -> Any:
    """Above middle C, of white keys."""
    return 12 * (letter // 7) + tf.gather(np.array(tunes.NATURAL, np.int32), letter % 7)


class Written(NamedTuple):
    """A tune of each row: what `abc`, `midi` and the sound are made of."""

    numbers: Any
    """int64 `[batch, steps]`, PAD behind the last."""
    keynote: Any
    """int32 `[batch]`, of KEYNOTES."""
    mode: Any
    """int32 `[batch]`, of MODES."""
    metre: Any
    """int64 `[batch]`, the number of its token."""
    tempo: Any
    """Quarters in a minute, int32 `[batch]`."""


def _pitches(written: Written, tokens: Tokens) -> tuple[Any, Any]:
    """Letter and alteration of each note in its key, int32 `[batch, steps]`."""
    home = tf.gather(_HOME.astype(np.int32), written.keynote)
    letter = tf.gather(tokens.letter, written.numbers)
    above = semitones(letter) + tf.gather(tokens.alteration, written.numbers) + home[:, 1:]
    letter += home[:, :1]
    far = above - semitones(letter)
    letter += tf.cast(far > tunes.MOST_ALTERED, tf.int32) - tf.cast(far < -tunes.MOST_ALTERED, tf.int32)
    return letter, above - semitones(letter)


_MARKS = np.array(["___", "__", "_", "=", "^", "^^", "^^^"])
_LOWEST_LETTER, _HIGHEST_LETTER = tunes.LOWEST - 2, tunes.HIGHEST + 8
_LETTERS = np.array([tunes.spelt(tunes.Pitch(letter, 0)) for letter in range(_LOWEST_LETTER, _HIGHEST_LETTER)])
BARS_A_LINE = 4


def abc(written: Written, tokens: Tokens) -> Any:
    """Tunes in ABC notation, string `[batch]`."""
    numbers = written.numbers
    letter, alteration = _pitches(written, tokens)
    by_key = tf.gather(tf.gather(_SIGNATURES, sharps(written.keynote, written.mode) + _MOST), letter % 7, batch_dims=1)
    place = places(numbers, tokens)
    is_note, is_bar = tf.gather(tokens.is_note, numbers), tf.gather(tokens.is_bar, numbers)
    other = is_note & (alteration != by_key)
    earlier = tf.linalg.band_part(tf.ones([tf.shape(numbers)[1]] * 2), -1, 0) - tf.eye(tf.shape(numbers)[1])
    same = (letter[:, :, None] == letter[:, None]) & (place.bars[:, :, None] == place.bars[:, None])
    met = tf.reduce_any(same & other[:, None] & (earlier > 0), -1)
    marks = tf.where(is_note & (other | met), tf.gather(_MARKS, tf.clip_by_value(alteration, -3, 3) + 3), "")
    clipped = tf.clip_by_value(letter - _LOWEST_LETTER, 0, len(_LETTERS) - 1)
    letters = tf.where(is_note, tf.gather(_LETTERS, clipped), "")
    said = tf.strings.join([_spaces(written, place, tokens), marks, letters, tf.gather(tokens.shown, numbers)])
    to_come = tf.cumsum(tf.cast(numbers >= NUM_SPECIAL, tf.int32), 1, exclusive=True, reverse=True)
    behind = tf.where(to_come == 0, " |]", tf.where(place.bars % BARS_A_LINE == 0, " |\n", " |"))
    body = tf.strings.reduce_join(tf.where(is_bar, behind, said), 1)
    head = ["X:1\nT:Benison\n", _metre_of(written, tokens), "\nL:1/8\nQ:1/4="]
    head += [
        tf.strings.as_string(written.tempo),
        "\nK:",
        tf.gather_nd(_NAMES, tf.stack([written.keynote, written.mode], -1)),
    ]
    return tf.strings.join([*head, "\n", body, "\n"])


def _metre_of(written: Written, tokens: Tokens) -> Any:
    return tf.gather(tf.constant(tokens.words), written.metre)


def _spaces(written: Written, place: Places, tokens: Tokens) -> Any:
    """A space before what begins a beat, a blank nowhere else, so that notes are beamed by beats."""
    beats = np.array([_beat(event) for event in tokens.events], np.int32)
    beat = tf.gather(beats, written.metre)[:, None]
    is_tuplet = tf.gather(tokens.is_tuplet, written.numbers)
    behind_tuplet = tf.pad(is_tuplet[:, :-1], [[0, 0], [1, 0]])
    position = tf.where(tf.gather(tokens.is_bar, written.numbers), 0, place.position - place.lasting)
    begins = (position % beat == 0) & ~behind_tuplet & (written.numbers >= NUM_SPECIAL)
    return tf.where(begins, " ", "")


def _beat(event: tunes.Event | None) -> int:
    if not isinstance(event, tunes.Metre):
        return TICKS // 4
    compound = event.of == 8 and event.beats % 3 == 0
    return TICKS * 3 // 8 if compound else TICKS // 4


class Sounds(NamedTuple):
    """Notes in order, int32 `[batch, most]` each; where there are fewer, `lasting` is 0."""

    pitch: Any
    """As MIDI has it."""
    begins: Any
    """Ticks from the beginning of the tune."""
    lasting: Any


def sounds(written: Written, tokens: Tokens) -> Sounds:
    """The notes that sound: tied ones are one, rests are none."""
    numbers = written.numbers
    place = places(numbers, tokens)
    letter, alteration = _pitches(written, tokens)
    pitch = tf.clip_by_value(semitones(letter) + alteration + tunes.MIDDLE_C, MIDI_LOWEST, MIDI_HIGHEST)
    is_note = tf.gather(tokens.is_note, numbers)
    order = tf.argsort(tf.cast(~is_note, tf.int32), 1, stable=True)  # notes first

    def notes(values: Any) -> Any:
        return tf.gather(values, order, batch_dims=1)

    there, pitch, begins, lasting = map(notes, (is_note, pitch, place.begins, place.lasting))
    tied = notes(tf.gather(tokens.is_tied, numbers))
    goes_on = tied[:, :-1] & there[:, 1:] & (pitch[:, :-1] == pitch[:, 1:])
    goes_on &= begins[:, :-1] + lasting[:, :-1] == begins[:, 1:]
    goes_on = tf.pad(goes_on, [[0, 0], [1, 0]])
    group = tf.cumsum(tf.cast(there & ~goes_on, tf.int32), 1)  # from 1 on; what is no note is in the last one
    ends = _of_group(tf.where(there, begins + lasting, 0), group)
    first = there & ~goes_on
    again = tf.argsort(tf.cast(~first, tf.int32), 1, stable=True)
    kept = tf.gather(first, again, batch_dims=1)

    def of_first(values: Any) -> Any:
        return tf.where(kept, tf.gather(values, again, batch_dims=1), 0)

    return Sounds(of_first(pitch), of_first(begins), of_first(ends - begins))


# --- MIDI ---

_BYTES = np.array([bytes([value]) for value in range(256)], object)


def _byte(values: Any) -> Any:
    return tf.gather(tf.constant(_BYTES), values)


def _big_endian(values: Any, count: int) -> Any:
    return tf.strings.join([_byte(values // 256**place % 256) for place in reversed(range(count))])


def _variable_length(values: Any) -> Any:
    """As MIDI writes times: seven bits a byte, the first bit set where another byte follows."""
    low, high, highest = _byte(values % 128), _byte(values // 128 % 128 + 128), _byte(values // 128**2 % 128 + 128)
    two = tf.strings.join([high, low])
    return tf.where(values < 128, low, tf.where(values < 128**2, two, tf.strings.join([highest, two])))


def _silence(written: Written, tokens: Tokens) -> Any:
    """Ticks, int32 `[batch]`, by which the first bar is shorter than the metre."""
    whole = np.array(
        [round(event.whole * TICKS) if isinstance(event, tunes.Metre) else 0 for event in tokens.events], np.int32
    )
    place = places(written.numbers, tokens)
    is_bar = tf.gather(tokens.is_bar, written.numbers)
    first = tf.reduce_max(tf.where(is_bar & (place.bars == 1), place.begins, 0), 1)
    due = tf.gather(whole, written.metre)
    return tf.where(first > 0, tf.maximum(due - first, 0), 0)


def _metre_events(tokens: Tokens) -> np.ndarray[Any, Any]:
    """Of each token the MIDI event of the metre that it is, empty for others."""
    said = [_metre_event(event) if isinstance(event, tunes.Metre) else b"" for event in tokens.events]
    return np.array(said, object)


def _metre_event(metre: tunes.Metre) -> bytes:
    return b"\x00\xff\x58\x04" + bytes([metre.beats, metre.of.bit_length() - 1, 24, 8])


def _key_event(written: Written) -> Any:
    """Empty for keys of more than seven accidentals, which MIDI does not know."""
    number = sharps(written.keynote, written.mode)
    is_minor = tf.where(written.mode == MODES.index("min"), 1, 0)
    event = tf.strings.join([b"\x00\xff\x59\x02", _byte(number % 256), _byte(is_minor)])
    return tf.where(tf.abs(number) <= tunes.MOST_SHARPS, event, b"")


def midi(sounding: Sounds, written: Written, tokens: Tokens) -> Any:
    """MIDI files of one track, string `[batch]`, with tempo, metre and key. Before an upbeat the rest of its bar is
    silent, so that bars begin where the metre says."""
    pitch, begins, lasting = sounding
    begins += _silence(written, tokens)[:, None]
    ends = begins + lasting
    before = begins - tf.pad(ends[:, :-1], [[0, 0], [1, 0]])
    on = [_variable_length(tf.maximum(before, 0)), b"\x90", _byte(pitch), _byte(tf.fill(tf.shape(pitch), VELOCITY))]
    off = [_variable_length(lasting), b"\x80", _byte(pitch), b"\x00"]
    notes = tf.strings.reduce_join(tf.where(lasting > 0, tf.strings.join([*on, *off]), b""), 1)
    speed = tf.strings.join([b"\x00\xff\x51\x03", _big_endian(60_000_000 // written.tempo, 3)])
    metre, key = tf.gather(tf.constant(_metre_events(tokens)), written.metre), _key_event(written)
    track = tf.strings.join([speed, metre, key, b"\x00\xc0\x00", notes, b"\x00\xff\x2f\x00"])
    head = b"MThd\x00\x00\x00\x06\x00\x00\x00\x01" + (TICKS // 4).to_bytes(2, "big")
    return tf.strings.join([head, b"MTrk", _big_endian(tf.strings.length(track), 4), track])


# --- sound ---

RELEASE_SECONDS = 0.05
"""In which a note that has ended loses two thirds of its loudness."""
SOUNDING = 4
"""Notes that sound at once at most; all but the last one fade. What is cut off louder would click."""
LOUDNESS = 0.5


def wav(sounding: Sounds, tempo: Any, instrument: Any, lowest: int, rate: int) -> Any:
    """WAV files, string `[batch]`, 16-bit mono.

    Args:
      tempo: quarters in a minute, int32 `[batch]`.
      instrument: float `[pitches, samples]`, one note of each pitch from `lowest` (as MIDI has it) on; those beyond
        are played an octave or more off.
      rate: Hz, of the instrument and the file.
    """

    def one(row: Any) -> Any:
        *notes, speed = row
        samples = _played(Sounds(*notes), speed, instrument, lowest, rate)
        return tf.audio.encode_wav(samples[:, None], rate)

    return tf.map_fn(one, (*sounding, tempo), fn_output_signature=tf.TensorSpec([], tf.string))


def _played(sounding: Sounds, tempo: Any, instrument: Any, lowest: int, rate: int) -> Any:
    """float32 `[samples]` of one tune: each moment the note that began last, and those before it, which fade."""
    pitch, begins, lasting = sounding
    count = tf.maximum(tf.reduce_sum(tf.cast(lasting > 0, tf.int32)), 1)  # one of no length where there is none
    samples_a_tick = 60.0 * rate / (TICKS / 4 * tf.cast(tempo, tf.float32))
    begin = tf.cast(tf.cast(begins[:count], tf.float32) * samples_a_tick, tf.int32)
    end = tf.cast(tf.cast((begins + lasting)[:count], tf.float32) * samples_a_tick, tf.int32)
    pitches, length = tf.unstack(tf.shape(instrument))
    row = pitch[:count] - lowest
    row = tf.where(row < 0, row % 12, tf.where(row >= pitches, pitches - 12 + (row - pitches) % 12, row))
    moments = tf.range(tf.reduce_max(tf.concat([end, [0]], 0)) + int(5 * RELEASE_SECONDS * rate))
    changes = tf.concat([[0], begin, [tf.size(moments)]], 0)
    latest = tf.repeat(tf.range(-1, count), changes[1:] - changes[:-1])
    found = tf.zeros_like(moments, tf.float32)
    for back in range(SOUNDING):
        which = latest - back
        at = tf.maximum(which, 0)
        since = moments - tf.gather(begin, at)
        over = tf.cast(tf.maximum(moments - tf.gather(end, at), 0), tf.float32) / (RELEASE_SECONDS * rate)
        audible = (which >= 0) & (since < length) & (tf.gather(lasting, at) > 0)
        where = tf.stack([tf.gather(row, at), tf.clip_by_value(since, 0, length - 1)], -1)
        found += tf.where(audible, tf.cast(tf.gather_nd(instrument, where), tf.float32) * tf.exp(-over), 0.0)
    return tf.clip_by_value(LOUDNESS * found, -1.0, 1.0)

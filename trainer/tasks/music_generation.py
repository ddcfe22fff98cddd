"""Music generation (question 17): a recurrent decoder that writes tunes, note by note.

Method: an LSTM foresees each token of a tune by those before it, as folk-rnn does (Sturm et al. 2016); beside each
token it reads where in its bar the tune stands (`trainer.networks.tune_model`). Tokens (`data.media.tunes`): the mode
and the metre, then a note or rest with its length, a tuplet, or the end of a bar each, all tunes moved to C, so that
what is learnt of one key holds for all.

A `key`, a `metre` and an `opening` in ABC notation, each of which may be left open, -> a tune of at most so many
`bars`, drawn at a `temperature` by a `seed`: as ABC, as a MIDI file and as a WAV file, in which a piano plays it at a
`tempo` in quarters a minute (the asset `piano`, notes out of a sound font; `--set piano=FILE.sf2` takes another).

Judged by bits per token of whole tunes held out, behind mode and metre, ends included; and by the tunes that it writes:
the share of bars that music21 reads and that add up to their metre, of tunes in which all do, and of tunes that come to
an end of their own. A token that training saw less than twice is unknown: it costs its class's bits and 12 that name
it, and is never written.

Reference: a trigram of the same tokens with modified Kneser-Ney smoothing (Chen & Goodman 1999), and tunes drawn from
it.

Own data: a folder of `.abc` files, of any number of tunes each, and of `.mid` files, whose melody is the highest note
that sounds; or a table with a column `tune` of ABC.

Default data: 4,172 fiddle tunes (`fiddle_tunes`), 831 of them held out, none in another setting of which is learnt.
Measured scores and seconds: `docs/results.md`. Command: `benison run music_generation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.assets import piano
from data.columns import Given, Integer, Label, Number, Opening, Seed, Tune
from data.columns.opening import ANY
from data.media.tunes import keys
from data.sources.assets import read_tensors
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.features import tunes
from trainer.features.texts import END, PAD, START, UNKNOWN
from trainer.features.tunes import HEAD
from trainer.networks import sampling
from trainer.optimisers import optimizer
from trainer.preview import Preview, Sound, Words, as_text
from trainer.references.kneser_ney import KneserNey, framed, windows_of
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

MAX_TOKENS = 1_000
"""Of a tune that is learnt from."""
KEYS = (ANY, *keys())
METRES = (ANY, "2/2", "2/4", "3/4", "4/4", "5/4", "6/4", "3/2", "3/8", "5/8", "6/8", "7/8", "9/8", "12/8")
TOKENS_A_BAR = 20
"""So many are drawn at most, on average."""
ORDER = 3
"""Of the n-grams that a model is compared with."""
KEYNOTE_DRAW = 1_000_000
"""The random number by which the keynote is drawn, behind all of which tokens are."""


@dataclass(frozen=True)
class MusicGenerationHParams(HParams):
    epochs: int = field(default=12, metadata={"min": 1})
    min_steps: int = field(default=800, metadata={"min": 1})
    global_batch_size: int = field(default=32, metadata={"min": 1})
    learning_rate: float = field(default=4e-3, metadata={"min": 0.0})
    units: int = field(default=192, metadata={"min": 2})
    """Of each layer."""
    layers: int = field(default=1, metadata={"min": 1})
    embedding_size: int = field(default=64, metadata={"min": 1})
    dropout: float = field(default=0.2, metadata={"min": 0.0, "max": 0.95})
    piano: str = ""
    """A sound font (.sf2) of one's own, or the tensors of one."""


class MusicGeneration(Task):
    title = "Music generation"
    questions = (17,)
    modality = "music"
    data = "fiddle_tunes"
    columns = {
        "tune": Tune(max_tokens=MAX_TOKENS),
        "key": Given(kind=Label(classes=KEYS), default=ANY),
        "metre": Given(kind=Label(classes=METRES), default=ANY),
        "opening": Given(kind=Opening(key="key", metre="metre"), default=""),
        "bars": Given(kind=Integer(minimum=1, maximum=256), default=32),
        "temperature": Given(kind=Number(minimum=0.0, maximum=10.0), default=0.9),
        "tempo": Given(kind=Integer(minimum=20, maximum=600), default=180),
        "seed": Seed(),
    }
    targets = ("tune",)
    answered_examples = 256  # writing a tune takes long
    sequences = {"tune": "tune_length"}
    assets = {"piano": "piano"}
    HParams = MusicGenerationHParams
    small = {**Task.small, "units": 32, "embedding_size": 16, "learning_rate": 0.02, "min_steps": 120}
    predict_batch_size = 32

    def preprocess(self, inputs: Features) -> Features:
        given = {name: inputs[name] for name in ("key", "metre", "opening", "bars", "temperature", "tempo", "seed")}
        tune = tunes.index_tunes(inputs["tune"], MAX_TOKENS)
        keynote = tf.argmax(tf.cast(inputs["tune_keynote"][:, None] == tf.constant(tunes.KEYNOTES), tf.int64), -1)
        length = tf.reduce_sum(tf.cast(tune != PAD, tf.int64), 1)
        return {"tune": tune, "tune_length": length, "keynote": keynote, **given}

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.tune_model import TuneModel

        hparams, tokens = self.hparams, tunes.Tokens(spec.vocabularies)
        keynotes = _keynotes(spec.train(only=("tune", "keynote")), tokens)
        model = TuneModel(tokens, keynotes, hparams.embedding_size, hparams.units, hparams.layers, hparams.dropout)
        model.compile(optimizer(hparams, spec.steps, warmup=100, clip=1.0), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """`notes` are those of the tune, float32 `[batch, most, 3]`: pitch as MIDI has it, beginning and length in
        seconds; -1 behind the last. `remark` says where the tune is other than was asked for, `ended`, float32
        `[batch]`, is 1 where it came to an end of its own. In evaluation also what the tune that was held out costs."""
        tokens = model.tokens
        written, remark, ended = self._compose(model, features, tokens)
        sounding, tempo = tunes.sounds(written, tokens), written.tempo
        answer = {
            "abc": tunes.abc(written, tokens),
            "notes": _in_seconds(sounding, tempo),
            "remark": remark,
            "ended": ended,
            "midi_bytes": tunes.midi(sounding, written, tokens),
            "wav_bytes": tunes.wav(sounding, tempo, _instrument(spec), piano.LOWEST, piano.RATE),
        }
        if "tune" in features:  # in evaluation
            answer |= dict(zip(("bits", "tokens", "unknown_tokens"), model.bits(features["tune"]), strict=True))
        return answer

    def _compose(self, model: Any, features: Features, tokens: tunes.Tokens) -> tuple[tunes.Written, Any, Any]:
        wanted = _wanted(features, tokens)
        bars = tf.cast(features["bars"], tf.int32)
        steps = tf.reduce_max(bars) * TOKENS_A_BAR + tf.shape(wanted.forced)[1]
        none = tf.zeros_like(bars)
        choice = sampling.Choice(features["temperature"], none, tf.ones_like(features["temperature"]))
        made = model.compose(wanted.forced, choice, sampling.uniforms(features["seed"], 0, steps))
        ended = tf.cumsum(tf.cast(made == END, tf.int32), 1) > 0
        is_bar = tf.cast(tf.gather(tokens.is_bar, made), tf.int32)
        kept = ~ended & (tf.cumsum(is_bar, 1, exclusive=True) < bars[:, None])
        drawn_mode = tf.gather(_mode_numbers(tokens), made[:, 0])
        mode = tf.where(wanted.mode >= 0, wanted.mode, drawn_mode)
        keynote = tf.where(wanted.keynote >= 0, wanted.keynote, _draw_keynote(model.keynotes, mode, features["seed"]))
        numbers = tf.where(kept, made, PAD)[:, HEAD:]
        within = tf.cumsum(is_bar, 1, exclusive=True) <= bars[:, None]
        own_end = tf.cast(tf.reduce_any((made == END) & within, 1), tf.float32)
        written = tunes.Written(numbers, keynote, mode, made[:, 1], tf.cast(features["tempo"], tf.int32))
        return written, wanted.remark, own_end

    def metrics(self) -> Evaluation:
        language, written = "trainer.metrics.language", "trainer.metrics.tunes"
        return Evaluation(
            prediction=("bits", "tokens"),
            label="tune",
            raw_label=True,
            targets_seen=True,
            metrics=(
                Metric("bits_per_token", "BitsPerToken", language),
                Metric("unknown_tokens", "ShareUnknownTokens", language, prediction=("unknown_tokens", "tokens")),
                *(Metric(name, name, written, runs_model=True) for name in ("valid_bars", "valid_tunes", "own_end")),
            ),
            gates=(
                Gate("bits_per_token", higher_is_better=False, baseline_margin=0.02),
                Gate("valid_bars", baseline_margin=0.05),
            ),
            slices=("tune_metre",),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.metrics.tunes import BARS, TEMPO, TUNES, all_right, bars_that_add_up, share_right

        tokens = tunes.Tokens(spec.vocabularies)
        counted = KneserNey(ORDER, _windows(train["tune"]), len(tokens))
        judged = _windows(evaluation["tune"], HEAD)
        bits = -np.log2(counted.probabilities(judged)) + tunes.SPELLING_BITS * (judged[:, -1] == UNKNOWN)
        drawn = tf.constant(_drawn(counted, tokens, TUNES, BARS, self.hparams.seed))
        mode = tf.gather(_mode_numbers(tokens), drawn[:, 0])
        written = tunes.Written(drawn[:, HEAD:], tf.zeros_like(mode), mode, drawn[:, 1], tf.zeros_like(mode) + TEMPO)
        bars = [bars_that_add_up(text.decode()) for text in tunes.abc(written, tokens).numpy()]
        scores = {
            "bits_per_token": float(bits.mean()),
            "valid_bars": float(np.mean([share_right(one) for one in bars])),
            "valid_tunes": float(np.mean([all_right(one) for one in bars])),
        }
        return {"trigram, Kneser-Ney": scores}

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        return Assessment(as_text(prediction["abc"]))

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        abc, notes = as_text(prediction["abc"]), np.asarray(prediction["notes"])
        head = dict(line.split(":", 1) for line in reversed(abc.splitlines()) if line[1:2] == ":")  # not a later metre
        parts = [
            Sound.of_file(prediction["wav_bytes"], "played by a piano", notes[notes[:, 2] > 0]),
            Words(abc, caption=as_text(prediction["remark"]) or "ABC notation"),
        ]
        return Preview(f"{head['K']}, {head['M']}", correct=None, slice={}, parts=parts)

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        return {name: answer[name] for name in ("abc", "remark") if answer[name]}


# --- what is asked for ---


@dataclass(frozen=True)
class _Wanted:
    """`forced` as `TuneModel.compose` takes it; of each row `keynote` and `mode`, -1 where they are to be drawn."""

    forced: Any
    keynote: Any
    mode: Any
    remark: Any


def _wanted(features: Features, tokens: tunes.Tokens) -> _Wanted:
    from trainer.networks.tune_model import FREE

    key = tf.argmax(tf.cast(features["key"][:, None] == tf.constant(KEYS), tf.int32), -1)
    places = np.array([(-1, -1), *(tunes.key_places()[name] for name in KEYS[1:])], np.int32)
    keynote, mode = tf.unstack(tf.gather(places, key), axis=-1)
    words = tf.gather(tf.constant(list(tunes.MODES)), tf.maximum(mode, 0))
    mode_token = tf.where(mode >= 0, tokens.number(words), FREE)
    metre_token = tokens.number(tf.strings.join(["M:", features["metre"]]))
    is_any = features["metre"] == ANY
    unheard_metre = ~is_any & (metre_token == UNKNOWN)
    metre_token = tf.where(is_any | unheard_metre, tf.constant(FREE, tf.int64), metre_token)
    opening_words = tf.strings.split(features["opening"]).to_tensor("")
    opening = tf.where(tf.strings.length(opening_words) > 0, tokens.number(opening_words), FREE)
    remark = tf.strings.join(
        [
            tf.where(unheard_metre, "training saw no tune in this metre, so that another was drawn; ", ""),
            tf.where(mode_token == UNKNOWN, "training saw no tune in such a mode; ", ""),
            tf.where(
                tf.reduce_any(opening == UNKNOWN, 1), "notes of the opening that training never saw are left out; ", ""
            ),
        ]
    )
    forced = tf.concat([mode_token[:, None], metre_token[:, None], opening], 1)
    return _Wanted(forced, keynote, mode, remark)


def _mode_numbers(tokens: tunes.Tokens) -> np.ndarray[Any, Any]:
    """int32 `[tokens]`: the mode that each is, 0 for others."""
    return np.array([tunes.MODES.index(word) if word in tunes.MODES else 0 for word in tokens.words], np.int32)


def _keynotes(train: Arrays, tokens: tunes.Tokens) -> np.ndarray[Any, Any]:
    """float32 `[keynotes, modes]`: how often each is the keynote of a mode; where a mode does not occur all usual ones
    alike."""
    counts = np.zeros((len(tunes.KEYNOTES), len(tunes.MODES)), np.float32)
    np.add.at(counts, (train["keynote"], _mode_numbers(tokens)[train["tune"][:, 0]]), 1)
    counts += (counts.sum(0) == 0) * tunes.is_usual()
    return counts / counts.sum(0)


def _draw_keynote(keynotes: Any, mode: Any, seed: Any) -> Any:
    uniform = sampling.uniforms(seed, KEYNOTE_DRAW, 1)
    reached = tf.cumsum(tf.gather(tf.transpose(tf.convert_to_tensor(keynotes)), mode), axis=1)
    passed = tf.reduce_sum(tf.cast(reached <= uniform, tf.int32), 1)
    return tf.minimum(passed, len(tunes.KEYNOTES) - 1)


# --- what is answered ---


def _in_seconds(sounding: tunes.Sounds, tempo: Any) -> Any:
    seconds = 240.0 / (tunes.TICKS * tf.cast(tempo, tf.float32))[:, None]
    times = [tf.cast(one, tf.float32) * seconds for one in (sounding.begins, sounding.lasting)]
    notes = tf.stack([tf.cast(sounding.pitch, tf.float32), *times], -1)
    return tf.where((sounding.lasting > 0)[..., None], notes, -1.0)


def _instrument(spec: DataSpec) -> Any:
    """float16 `[pitches, samples]`: the asset's notes or, without it, plain tones that fade."""
    if file := spec.assets.get("piano"):
        return tf.constant(read_tensors(file)["notes"].astype(np.float16))
    seconds = np.arange(round(piano.SECONDS * piano.RATE)) / piano.RATE
    hertz = 440 * 2 ** ((np.arange(piano.LOWEST, piano.LOWEST + piano.PITCHES)[:, None] - 69) / 12)
    return tf.constant((0.5 * np.sin(2 * np.pi * hertz * seconds) * np.exp(-3 * seconds)).astype(np.float16))


# --- the reference ---


def _windows(tune: np.ndarray[Any, Any], head: int = 0) -> np.ndarray[Any, Any]:
    """Each token behind the first `head` once, ends included, behind the two before it: int64 `[tokens, ORDER]`."""
    return windows_of(framed(tune, ORDER, PAD, START, END)[:, head:], ORDER, PAD)


def _drawn(counted: KneserNey, tokens: tunes.Tokens, count: int, bars: int, seed: int) -> np.ndarray[Any, Any]:
    """Tunes drawn from an n-gram, int64 `[count, steps]` with mode and metre, of at most so many bars."""
    rng = np.random.default_rng(seed)
    steps, may_stand = bars * TOKENS_A_BAR, tokens.may_stand
    made = np.full((count, ORDER - 1 + steps), PAD, np.int64)
    made[:, ORDER - 2] = START
    going, ended_bars = np.ones(count, bool), np.zeros(count, np.int64)
    for step in range(steps):
        before = made[going, step : step + ORDER - 1]
        found = counted.following(before) * may_stand[min(step, HEAD)]
        reached = np.cumsum(found / found.sum(1, keepdims=True), 1)
        drawn = np.minimum((reached <= rng.random(len(before))[:, None]).sum(1), len(tokens) - 1)
        made[going, step + ORDER - 1] = np.where(drawn == END, PAD, drawn)
        ended_bars[going] += tokens.is_bar[drawn]
        going[np.flatnonzero(going)[drawn == END]] = False
        going &= ended_bars < bars
        if not going.any():
            break
    return made[:, ORDER - 1 :]

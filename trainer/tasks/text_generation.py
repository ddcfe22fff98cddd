"""Text generation (question 21): a recurrent decoder that goes on with a text, character by character.

Method: an LSTM reads characters and says how likely each is to be the next (Graves 2013). A gate mixes its answer with
that of a smoothed 5-gram of the same train text, which knows rare sequences from the first step on (as Mikolov et al.
2010 mixed them); `--set ngrams=false` takes the network alone. See `trainer.networks.character_model`.
A `prompt`, which may be empty, -> its continuation `text` of `length` characters, drawn at a `temperature`, from the
`top_k` most probable characters or those that make up `top_p`, by a `seed` (`trainer.networks.sampling`).

Any script: a character is a Unicode code point in NFC, and those that training saw at least twice are told apart. Any
other is one class, unknown: it costs that class's bits and the bits that name it among all of Unicode's, and is never
written. Judged by bits per character of whole texts held out, each character by up to 256 before it; by how many of its
pairs of words are different (distinct-2, Li et al. 2016); and by the longest stretch copied from the train text.

Reference: a 5-gram of characters with modified Kneser-Ney smoothing (Chen & Goodman 1999), on the same characters.

Own data: a folder of `.txt` files, or a table with a column `text`. A fifth of the texts is held out, of a single text
its end.

Default data: Shakespeare's works (`shakespeare`), 37 to train and 5 held out.
Measured scores and seconds: `docs/results.md`. Command: `benison run text_generation`.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Derived, Excerpt, Given, Integer, Number, Seed, Text
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.features import characters
from trainer.networks import sampling
from trainer.optimisers import optimizer
from trainer.preview import Preview, Words, as_text
from trainer.references.kneser_ney import KneserNey, windows_of
from trainer.streaming import Streams
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

CHARACTERS, CONTEXT = 192, 64
"""Of an excerpt, and before it."""

OPENING = 64
"""Characters of an excerpt that are continued where nobody gives a prompt."""

PIECE = 16
"""Characters that are shown at a time, while a text is being written."""

ORDER = 5
"""Of the n-grams that a model is mixed and compared with."""


def opening(text: bytes, number: int) -> str:
    """The first OPENING characters of a text, and what belongs to the last of them."""
    whole = text.decode()
    end = OPENING
    while end < len(whole) and (unicodedata.combining(whole[end]) or whole[end] == "\u200d"):
        end += 1
    return whole[:end]


@dataclass(frozen=True)
class TextGenerationHParams(HParams):
    epochs: int = field(default=1, metadata={"min": 1})
    min_steps: int = field(default=1000, metadata={"min": 1})
    global_batch_size: int = field(default=16, metadata={"min": 1})
    learning_rate: float = field(default=5e-3, metadata={"min": 0.0})
    units: int = field(default=128, metadata={"min": 2})
    """Of each layer."""
    layers: int = field(default=1, metadata={"min": 1})
    embedding_size: int = field(default=64, metadata={"min": 1})
    ngrams: bool = True
    """Whether a smoothed n-gram of the train text is mixed in."""
    dropout: float = field(default=0.0, metadata={"min": 0.0, "max": 0.95})
    remembered: int = field(default=5_000_000, metadata={"min": 1})
    """Characters of the train text in which copies are looked for, at most; 8 bytes of the model each."""


class TextGeneration(Task, Streams):
    title = "Text generation"
    questions = (21,)
    modality = "text"
    data = "shakespeare"
    columns = {
        "text": Excerpt(characters=CHARACTERS, context=CONTEXT),
        "prompt": Derived(of="text", kind=Text(min_characters=0, max_characters=10_000), how=opening),
        "temperature": Given(kind=Number(minimum=0.0, maximum=10.0), default=0.8),
        "length": Given(kind=Integer(minimum=1, maximum=10_000), default=200),
        "top_k": Given(kind=Integer(minimum=0, maximum=100_000), default=0),
        "top_p": Given(kind=Number(minimum=0.0, maximum=1.0), default=1.0),
        "seed": Seed(),
    }
    targets = ("text",)
    HParams = TextGenerationHParams
    small = {
        **Task.small,
        "units": 32,
        "embedding_size": 16,
        "learning_rate": 0.03,
        "min_steps": 120,
        "ngrams": False,
        "remembered": 10_000,
    }
    streamed = "text"
    reference_examples = 100_000
    answered_examples = 128

    def preprocess(self, inputs: Features) -> Features:
        given = {name: inputs[name] for name in ("prompt", "temperature", "length", "top_k", "top_p", "seed")}
        text = characters.index_excerpts(inputs["text"], inputs["text_before"], CHARACTERS, CONTEXT)
        return {"text": text, **given}

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.character_model import CharacterModel
        from trainer.networks.suffixes import rejoined

        hparams = self.hparams
        train = spec.train(limit=self.reference_examples)["text"]
        model = CharacterModel(
            _size(spec),
            hparams.embedding_size,
            hparams.units,
            hparams.layers,
            hparams.dropout,
            _counted(train, spec) if hparams.ngrams else None,
            rejoined(train, CONTEXT, characters.PAD)[: hparams.remembered],
        )
        model.compile(optimizer(hparams, spec.steps, warmup=100, clip=1.0), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """`text` goes on from the prompt. `longest_copy` is how many characters of it stand like this in the train
        text; `prompt_bits` is what the prompt costs, `prompt_unknown` how many of its `prompt_characters` are unknown
        to the model. In evaluation the same of the excerpt, too."""
        _, state = self._drawn(model, self.begin(model, features, spec), tf.reduce_max(features["length"]))
        answer = self.finish(model, state, spec)
        if "text" in features:  # in evaluation
            found = zip(("bits", "characters", "unknown_characters"), _bits(model, features["text"]), strict=True)
            answer |= dict(found)
        return answer

    def begin(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """The network's state before the last character of the prompt, that character, what the prompt costs, how to
        draw, how many characters to write, how many are made, and room for them."""
        read = characters.index_texts(features["prompt"], characters.points_of(spec.vocabularies))
        padded = tf.pad(read, [[0, 0], [2, 0]], constant_values=characters.PAD)
        state = {f"state_{i}": tensor for i, tensor in enumerate(model.read(padded[:, :-1]))}
        chosen = {name: features[name] for name in ("temperature", "top_k", "top_p", "seed", "length")}
        bits, counted, unknown = _bits(model, tf.pad(read, [[0, 0], [CONTEXT, 0]]))
        costs = {"prompt_bits": bits, "prompt_characters": counted, "prompt_unknown": unknown}
        made, longest = tf.zeros_like(features["seed"]), tf.reduce_max(features["length"])
        written = tf.zeros(tf.stack([tf.size(made, tf.int64), longest]), tf.int64)
        return {**state, **costs, **chosen, "last": padded[:, -1], "made": made, "written": written}

    def go_on(self, model: Any, state: Features, spec: DataSpec) -> tuple[Any, Any, Features]:
        left = state["length"] - state["made"]
        numbers, after = self._drawn(model, state, tf.minimum(tf.constant(PIECE, tf.int64), tf.reduce_max(left)))
        counts = tf.clip_by_value(left, 0, PIECE)
        piece = characters.join_characters(numbers, characters.points_of(spec.vocabularies), counts)
        return piece, left <= PIECE, after

    def finish(self, model: Any, state: Features, spec: DataSpec) -> Features:
        written, length = state["written"], state["length"]
        costs = {name: state[name] for name in ("prompt_bits", "prompt_characters", "prompt_unknown")}
        return costs | {
            "text": characters.join_characters(written, characters.points_of(spec.vocabularies), length),
            "longest_copy": model.suffixes.longest_copy(written, length),
        }

    def _drawn(self, model: Any, begun: Features, steps: Any) -> tuple[Any, Features]:
        """So many more characters, int64 `[batch, steps]`, and what goes on from them."""
        names = [name for name in begun if name.startswith("state_")]
        choice = sampling.Choice(begun["temperature"], begun["top_k"], begun["top_p"])
        uniform = sampling.uniforms(begun["seed"], begun["made"][0], steps)
        numbers, state = sampling.generate(model.step, begun["last"], [begun[name] for name in names], choice, uniform)
        made, written = begun["made"], begun["written"]
        until = made[0] + tf.cast(steps, tf.int64)
        after = {**begun, **dict(zip(names, state, strict=True)), "last": numbers[:, -1]}
        after["written"] = tf.concat([written[:, : made[0]], numbers, written[:, until:]], 1)
        return numbers, {**after, "made": tf.fill(tf.shape(made), until)}

    def metrics(self) -> Evaluation:
        module = "trainer.metrics.language"
        return Evaluation(
            prediction=("bits", "characters"),
            label="text",
            raw_label=True,
            targets_seen=True,
            metrics=(
                Metric("bits_per_character", "BitsPerCharacter", module),
                Metric(
                    "prompt_bits_per_character",
                    "PromptBitsPerCharacter",
                    module,
                    prediction=("prompt_bits", "prompt_characters"),
                ),
                Metric("unknown_characters", "ShareUnknown", module, prediction=("unknown_characters", "characters")),
                Metric("distinct_2", "distinct_pairs", "trainer.metrics.written", runs_model=True),
                Metric("longest_copy", "longest_copy", "trainer.metrics.written", runs_model=True),
            ),
            gates=(Gate("bits_per_character", higher_is_better=False, baseline_margin=0.01),),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        """The n-gram alone: a 5-gram of characters."""
        judged = _windows(evaluation["text"])
        bits = -np.log2(_counted(train["text"], spec).probabilities(judged))
        bits += characters.SPELLING_BITS * (judged[:, -1] == characters.UNKNOWN)
        return {f"{ORDER}-gram, Kneser-Ney": {"bits_per_character": float(bits.mean())}}

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        """The truth is how the text itself goes on; the loss is of the prompt, as the model reads it."""
        prompt, characters_read = as_text(example["prompt"]), float(prediction["prompt_characters"])
        return Assessment(
            as_text(prediction["text"]),
            as_text(example["text"])[len(prompt) :] if "text" in example else "",
            loss=float(prediction["prompt_bits"]) / characters_read if characters_read else None,
            loss_name="bits per character of the prompt",
        )

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        prompt, text = as_text(example["prompt"]), as_text(prediction["text"])
        copied = int(prediction["longest_copy"])
        caption = f"goes on (longest copy from the train text: {copied} characters)"
        parts = [Words(prompt, caption="prompt"), Words(text, caption=caption)]
        if "text" in example:
            parts.append(Words(as_text(example["text"])[len(prompt) :], caption="the text itself"))
        return Preview(title=text[:60], correct=None, slice={}, parts=parts)

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        row = {"text": as_text(example["prompt"]) + answer["text"], "longest copy": answer["longest_copy"]}
        return row | ({"unknown in the prompt": answer["prompt_unknown"]} if answer["prompt_unknown"] else {})


def _bits(model: Any, text: Any) -> tuple[Any, Any, Any]:
    """Of excerpts, int64 `[batch, CONTEXT + characters]`: the bits of all characters, how many there are, and how many
    of them are unknown; float32 `[batch]` each. What is before an excerpt is read, and not counted."""
    scored = text[:, CONTEXT:]
    unknown = tf.cast(scored == characters.UNKNOWN, tf.float32)
    bits = model.nats(text)[:, CONTEXT - 1 :] / math.log(2.0) + unknown * characters.SPELLING_BITS
    present = tf.cast(scored != characters.PAD, tf.float32)
    return tuple(tf.reduce_sum(one, 1) for one in (bits, present, unknown))


def _size(spec: DataSpec) -> int:
    """Characters that are told apart, special ones included."""
    return len(characters.points_of(spec.vocabularies)) + characters.NUM_SPECIAL


def _counted(text: np.ndarray, spec: DataSpec) -> KneserNey:
    """The n-gram of excerpts."""
    return KneserNey(ORDER, _windows(text), _size(spec))


def _windows(text: np.ndarray) -> np.ndarray:
    """Each character of excerpts `[n, CONTEXT + CHARACTERS]` once, behind those before it: int64 `[characters, ORDER]`.
    What is before an excerpt is of another."""
    return windows_of(text[:, CONTEXT - ORDER + 1 :], ORDER, characters.PAD)

"""Dialogue generation (question 29): a reply to what was said, written by an encoder and a decoder.

Method: a Transformer (Vaswani et al. 2017) reads what was said before and writes the reply token by token (Vinyals & Le
2015), mixed by a gate with a smoothed trigram of the train split's replies (Mikolov et al. 2010), so that it is of use
on a thousand replies as on a million; see `trainer.networks.replier`. `context`, a list of turns, the oldest first ->
`reply`, drawn at a `temperature` from the `top_k` most probable tokens or those that make up `top_p`, by a `seed`
(`trainer.networks.sampling`). `benison chat dialogue_generation` holds a conversation; its last turns are the context.

Of the context the last `context_tokens` are read, with END behind each turn and what was said last in the first
place; how many turns were not read as a whole is said with each answer, and the share of replies longer than
`reply_tokens`, whose rest is neither learnt nor judged, by the metric `replies_cut`. Perplexity is that of a token of
`trainer.features.texts`: words with the space before them, and pieces of rarer words, of a vocabulary that the run
makes; the end of a reply is one, too. So it is to be compared within a run, and bits per character with others.
Distinct-2 (Li et al. 2016) is of the replies that are drawn to the eval split's contexts at default inputs.

Reference: a trigram with modified Kneser-Ney smoothing (Chen & Goodman 1999) of the replies, on the same tokens, which
does not know what was said.

Own data: `messages` with role and content, whole conversations of which are held out, or tables of context and
response.

Default data: chats of two students (`chitchat`), without profanity and personal data as far as stated rules find it.
Measured scores and seconds: `docs/results.md`. Command: `benison run dialogue_generation`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Given, Identifier, Integer, Number, Text, Turns
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.conversation import Converses, Turn
from trainer.features import texts
from trainer.networks import sampling
from trainer.optimisers import optimizer
from trainer.preview import Exchange, Preview, Said, as_text
from trainer.references.kneser_ney import KneserNey, framed, windows_of
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

ORDER = 3
"""Of the n-grams that a model is mixed and compared with."""

VOCABULARY = "said"
CHOSEN = ("temperature", "top_k", "top_p", "seed")


@dataclass(frozen=True)
class DialogueGenerationHParams(HParams):
    epochs: int = field(default=1, metadata={"min": 1})
    min_steps: int = field(default=600, metadata={"min": 1})
    global_batch_size: int = field(default=64, metadata={"min": 1})
    learning_rate: float = field(default=2e-3, metadata={"min": 0.0})
    words: int = field(default=4000, metadata={"min": 1})
    """Words that are tokens of their own, the most frequent ones; others are spelt in pieces and characters."""
    pieces: int = field(default=1000, metadata={"min": 0})
    context_tokens: int = field(default=48, metadata={"min": 1})
    """Of what was said, the last ones."""
    reply_tokens: int = field(default=40, metadata={"min": 1})
    units: int = field(default=128, metadata={"min": 4})
    """A multiple of `heads`."""
    layers: int = field(default=1, metadata={"min": 1})
    """Of the encoder, and of the decoder."""
    heads: int = field(default=4, metadata={"min": 1})
    dropout: float = field(default=0.1, metadata={"min": 0.0, "max": 0.95})


class DialogueGeneration(Task, Converses):
    title = "Dialogue generation"
    questions = (29,)
    modality = "text"
    data = "chitchat"
    columns = {
        "context": Turns(
            reply="response", conversation="conversation", description="what was said, a line a turn, the oldest first"
        ),
        "response": Text(max_characters=20_000, description="what is answered"),
        "conversation": Identifier(optional=True, description="the same of all replies in a conversation"),
        "temperature": Given(kind=Number(minimum=0.0, maximum=10.0), default=0.7),
        "top_k": Given(kind=Integer(minimum=0, maximum=100_000), default=0),
        "top_p": Given(kind=Number(minimum=0.0, maximum=1.0), default=0.9),
        "seed": Given(kind=Integer(), default=0),
    }
    targets = ("response", "conversation")
    split_by = "conversation"
    sequences = {"response": "response_length", "context": "context_length"}
    HParams = DialogueGenerationHParams
    small = {
        **Task.small,
        "units": 32,
        "heads": 2,
        "learning_rate": 0.01,
        "min_steps": 100,
        "dropout": 0.0,
        "context_tokens": 8,
        "reply_tokens": 8,
    }
    reference_examples = 100_000
    answered_examples = 128

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `context` and `response`, tokens int64 `[batch, context_tokens]` and `[batch, reply_tokens]`, padded with PAD,
          what was said last in the first place; `context_length` and `response_length`, how many there are;
          `context_left_out`, turns that are not read as a whole, and `response_left_out`, tokens behind those; what was
          chosen.
        """
        hparams = self.hparams
        said = tf.strings.split(inputs["context"], "\n")
        last = within_reach(tf.reverse(said, [1]), hparams.context_tokens)
        turns, answers = texts.split_words(last.values), texts.split_words(inputs["response"])
        answered = tf.gather(turns, last.row_starts())  # each turn counts as that and as a response, whatever follows
        spelt = tf.concat([answered.flat_values, answers.flat_values], 0)
        tokens = texts.tokenizer(spelt, VOCABULARY, hparams.words, hparams.pieces)
        latest_first = last.with_values(tokens(turns))
        context = backwards(latest_first)[:, : hparams.context_tokens]
        every = tokens(answers)
        response = every[:, : hparams.reply_tokens]
        found = {name: inputs[name] for name in CHOSEN}
        found["seed"] += tf.strings.to_hash_bucket_fast(inputs["context"], 2**31)  # another for each context
        return found | {
            "context": context.to_tensor(texts.PAD, shape=[None, hparams.context_tokens]),
            "context_length": context.row_lengths(),
            "context_left_out": said.row_lengths() - read_whole(latest_first, hparams.context_tokens),
            "response": response.to_tensor(texts.PAD, shape=[None, hparams.reply_tokens]),
            "response_length": response.row_lengths(),
            "response_left_out": every.row_lengths() - response.row_lengths(),
        }

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.replier import Replier

        hparams, size = self.hparams, len(texts.token_texts(spec.vocabularies, VOCABULARY))
        trigram = KneserNey(ORDER, _windows(spec.train(limit=self.reference_examples)["response"]), size)
        model = Replier(size, hparams.units, hparams.layers, hparams.heads, hparams.dropout, trigram)
        model.compile(optimizer(hparams, spec.steps, warmup=100, clip=1.0), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """`reply`; `context_left_out`, turns of the context that were not read as a whole, and `context_unknown`,
        characters of what was read that the model does not know. In evaluation what the reply of the data costs:
        `bits`, its `tokens`, its end among them unless it was cut, how many of them are `unknown_tokens`, its
        `characters`, and `reply_left_out`, tokens of it that are not judged."""
        most = self.hparams.reply_tokens
        encoded = model.encode(features["context"], features["context_length"], most)
        choice = sampling.Choice(features["temperature"], features["top_k"], features["top_p"])
        drawn = model.sample(encoded, choice, sampling.uniforms(features["seed"], 0, most))
        spelt = texts.token_texts(spec.vocabularies, VOCABULARY)
        answer = {
            "reply": texts.join_tokens(drawn, spelt),
            "context_left_out": features["context_left_out"],
            "context_unknown": tf.reduce_sum(tf.cast(features["context"] == texts.UNKNOWN, tf.int64), 1),
        }
        if "response" in features:  # in evaluation
            answer |= self._judged(model, features, spelt)
        return answer

    def _judged(self, model: Any, features: Features, spelt: Sequence[str]) -> Features:
        from trainer.networks.teacher_forcing import given_and_wanted

        given, wanted = given_and_wanted(features["response"])
        judged = tf.cast(_is_judged(wanted, features["response_left_out"]), tf.float32)
        bits = model.nats({**features, "given": given}, wanted) / math.log(2.0)
        unknown = tf.reduce_sum(tf.cast(wanted == texts.UNKNOWN, tf.float32), 1)  # a character each, without a text
        known = tf.strings.length(texts.join_tokens(features["response"], spelt), "UTF8_CHAR")
        return {
            "bits": tf.reduce_sum(bits * judged, 1),
            "tokens": tf.reduce_sum(judged, 1),
            "unknown_tokens": unknown,
            "characters": tf.cast(known, tf.float32) + unknown,
            "reply_left_out": features["response_left_out"],
        }

    def metrics(self) -> Evaluation:
        module = "trainer.metrics.language"
        return Evaluation(
            prediction=("bits", "tokens"),
            label="response",
            raw_label=True,
            targets_seen=True,
            metrics=(
                Metric("perplexity", "Perplexity", module),
                Metric("bits_per_character", "BitsPerCharacter", module, prediction=("bits", "characters")),
                Metric("unknown_tokens", "ShareUnknownTokens", module, prediction=("unknown_tokens", "tokens")),
                Metric("distinct_2", "DistinctPairs", "trainer.metrics.diversity", prediction="reply"),
                Metric("replies_cut", "ShareAboveZero", "trainer.metrics.classification", prediction="reply_left_out"),
            ),
            gates=(Gate("perplexity", higher_is_better=False, baseline_margin=0.5),),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        size = len(texts.token_texts(spec.vocabularies, VOCABULARY))
        judged = _windows(evaluation["response"], evaluation["response_left_out"])
        bits = -np.log2(KneserNey(ORDER, _windows(train["response"]), size).probabilities(judged))
        return {"trigram, Kneser-Ney": {"perplexity": float(2 ** bits.mean())}}

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        return Assessment(as_text(prediction["reply"]), as_text(example.get("response", "")))

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        said, reply = as_text(example["context"]), as_text(prediction["reply"])
        lines = said.split("\n")
        turns = [Said(line, answers=(len(lines) - i) % 2 == 0) for i, line in enumerate(lines)]  # they take turns
        turns.append(Said(reply, answers=True, note="reply"))
        if "response" in example:
            turns.append(Said(as_text(example["response"]), answers=True, note="what a person answered"))
        return Preview(title=reply[:60], correct=None, slice={}, parts=(Exchange(turns),))

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        told = {"turns not read whole": answer["context_left_out"], "characters not known": answer["context_unknown"]}
        return {"reply": answer["reply"]} | {what: count for what, count in told.items() if count}

    def turn_inputs(self, turns: Sequence[Turn], line: str) -> Mapping[str, str]:
        said = [text for turn in turns for text in (turn.said, turn.answered)]
        return {"context": json.dumps([*(text for text in said if text.strip()), line], ensure_ascii=False)}

    def turn(self, turns: Sequence[Turn], line: str, prediction: Mapping[str, Any]) -> Turn:
        told = {name: int(prediction[name]) for name in ("context_left_out", "context_unknown")}
        return Turn(line, as_text(prediction["reply"]), told)


def within_reach(turns: Any, tokens: int) -> Any:
    """Of turns, string RaggedTensor `[batch, turns]`, the last first, those of which some of the first `tokens` tokens
    may be: between two blanks is a token at least, and END is one of each turn."""
    least = turns.with_values(tf.strings.split(turns.values).row_lengths() + 1)
    before = tf.cumsum(least.to_tensor(), 1, exclusive=True)
    return tf.ragged.boolean_mask(turns, tf.RaggedTensor.from_tensor(before < tokens, turns.row_lengths()))


def backwards(turns: Any) -> Any:
    """Tokens of turns, int64 RaggedTensor `[batch, turns, tokens]`, the last turn first, one behind the other: END of
    each, then its last token to its first; RaggedTensor `[batch, tokens]`."""
    of_turns = turns.values
    ends = tf.fill([of_turns.nrows(), 1], tf.constant(texts.END, tf.int64))
    return turns.with_values(tf.concat([ends, tf.reverse(of_turns, [1])], 1)).merge_dims(1, 2)


def read_whole(turns: Any, tokens: int) -> Any:
    """Of turns as `backwards` takes them how many are within the first `tokens` of its tokens: int64 `[batch]`."""
    up_to = tf.cumsum(turns.with_values(turns.values.row_lengths() + 1).to_tensor(tokens), 1)
    return tf.reduce_sum(tf.cast(up_to <= tokens, tf.int64), 1)


def _is_judged(wanted: Any, left_out: Any) -> Any:
    """Whether each token counts, bool `[batch, steps]`: that a reply ends is none of what was cut."""
    return (wanted != texts.PAD) & ((wanted != texts.END) | (left_out == 0)[:, None])


def _windows(replies: np.ndarray, left_out: np.ndarray | None = None) -> np.ndarray:
    """Each token of replies, int64 `[n, tokens]`, and the END of each, behind those before it: int64 `[tokens, ORDER]`.
    Of replies that were cut, as `left_out` says, without END."""
    found = framed(replies, ORDER, texts.PAD, texts.START, texts.END)
    if left_out is not None:
        found[(found == texts.END) & (left_out > 0)[:, None]] = texts.PAD
    return windows_of(found, ORDER, texts.PAD)

"""Dialogue system (question 15): what does somebody want, of what, and what is to be answered?

Method: word embeddings and two bidirectional LSTM layers tell the intent of a text and its slots together (Liu & Lane
2016), see `trainer.networks.joint_intents`. Slots are told word by word with BIO tags; the intent by a large margin
cosine loss, so that a text which is near no intent is "unknown" (Lin & Xu 2019). A text -> `label`, the nearest
`intents` with their `scores`, (cosine + 1) / 2, `slots` with their places in code points, and the `reply`.

`benison chat dialogue_system` holds a conversation: it fills the slots of the reply that the data's own table gives
(`data.replies`), asks for one that is missing and takes the next line for its value, carries slots over to a line that
only names others ("and in the kitchen?"), and says when it did not understand.

Intents that evaluation alone has are what is not to be understood. `intent_accuracy` is of the learnt ones, whatever
the threshold; `slot_f1` of exact spans, as CoNLL's script counts them, in their texts; `unknown_refused` the share of
the others below the score that 5 % of the learnt fall short of; `accuracy` counts an answer right that names the learnt
and refuses the others. The model's own threshold refuses 5 % of the training texts, as it learns them.

References: TF-IDF of words and pairs of words with logistic regression, whose threshold refuses 5 % of the train split
in cross-validation; a dictionary of the slots' values.

Default data: sentences to a house, expanded from templates (`home_intents`), which no person said; templates, a fifth
of the values and 23 intents stand in evaluation alone. Measured scores and seconds: `docs/results.md`.
Command: `benison run dialogue_system`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Label, Reply, Tags, Text, Value
from data.errors import BadValue, BenisonError
from data.replies import Reply as ReplyText
from trainer import assessment
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.conversation import Converses, Turn
from trainer.families import classification
from trainer.families.identification import UNKNOWN, Identifies
from trainer.features import optional, spans
from trainer.optimisers import optimizer
from trainer.preview import Bars, Exchange, Part, Preview, Said, Words, as_text
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

MAX_CHARACTERS = 300
MAX_SLOTS = 32
"""Of one text; one of more is a bad record."""
AFFIXES = 4096
"""Numbers that first and last characters of words are hashed to."""
REFUSED = 0.05
"""Share of the train split's texts that the threshold refuses."""
TOP = 3
"""Nearest intents that an answer names."""
NOT_UNDERSTOOD = "I did not understand that."
"""Said where the data's table of replies has no row without an intent."""

_SEQUENCES = ("words", "heads", "tails", "starts", "ends")


@dataclass(frozen=True)
class DialogueSystemHParams(HParams):
    epochs: int = field(default=10, metadata={"min": 1})
    min_steps: int = field(default=600, metadata={"min": 1})
    global_batch_size: int = field(default=64, metadata={"min": 1})
    learning_rate: float = field(default=4e-3, metadata={"min": 0.0})
    words: int = field(default=20_000, metadata={"min": 1})
    """Of the train split the most frequent, which have an embedding of their own; others have that of the unknown."""
    units: int = field(default=64, metadata={"min": 2})
    dropout: float = field(default=0.3, metadata={"min": 0.0, "max": 0.95})
    word_dropout: float = field(default=0.15, metadata={"min": 0.0, "max": 0.95})
    """Share of the words that a training text shows as unknown, so that what is around them is learnt from."""
    margin: float = field(default=0.3, metadata={"min": 0.0, "max": 1.0})
    """By how much the cosine with a text's own intent must be ahead of that with others, in training."""


class DialogueSystem(Task, Converses, Identifies):
    title = "Dialogue system"
    questions = (15,)
    modality = "text"
    data = "home_intents"
    columns = {
        "text": Text(max_characters=MAX_CHARACTERS, description="what somebody says"),
        "slots": Tags(of="text", open=True, optional=True, description="passages that are values of slots"),
        "intent": Label(open=True, description="what they want"),
        "reply": Reply(of="intent", description="what is answered, from the folder's table of replies"),
    }
    targets = ("slots", "intent", "reply")
    truth, names, known_by = "intent", "intents", "intent"
    sequences = dict.fromkeys(_SEQUENCES, "length")
    small = {**Task.small, "units": 24, "learning_rate": 0.01, "dropout": 0.0, "word_dropout": 0.0}
    HParams = DialogueSystemHParams

    @classmethod
    def refuse(cls, features: Mapping[str, Value]) -> str:
        count = features.get("slots_count", 0)
        return f"{count} slots in one text; {MAX_SLOTS} at most" if isinstance(count, int) and count > MAX_SLOTS else ""

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `words`, `heads` and `tails`, numbers of each word and of its first and last characters, and its `starts` and
          `ends` in code points, int64 `[batch, MAX_CHARACTERS]`, padded with 0; `length` int64 `[batch]`; `slots` int64
          `[batch, MAX_SLOTS, 3]`, start, end and name of each; `intent` int64 `[batch]`, -1 of those that the train
          split lacks, whose slots are not judged; `intent_learnt` 0 or 1; `reply` int64 `[batch]`, of which nothing is
          learnt.
        """
        from trainer.metrics.spans import NOT_JUDGED

        located = spans.locate(inputs["text"])
        heads, tails = spans.affixes(located.words, AFFIXES)
        words = spans.index_words(located.words, "words", self.hparams.words)
        parts = (words, heads, tails, located.starts, located.ends)
        padded = {
            name: tf.cast(part, tf.int64).to_tensor(0, shape=[None, MAX_CHARACTERS])
            for name, part in zip(_SEQUENCES, parts, strict=True)
        }
        intent = classification.index_labels(inputs["intent"], "intent")
        slots = spans.index_spans(inputs, "slots", MAX_SLOTS)
        return padded | {
            "length": words.row_lengths(),
            "intent": intent,
            "intent_learnt": tf.cast(intent >= 0, tf.int64),
            "slots": tf.where((intent >= 0)[:, None, None], slots, NOT_JUDGED),
            "reply": _index_replies(inputs["reply"], tf.size(inputs["intent"])),
        }

    def batch(self, features: Features, seed: Any) -> Features:
        if seed is None or not self.hparams.word_dropout:
            return features
        left_out = tf.random.stateless_uniform(tf.shape(features["words"]), seed) < self.hparams.word_dropout
        also = tf.random.stateless_uniform(tf.shape(features["words"]), seed + [0, 1 << 32]) < 0.5
        there = features["words"] > 0
        changed = {"words": tf.where(left_out & there, tf.constant(spans.UNKNOWN, tf.int64), features["words"])}
        for name in ("heads", "tails"):
            changed[name] = tf.where(left_out & also, tf.constant(0, tf.int64), features[name])
        return features | changed

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.joint_intents import JointIntents

        hparams, known = self.hparams, spec.vocabularies
        model = JointIntents(
            words=len(known["words"]) + spans.FIRST_WORD,
            affixes=AFFIXES + 1,
            tags=spans.num_tags(known["slots"]),
            intents=len(known["intent"]),
            units=hparams.units,
            dropout=hparams.dropout,
            margin=hparams.margin,
            refused=REFUSED,
        )
        model.compile(optimizer(hparams, spec.steps, clip=1.0), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        intents, names = spec.vocabularies["intent"], spec.vocabularies["slots"]
        cosines, logits = model(features, training=False)
        best = tf.math.top_k(cosines, min(TOP, len(intents)))
        nearest, score, threshold = best.indices[:, 0], (best.values[:, 0] + 1) / 2, (model.threshold + 1) / 2
        known = score >= threshold
        tags = tf.where(features["words"] != spans.PAD, tf.argmax(logits, -1), spans.PAD)
        found = spans.spans_of(tags, features["starts"], features["ends"])
        replies, unknown = _replies(spec)
        nearest_reply = tf.gather(replies, nearest)
        return {
            "label": tf.where(known, tf.gather(intents, nearest), UNKNOWN),
            "intents": tf.gather(intents, best.indices),
            "scores": (best.values + 1) / 2,
            "score": score,
            "threshold": tf.fill(tf.shape(known), threshold),
            "nearest": nearest,
            "answer": tf.where(known, nearest, -1),
            "slots": spans.as_json(found, names),
            "spans": found,
            "reply": tf.where(known, nearest_reply, unknown),
            "nearest_reply": nearest_reply,
            "unknown_reply": tf.fill(tf.shape(known), unknown),
        }

    def at_threshold(self, prediction: Mapping[str, Any], threshold: float) -> Mapping[str, Any]:
        """The reply is that of the answer.

        Raises:
          BenisonError: the model was pushed before it gave the replies of both.
        """
        found = super().at_threshold(prediction, threshold)
        reply = prediction.get("nearest_reply" if as_text(found["label"]) != UNKNOWN else "unknown_reply")
        if reply is None:
            raise BenisonError("this model has one reply alone, and none for another threshold", "train it again")
        return {**found, "reply": reply}

    def metrics(self) -> Evaluation:
        def metric(name: str, kind: str, prediction: str) -> Metric:
            return Metric(name, kind, module="trainer.metrics.identification", prediction=prediction)

        return Evaluation(
            prediction="score",
            label="intent",
            metrics=(
                metric("intent_accuracy", "Rank1", "nearest"),
                Metric("slot_f1", "SpanF1", module="trainer.metrics.spans", prediction="spans", label="slots"),
                metric("accuracy", "Decisions", "answer"),
                metric("unknown_refused", "StrangersRefused", "score"),
                metric("false_refusals", "FalseRefusals", "answer"),
            ),
            gates=(Gate("intent_accuracy", baseline_margin=0.005), Gate("slot_f1", baseline_margin=0.005)),
            slices=("intent_learnt", "intent"),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        found = {"dictionary of values": {"slot_f1": _by_dictionary(train, evaluation)}}
        if len(spec.vocabularies["intent"]) > 1:
            found["TF-IDF + logistic regression"] = _of_words(train, evaluation, self.hparams.seed)
        return found

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        truth = as_text(example["intent"]) if "intent" in example else None
        return assessment.of_nearest(truth, as_text(prediction["label"]), _nearest(prediction), UNKNOWN)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        """The text, its slots, the reply, and the nearest intents beside the threshold that they have to reach."""
        text, guess = as_text(example["text"]), as_text(prediction["label"])
        nearest = _nearest(prediction)
        truth = as_text(example["intent"]) if "intent" in example else None
        found = _listed(text, prediction["slots"])
        answered = self.turn((), text, prediction).answered
        turns = [Said(text), *([Said(answered, answers=True, note="reply")] if answered else [])]
        parts: list[Part] = [Exchange(turns), Words(found, caption="slots", compared="slots" in example)]
        if "slots" in example:
            parts.append(Words(_listed(text, example["slots"]), caption="slots as marked", compared=True))
        threshold = {"threshold": float(prediction["threshold"])}
        return Preview(
            title=guess if truth is None else f"{truth} → {guess}",
            correct=self.assess(example, prediction).correct,
            slice={} if truth is None else {"intent": truth},
            parts=(*parts, Bars(nearest | threshold, caption="nearest intents")),
        )

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        text = as_text(example["text"])
        nearest = zip(answer["intents"], answer["scores"], strict=True)
        return {
            "text": text,
            "intent": answer["label"],
            "slots": _listed(text, answer["slots"]).replace("\n", ", "),
            "reply": self.turn((), text, answer).answered,
            "threshold": answer["threshold"],
            "nearest": ", ".join(f"{name} {score:.3f}" for name, score in nearest),
        }

    def turn_inputs(self, turns: Sequence[Turn], line: str) -> Mapping[str, str]:
        return {"text": line}

    def turn(self, turns: Sequence[Turn], line: str, prediction: Mapping[str, Any]) -> Turn:
        """A line after a question is the value that was asked for: the passage of that slot, else all of it. One that
        is no intent of its own, but names slots that the turn before had, changes these."""
        before = _State.of(turns[-1].state) if turns else _State()
        found = _values(line, prediction["slots"])
        label = as_text(prediction["label"])
        if before.asked:
            value = {before.asked: found.get(before.asked, line.strip())}
            return before.goes_on({**before.slots, **value}, line)
        if label != UNKNOWN:
            return _State(label, reply=as_text(prediction["reply"])).goes_on(found, line)
        if changed := {name: value for name, value in found.items() if name in before.slots}:
            return before.goes_on({**before.slots, **changed}, line)
        reply = as_text(prediction["reply"])
        return Turn(line, (ReplyText.of_json(reply).unknown if reply else "") or NOT_UNDERSTOOD)


@dataclass(frozen=True)
class _State:
    """What a turn leaves to the next. `reply` is the intent's, as JSON, "" where it has none; `asked` the slot that was
    asked for."""

    intent: str = ""
    slots: Mapping[str, str] = field(default_factory=dict)
    asked: str = ""
    reply: str = ""

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> _State:
        """Raises BadValue."""
        try:
            found = cls(**state)
            texts = (found.intent, found.asked, found.reply, *found.slots, *found.slots.values())
            if not all(isinstance(text, str) for text in texts):
                raise TypeError
            if found.reply:
                ReplyText.of_json(found.reply).filled({})
        except (TypeError, ValueError, AttributeError):
            raise BadValue("the turn before is none of this task's") from None
        return found

    def goes_on(self, slots: Mapping[str, str], line: str) -> Turn:
        """The turn in which the slots are as given: a question, or the reply."""
        asked, answered = "", f"{self.intent}: {', '.join(f'{name} = {value}' for name, value in slots.items())}"
        if self.reply:
            reply = ReplyText.of_json(self.reply)
            asked = reply.missing(slots) or ""
            answered = reply.questions[asked] if asked else reply.filled(slots)
        state = {"intent": self.intent, "slots": dict(slots), "asked": asked, "reply": self.reply}
        return Turn(line, answered.strip().removesuffix(":"), state)


def _nearest(prediction: Mapping[str, Any]) -> dict[str, float]:
    return {as_text(n): float(s) for n, s in zip(prediction["intents"], prediction["scores"], strict=True)}


def _index_replies(replies: Any, count: Any) -> Any:
    """A full pass: the vocabulary `replies` is all that are in the train split. int64 `[batch]`, -1 of none."""
    import tensorflow_transform as tft

    texts = optional.dense(replies, count, absent="")
    return tft.compute_and_apply_vocabulary(texts, default_value=-1, vocab_filename="replies")


def _replies(spec: DataSpec) -> tuple[list[str], str]:
    """The reply to each intent as JSON, "" where it has none, and what is said to none of them."""
    known = [ReplyText.of_json(text) for text in spec.vocabularies["replies"] if text.startswith("{")]
    by_intent = {reply.intent: reply.to_json() for reply in known}
    unknown = ReplyText("", "", {}, known[0].unknown).to_json() if known else ""
    return [by_intent.get(intent, "") for intent in spec.vocabularies["intent"]], unknown


def _passages(text: str, slots: Any) -> list[tuple[str, str]]:
    """Name and value of each slot; `slots` as JSON."""
    return [(one.get("name") or one["label"], text[one["start"] : one["end"]]) for one in json.loads(as_text(slots))]


def _values(text: str, slots: Any) -> dict[str, str]:
    """Slot -> its first value in the text."""
    return dict(reversed(_passages(text, slots)))


def _listed(text: str, slots: Any) -> str:
    return "\n".join(f"{name} = {value}" for name, value in _passages(text, slots))


# --- references ---


def _of_words(train: Arrays, evaluation: Arrays, seed: int) -> dict[str, float]:
    """What a linear classifier of words and pairs of words comes to."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline

    from trainer.metrics import identification

    def grams(words: Sequence[str]) -> list[str]:
        return [*words, *map(" ".join, zip(words, words[1:], strict=False))]

    texts, asked = ([[str(word) for word in words] for words in _words(arrays)] for arrays in (train, evaluation))
    method = make_pipeline(
        TfidfVectorizer(analyzer=grams, sublinear_tf=True), LogisticRegression(C=10, max_iter=300, random_state=seed)
    )
    held_out = cross_val_predict(method, texts, train["intent"], cv=_folds(train["intent"]), method="predict_proba")
    threshold = float(np.quantile(held_out.max(axis=1), REFUSED))
    probabilities = method.fit(texts, train["intent"]).predict_proba(asked)
    nearest = method.classes_[probabilities.argmax(axis=1)]
    scores = identification.scores_of(evaluation["intent"], nearest, probabilities.max(axis=1), threshold)
    names = {"rank_1": "intent_accuracy", "strangers_refused": "unknown_refused"}
    return {names.get(name, name): value for name, value in scores.items()}


def _folds(intents: np.ndarray) -> Any:
    from sklearn.model_selection import KFold

    return KFold(min(3, len(intents)), shuffle=True, random_state=0)


def _by_dictionary(train: Arrays, evaluation: Arrays) -> float:
    """F1 of the passages that the values of the train split's slots mark."""
    from trainer.metrics import spans as metric
    from trainer.references import value_dictionary

    texts = list(_words(train))
    values = value_dictionary.learn(texts, [_in_words(train, place) for place in range(len(texts))])
    truths, found = [], []
    for place, words in enumerate(_words(evaluation)):
        if evaluation["slots"][place, 0, 0] == metric.NOT_JUDGED:
            continue
        starts, ends = evaluation["starts"][place], evaluation["ends"][place]
        marked = value_dictionary.find(words, values)
        found.append({(int(starts[first]), int(ends[behind - 1]), name) for first, behind, name in marked})
        truths.append({tuple(one) for one in evaluation["slots"][place].tolist() if one[0] >= 0})
    return metric.score(truths, found)


def _words(arrays: Arrays) -> list[list[int]]:
    pairs = zip(arrays["words"], arrays["length"], strict=True)
    return [words[:length].tolist() for words, length in pairs]


def _in_words(arrays: Arrays, place: int) -> list[tuple[int, int, int]]:
    """The passages of one text by its words: the first, the first behind, and the place of the name."""
    length = int(arrays["length"][place])
    starts, ends = arrays["starts"][place, :length], arrays["ends"][place, :length]
    found = []
    for start, end, name in arrays["slots"][place].tolist():
        if start >= 0 and name >= 0:
            first, behind = int(np.searchsorted(ends, start, "right")), int(np.searchsorted(starts, end))
            found.append((first, behind, name))
    return found

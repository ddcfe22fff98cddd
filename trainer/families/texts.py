"""What classifiers of texts share: words, labels, the network beside a linear one, the reference, what is shown."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from data.columns import Column, Label, Passage
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.families import classification
from trainer.features import words
from trainer.preview import Part, Preview, Words, as_text, plots
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

VOCABULARY = "words"
"""The words that have a vector of their own."""

REFERENCE = "TF-IDF + logistic regression"
CLIP = 1.0
"""Norm of gradients, at most."""

SHOWN_WORDS = 5
LEAST_SHARE, LEAST_WEIGHT = 0.1, 1e-6
"""Words of less weight than this share of the heaviest, or than this, are not shown."""


@dataclass(frozen=True)
class TextHParams(HParams):
    vocabulary: int = field(default=20_000, metadata={"min": 1})
    """Words that have a vector of their own, the most frequent ones; all others share some."""
    max_words: int = field(default=4096, metadata={"min": 1})
    """Of a text so many are read. What stands behind them is said with each answer (`words_left_out`), and how many
    texts have such by `texts_cut`."""
    vectors: str = ""
    """A file of word vectors, as word2vec, fastText or GloVe write it in text; none for learnt ones alone."""
    vector_size: int = field(default=128, metadata={"min": 1})
    dropout: float = field(default=0.4, metadata={"min": 0.0, "max": 0.95})


class TextClassifierTask(Task, classification.Classifier):
    """Base of the tasks that tell the class of a text. Each says by which layer vectors of words are read, and which
    metrics it is judged by first.

    Beside the network stands a linear classifier of words and pairs of words; see `trainer.networks.text_classifier`.
    """

    modality = "text"
    columns: ClassVar[Mapping[str, Column]] = {
        "text": Passage(max_characters=1_000_000, description="a text of any language and length"),
        "label": Label(description="its class"),
    }
    targets = ("label",)
    assets: ClassVar[Mapping[str, str]] = {"vectors": "word_pieces"}
    sequences: ClassVar[Mapping[str, str]] = {"words": "length"}
    reference_examples = 200_000  # of which it draws as many as it learns from
    warmup: ClassVar[int] = 0
    """Steps in which the learning rate rises."""
    small: ClassVar[Mapping[str, bool | int | float | str]] = {
        "global_batch_size": 16,
        "min_steps": 100,
        "learning_rate": 0.003,
        "vectors": "none",
        "vector_size": 16,
        "dropout": 0.1,
    }

    @abstractmethod
    def encoder(self) -> Any:
        """A layer that reads vectors of `hparams.vector_size`; see `trainer.networks.text_encoders`."""

    @abstractmethod
    def scores(self, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
        """Metrics of answers in memory: int64 `[examples]`, float `[examples, classes]`."""

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `words` uint8 `[batch, longest, 4]`, the bytes of fingerprints int32, and `length` int64 `[batch]`, how many
          there are, at most `max_words`; `words_up_to` int64, the length of the whole text rounded up, for slices;
          `text` string; `label` int64, -1 for a class that the train split lacks.
        """
        import tensorflow_transform as tft

        found = words.normalised(words.split_words(inputs["text"]))
        tft.vocabulary(found.flat_values, top_k=self.hparams.vocabulary, vocab_filename=VOCABULARY)
        counts = found.row_lengths()
        longest = tf.minimum(words.rounded_up(tft.max(counts)), self.hparams.max_words)
        length = tf.minimum(counts, longest)
        kept = words.fingerprints(found)[:, : tf.cast(longest, tf.int32)].to_tensor(words.PAD)
        kept = tf.pad(kept, [[0, 0], [0, tf.cast(longest, tf.int32) - tf.shape(kept)[1]]])
        return {
            "words": tf.bitcast(kept, tf.uint8),
            "length": length,
            "words_up_to": words.rounded_up(counts),
            "text": inputs["text"],
            "label": classification.index_labels(inputs["label"], "label"),
        }

    def batch(self, features: Features, seed: Any) -> Features:
        """`words` as int32 `[batch, words]`. Training has no use for the text itself."""
        features = {**features, "words": tf.bitcast(features["words"], tf.int32)}
        if seed is not None:
            del features["text"]
        return features

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.linear_text import LinearText
        from trainer.networks.text_classifier import TextClassifier
        from trainer.networks.word_vectors import WordVectors, read_pretrained

        hparams, vocabulary, classes = self.hparams, spec.vocabularies[VOCABULARY], len(spec.vocabularies["label"])
        file = spec.assets.get("vectors")
        pretrained = None if file is None else read_pretrained(file, vocabulary)
        model = TextClassifier(
            WordVectors(vocabulary, pretrained, hparams.vector_size),
            self.encoder(),
            LinearText(spec.train(self.reference_examples, only=("words", "label")), classes),
            classes,
            hparams.dropout,
            target="label",
        )
        return classification.compile_classifier(model, hparams, spec, warmup=self.warmup, clip=CLIP)

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """Those of `classification.class_probabilities` and of `text_classifier.weighed_most`, and `words_left_out`
        int64 `[batch]`: words behind the first `max_words`.

        The text is read anew, since what `preprocess` gives ends where the longest text of training does.
        """
        from trainer.networks.text_classifier import weighed_most

        spelt, begins = words.word_spans(features["text"])
        counts = spelt.row_lengths()
        most = self.hparams.max_words
        spelt, begins = spelt[:, :most], begins[:, :most]
        numbers = words.fingerprints(words.normalised(spelt))
        columns = tf.maximum(tf.reduce_max(spelt.row_lengths()), 1)
        shape = [tf.size(counts, tf.int64), columns]
        read = {"words": numbers.to_tensor(words.PAD, shape=shape), "length": spelt.row_lengths()}
        log_probabilities, weights = model.answered(read)
        return {
            **classification.class_probabilities(log_probabilities, spec.vocabularies["label"]),
            **weighed_most(weights, spelt.to_tensor("", shape=shape), begins.to_tensor(-1, shape=shape)),
            "words_left_out": counts - spelt.row_lengths(),
        }

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.references.tfidf import tfidf_probabilities

        classes = len(spec.vocabularies["label"])
        found = tfidf_probabilities(train["words"], train["label"], evaluation["words"], classes, self.hparams.seed)
        return {} if found is None else {REFERENCE: self.scores(evaluation["label"], found)}

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        """The text, in which the words that spoke for the answer are marked, beside the most probable classes."""
        text = as_text(example["text"])
        weighed = _weighed(prediction)
        marks = [(begin, begin + len(word)) for word, weight, begin in weighed if weight > 0]
        parts: list[Part] = [Words(text, caption="marked: what speaks for it", marks=tuple(sorted(marks)))]
        if against := [word for word, weight, _ in weighed if weight < 0]:
            parts.append(Words(", ".join(against), caption="what speaks against it"))
        if left_out := int(prediction["words_left_out"]):
            parts.append(Words(f"the last {left_out} words: --set max_words=N reads more", caption="not read"))
        return classification.answer_preview(parts, example.get("label"), prediction, self.shown_classes)

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        """In place of lists the words that weighed, each with its weight."""
        row = super().answer_row(example, answer)
        for name in ("weighed_words", "weights", "begins"):
            row.pop(name, None)
        if not row.get("words_left_out"):
            row.pop("words_left_out", None)
        said = [f"{word} {weight:+.2f}" for word, weight, _ in _weighed(answer)][:SHOWN_WORDS]
        return {**row, "weighed": ", ".join(said)}

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        return classification.assess(example, prediction)

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        return plots.classifier(examples, predictions)


def evaluation(gate: Gate, *metrics: Metric) -> Evaluation:
    """Of such a task: `metrics` are its own, before those of all."""
    module = "trainer.metrics.classification"
    return Evaluation(
        prediction="probabilities",
        label="label",
        metrics=(
            *metrics,
            Metric("cross_entropy", "CrossEntropy", module),
            Metric("texts_cut", "ShareAboveZero", module, prediction="words_left_out"),
            Metric("confusion", "MultiClassConfusionMatrixPlot"),
        ),
        gates=(gate,),
        slices=("label", "words_up_to"),
    )


def _weighed(prediction: Mapping[str, Any]) -> Sequence[tuple[str, float, int]]:
    """Word, weight and first character of each word that weighed something, the heaviest first."""
    found = zip(prediction["weighed_words"], prediction["weights"], prediction["begins"], strict=True)
    words_found = [(as_text(word), float(weight), int(begin)) for word, weight, begin in found if begin >= 0]
    least = LEAST_SHARE * max((abs(weight) for _, weight, _ in words_found), default=0.0)
    return [one for one in words_found if abs(one[1]) >= max(least, LEAST_WEIGHT)]

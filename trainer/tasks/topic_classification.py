"""Topic classification (question 11): which of many topics is a text about?

Method: vectors of words, read by a Transformer encoder (Vaswani et al. 2017) of a few layers, and the highest and the
mean of what it gives over all words. Beside it stands logistic regression of words and pairs of words, weighed by
TF-IDF; the answer is the mean of both (`trainer.networks.text_classifier`). A text -> class probabilities float32
`[classes]`, and the words that weighed most with their weights.

Vectors are learnt, with pretrained ones added: by default of the asset `word_pieces`, English; `--set vectors=FILE`
takes a person's own, `--set vectors=none` none. Words are told apart in any script (`trainer.features.words`); texts of
up to `max_words` words are read, in stretches of 128.

Judged by macro-F1, in which a rare topic counts as much as a frequent one. Topics come from the data. Default data:
what nouns mean, and what kind of thing each names, 26 kinds (`word_glosses`).
Measured scores and seconds: `docs/results.md`. Command: `benison run topic_classification`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trainer.families import texts
from trainer.optimisers import optimizer
from trainer.preview import Preview, plots
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, Metric, Task

WARMUP_STEPS = 200


@dataclass(frozen=True)
class TopicClassificationHParams(texts.TextHParams):
    epochs: int = field(default=3, metadata={"min": 1})
    min_steps: int = field(default=300, metadata={"min": 1})
    patience: int = field(default=3, metadata={"min": 1})
    layers: int = field(default=2, metadata={"min": 1})
    heads: int = field(default=4, metadata={"min": 1})
    """Of attention; they share the vector's size."""


class TopicClassification(Task):
    title = "Topic classification"
    questions = (11,)
    modality = "text"
    data = "word_glosses"
    columns = texts.COLUMNS
    targets = ("label",)
    assets = {"vectors": "word_pieces"}
    sequences = {"words": "length"}
    reference_examples = 200_000  # of which it draws as many as it learns from
    HParams = TopicClassificationHParams
    small = {**texts.SMALL, "layers": 1, "heads": 2}

    def preprocess(self, inputs: Features) -> Features:
        return texts.preprocess(inputs, self.hparams)

    def batch(self, features: Features, seed: Any) -> Features:
        return texts.batch(features, seed)

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.text_encoders import TransformerEncoder

        hparams = self.hparams
        return texts.build_classifier(
            spec,
            hparams,
            lambda: TransformerEncoder(hparams.vector_size, hparams.layers, hparams.heads, hparams.dropout / 4),
            optimizer(hparams, spec.steps, warmup=WARMUP_STEPS, clip=1.0),
        )

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        return texts.predict(model, features, spec, self.hparams)

    def metrics(self) -> Evaluation:
        return Evaluation(
            prediction="probabilities",
            label="label",
            metrics=(
                Metric("macro_f1", "MacroF1", "trainer.metrics.classification"),
                Metric("accuracy", "SparseCategoricalAccuracy"),
                Metric("cross_entropy", "CrossEntropy", "trainer.metrics.classification"),
                Metric("texts_cut", "ShareAboveZero", "trainer.metrics.classification", prediction="words_left_out"),
                Metric("confusion", "MultiClassConfusionMatrixPlot"),
            ),
            gates=(Gate("macro_f1", baseline_margin=0.01),),
            slices=("label", "words_up_to"),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.metrics.classification import macro_f1

        found = texts.reference_probabilities(train, evaluation, spec, self.hparams.seed)
        if found is None:
            return {}
        labels, answers = evaluation["label"], found.argmax(axis=1)
        f1 = macro_f1(labels, answers, len(spec.vocabularies["label"]))
        return {texts.REFERENCE: {"macro_f1": f1, "accuracy": float((answers == labels).mean())}}

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        return texts.preview(example, prediction)

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        return texts.answer_row(super().answer_row(example, answer), answer)

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        return plots.classifier(examples, predictions)

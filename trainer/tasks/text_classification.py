"""Text classification (question 6): which of a set of classes is a text of, and which of its words say so?

Method: vectors of words, read in both directions by an LSTM (Hochreiter & Schmidhuber 1997; Graves & Schmidhuber 2005),
and the highest and the mean of what it gives over all words. Beside it stands logistic regression of words and pairs of
words, weighed by TF-IDF; the answer is the mean of both (`trainer.networks.text_classifier`). A text -> class
probabilities float32 `[classes]`, and the words that weighed most with their weights.

A word's vector is learnt, and to it is added what a layer makes of a pretrained one: by default of the asset
`word_pieces`, English; `--set vectors=FILE` takes a person's own (word2vec, fastText or GloVe in text), `--set
vectors=none` none. Words are told apart in any script (`trainer.features.words`); texts of up to `max_words` words are
read, in stretches of 128.

Classes come from the data. Default data: sentences of film reviews, positive or negative (`movie_snippets`).
Measured scores and seconds: `docs/results.md`. Command: `benison run text_classification`.
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


@dataclass(frozen=True)
class TextClassificationHParams(texts.TextHParams):
    epochs: int = field(default=4, metadata={"min": 1})
    min_steps: int = field(default=200, metadata={"min": 1})
    global_batch_size: int = field(default=64, metadata={"min": 1})
    patience: int = field(default=3, metadata={"min": 1})
    units: int = field(default=64, metadata={"min": 1})
    """Of the LSTM, in each direction."""


class TextClassification(Task):
    title = "Text classification"
    questions = (6,)
    modality = "text"
    data = "movie_snippets"
    columns = texts.COLUMNS
    targets = ("label",)
    assets = {"vectors": "word_pieces"}
    sequences = {"words": "length"}
    reference_examples = 200_000  # of which it draws as many as it learns from
    HParams = TextClassificationHParams
    small = {**texts.SMALL, "units": 16}

    def preprocess(self, inputs: Features) -> Features:
        return texts.preprocess(inputs, self.hparams)

    def batch(self, features: Features, seed: Any) -> Features:
        return texts.batch(features, seed)

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.text_encoders import BiLstm

        hparams = self.hparams
        return texts.build_classifier(
            spec, hparams, lambda: BiLstm(hparams.vector_size, hparams.units), optimizer(hparams, spec.steps, clip=1.0)
        )

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        return texts.predict(model, features, spec, self.hparams)

    def metrics(self) -> Evaluation:
        return Evaluation(
            prediction="probabilities",
            label="label",
            metrics=(
                Metric("accuracy", "SparseCategoricalAccuracy"),
                Metric("auc", "AreaUnderCurve", "trainer.metrics.classification"),
                Metric("cross_entropy", "CrossEntropy", "trainer.metrics.classification"),
                Metric("texts_cut", "ShareAboveZero", "trainer.metrics.classification", prediction="words_left_out"),
                Metric("confusion", "MultiClassConfusionMatrixPlot"),
            ),
            gates=(Gate("accuracy", bound=0.8, baseline_margin=0.01),),
            slices=("label", "words_up_to"),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.metrics.classification import area, score_counts

        found = texts.reference_probabilities(train, evaluation, spec, self.hparams.seed)
        if found is None:
            return {}
        right = found.argmax(axis=1) == evaluation["label"]
        auc = area(score_counts(evaluation["label"], found))
        return {texts.REFERENCE: {"accuracy": float(right.mean()), "auc": auc}}

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        return texts.preview(example, prediction)

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        return texts.answer_row(super().answer_row(example, answer), answer)

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        return plots.classifier(examples, predictions)

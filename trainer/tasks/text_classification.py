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

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainer.families import texts
from trainer.task import Evaluation, Gate, Metric


@dataclass(frozen=True)
class TextClassificationHParams(texts.TextHParams):
    epochs: int = field(default=4, metadata={"min": 1})
    min_steps: int = field(default=200, metadata={"min": 1})
    global_batch_size: int = field(default=64, metadata={"min": 1})
    patience: int = field(default=3, metadata={"min": 1})
    units: int = field(default=64, metadata={"min": 1})
    """Of the LSTM, in each direction."""


class TextClassification(texts.TextClassifierTask):
    title = "Text classification"
    questions = (6,)
    data = "movie_snippets"
    HParams = TextClassificationHParams
    small = {**texts.TextClassifierTask.small, "units": 16}

    def encoder(self) -> Any:
        from trainer.networks.text_encoders import BiLstm

        return BiLstm(self.hparams.vector_size, self.hparams.units)

    def metrics(self) -> Evaluation:
        accuracy = Metric("accuracy", "SparseCategoricalAccuracy")
        auc = Metric("auc", "AreaUnderCurve", "trainer.metrics.classification")
        return texts.evaluation(Gate("accuracy", bound=0.8, baseline_margin=0.01), accuracy, auc)

    def scores(self, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
        from trainer.metrics.classification import area, score_counts

        right = probabilities.argmax(axis=1) == labels
        return {"accuracy": float(right.mean()), "auc": area(score_counts(labels, probabilities))}

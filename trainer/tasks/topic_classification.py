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

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainer.families import texts
from trainer.task import Evaluation, Gate, Metric


@dataclass(frozen=True)
class TopicClassificationHParams(texts.TextHParams):
    epochs: int = field(default=5, metadata={"min": 1})
    min_steps: int = field(default=600, metadata={"min": 1})
    patience: int = field(default=3, metadata={"min": 1})
    layers: int = field(default=2, metadata={"min": 1})
    heads: int = field(default=4, metadata={"min": 1})
    """Of attention; they share the vector's size."""


class TopicClassification(texts.TextClassifierTask):
    title = "Topic classification"
    questions = (11,)
    data = "word_glosses"
    HParams = TopicClassificationHParams
    small = {**texts.TextClassifierTask.small, "layers": 1, "heads": 2}
    warmup = 200

    def encoder(self) -> Any:
        from trainer.networks.text_encoders import TransformerEncoder

        hparams = self.hparams
        return TransformerEncoder(hparams.vector_size, hparams.layers, hparams.heads, hparams.dropout / 4)

    def metrics(self) -> Evaluation:
        macro_f1 = Metric("macro_f1", "MacroF1", "trainer.metrics.classification")
        accuracy = Metric("accuracy", "SparseCategoricalAccuracy")
        return texts.evaluation(Gate("macro_f1", baseline_margin=0.01), macro_f1, accuracy)

    def scores(self, labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
        from trainer.metrics.classification import MacroF1

        return MacroF1.scores(labels, probabilities)

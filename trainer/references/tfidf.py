"""TF-IDF (Spärck Jones 1972) of words and pairs of neighbours, and logistic regression: how texts were told apart
before networks read them, and often still are. Each class is told from all others (one against the rest)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from trainer.references.summary_statistics import of_all_classes

MAX_EXAMPLES = 50_000
"""Texts that are learnt from, drawn from all by the seed: the first ones of a table may all be of one class."""

STRENGTH = 10.0
"""Inverse of the regularisation: on short texts better than scikit-learn's 1."""

Array = np.ndarray[Any, Any]


def tfidf_probabilities(train: Array, labels: Array, evaluated: Array, classes: int, seed: int) -> Array | None:
    """Probabilities float64 `[examples, classes]` of each class for each evaluated text; None of a train split of one
    class, or of no words.

    Args:
      train, evaluated: fingerprints of words, int32 `[examples, words]`, padded with 0.
      labels: int64 `[examples]`, -1 for a class that is none of `classes`.
      seed: for the solver.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    used = np.flatnonzero(labels >= 0)
    if len(used) > MAX_EXAMPLES:
        used = np.random.default_rng(seed).choice(used, MAX_EXAMPLES, replace=False)
    if len(np.unique(labels[used])) < 2 or not train[used].any():
        return None
    vectorizer = TfidfVectorizer(analyzer=_words_and_pairs, sublinear_tf=True)
    method = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=seed)
    method.fit(vectorizer.fit_transform(train[used]), labels[used])
    return of_all_classes(method, vectorizer.transform(evaluated), classes)


def _words_and_pairs(text: Array) -> list[str]:
    words = [str(word) for word in text[text != 0].tolist()]
    return [*words, *map(" ".join, pairwise(words))]

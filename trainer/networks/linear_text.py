"""Logistic regression of a text's words and pairs of neighbours, weighed by TF-IDF (Spärck Jones 1972), in the graph.

Each class is told from all others (one against the rest). The weights are scikit-learn's, fitted on the train split;
what the layer gives is what scikit-learn gives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.features import words

PAIR = 1 << 31
"""What the first fingerprint of a pair is multiplied with: pairs are numbers behind those of single words."""

MAX_WEIGHTS = 1 << 22
"""Of words and pairs, times the classes: the most frequent are kept."""

MAX_EXAMPLES = 50_000
"""Texts that are learnt from, drawn from all by a fixed seed."""

UNKNOWN = -20.0
"""Log-odds of a class that training lacks."""

STRENGTH = 10.0
"""Inverse of the regularisation."""

Array = np.ndarray[Any, Any]


class LinearText(tf.keras.layers.Layer):
    """Fingerprints int32 `[batch, words]` to float32 `[batch, classes]`, whose softmax is scikit-learn's probabilities;
    nothing in it is trained further.

    Args:
      train: `words` int32 `[examples, words]`, padded, and `label` int64 `[examples]`, -1 for none.
      classes: how many there are.
    """

    def __init__(self, train: Any, classes: int) -> None:
        super().__init__(trainable=False)
        self._keys, rarity, kernel, bias = fitted(train["words"], train["label"], classes)
        for name, value in (("rarity", rarity), ("kernel", kernel), ("bias", bias)):
            given = tf.keras.initializers.Constant(value)
            setattr(self, name, self.add_weight(name, value.shape, initializer=given, trainable=False))
        self.built = True

    def call(self, fingerprints: Any) -> Any:
        return tf.math.log_sigmoid(self.log_odds(fingerprints))

    def log_odds(self, fingerprints: Any) -> Any:
        """Of each class against all others, float32 `[batch, classes]`."""
        _, row, key, value, _ = self._weighed(fingerprints)
        products = value[:, None] * tf.gather(self.kernel, key)
        return self.bias + tf.math.unsorted_segment_sum(products, row, tf.shape(fingerprints)[0])

    def contributions(self, fingerprints: Any, answers: Any) -> Any:
        """What each word adds to the log-odds of its text's answer; of a pair each word has a half. float32
        `[batch, words]`. `answers`: int `[batch]`."""
        place, row, key, value, occurrence = self._weighed(fingerprints)
        weight = tf.gather_nd(self.kernel, tf.stack([key, tf.cast(tf.gather(answers, row), tf.int64)], axis=1))
        each = tf.gather(value * weight, occurrence)
        counts = tf.cast(tf.gather(tf.math.bincount(occurrence, minlength=tf.size(key)), occurrence), tf.float32)
        shape = tf.shape(fingerprints)
        both = tf.scatter_nd(place, each / tf.maximum(counts, 1.0), [2, shape[0], shape[1]])
        pairs = both[1] / 2
        return both[0] + pairs + tf.pad(pairs[:, :-1], [[0, 0], [1, 0]])

    def _weighed(self, fingerprints: Any) -> tuple[Any, ...]:
        """Of all known words and pairs of a batch: where each occurs, `[occurrences, 3]` (0 word or 1 pair, text,
        place); and of each that a text has, once, its text, its place among the keys, its weight; and which of these
        each occurrence is."""
        keys = tf.cast(fingerprints, tf.int64)
        behind = tf.pad(keys[:, 1:], [[0, 0], [0, 1]])
        pairs = tf.where((keys > 0) & (behind > 0), keys * PAIR + behind, tf.zeros_like(keys))
        both = tf.stack([keys, pairs])
        known = tf.constant(self._keys)
        found = tf.minimum(tf.searchsorted(known, tf.reshape(both, [-1])), len(self._keys) - 1)
        hit = tf.reshape(tf.gather(known, found), tf.shape(both)) == both
        place = tf.where(hit & (both > 0))
        key = tf.gather_nd(tf.reshape(found, tf.shape(both)), place)
        of_text = place[:, 1] * len(self._keys) + tf.cast(key, tf.int64)
        once, occurrence, count = tf.unique_with_counts(of_text)
        row, key = once // len(self._keys), once % len(self._keys)
        value = (1 + tf.math.log(tf.cast(count, tf.float32))) * tf.gather(self.rarity, key)
        norm = tf.sqrt(tf.math.unsorted_segment_sum(value**2, row, tf.shape(fingerprints)[0]))
        return place, row, key, value / tf.gather(norm, row), occurrence


def fitted(fingerprints: Array, labels: Array, classes: int) -> tuple[Array, Array, Array, Array]:
    """Keys int64 `[n]`, sorted, of words and pairs; of each its inverse document frequency float32 `[n]` and its
    weights `[n, classes]`; and the bias `[classes]`. Weights are 0 where there are no two classes."""
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression

    chosen = np.flatnonzero(labels >= 0)
    if len(chosen) > MAX_EXAMPLES:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, MAX_EXAMPLES, replace=False))
    fingerprints, labels = fingerprints[chosen], labels[chosen]
    text, key = _occurrences(fingerprints)
    keys, column = np.unique(key, return_inverse=True)
    if len(keys) == 0 or len(np.unique(labels)) < 2:
        return np.array([-1]), np.ones(1, np.float32), np.zeros((1, classes), np.float32), np.zeros(classes, np.float32)
    counts = csr_matrix((np.ones(len(text), np.float32), (text, column)), shape=(len(labels), len(keys)))
    counts.sum_duplicates()
    most = MAX_WEIGHTS // max(classes, 2)
    if len(keys) > most:
        texts = np.bincount(counts.indices, minlength=len(keys))
        kept = np.sort(np.argsort(-texts, kind="stable")[:most])
        keys, counts = keys[kept], counts[:, kept]
    weigher = TfidfTransformer(sublinear_tf=True)
    learnt = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=0)
    learnt.fit(weigher.fit_transform(counts), labels)
    kernel, bias = np.zeros((len(keys), classes), np.float32), np.full(classes, UNKNOWN, np.float32)
    coefficients, intercepts = learnt.coef_, learnt.intercept_
    if len(learnt.classes_) == 2:  # of which scikit-learn keeps the second's
        coefficients, intercepts = np.stack([-coefficients[0], coefficients[0]]), np.stack([-1, 1]) * intercepts
    kernel[:, learnt.classes_], bias[learnt.classes_] = coefficients.T, intercepts
    return keys, weigher.idf_.astype(np.float32), kernel, bias


def _occurrences(fingerprints: Array) -> tuple[Array, Array]:
    """Text and key of each word and of each pair of neighbours, int64 `[occurrences]`, of int32 `[texts, words]`."""
    there = fingerprints != words.PAD
    text, place = np.nonzero(there)
    single = fingerprints[text, place].astype(np.int64)
    first, begin = np.nonzero(there[:, :-1] & there[:, 1:])
    pairs = fingerprints[first, begin].astype(np.int64) * PAIR + fingerprints[first, begin + 1]
    return np.concatenate([text, first]), np.concatenate([single, pairs])

"""scikit-learn's weights as a layer's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from trainer.backend import tf
from trainer.networks.logistic import softmax_weights


@pytest.mark.parametrize("known", [[0, 1], [0, 2, 3]])
def test_they_give_the_same_probabilities(known: list[int]) -> None:
    rng = np.random.default_rng(0)
    labels = np.array(known * 10)
    x = rng.normal(size=(len(labels), 5)) + labels[:, None]
    learnt = LogisticRegression().fit(x, labels)
    kernel, bias = softmax_weights(learnt, 4)
    found = tf.nn.softmax(x.astype("f4") @ kernel[:, known] + bias[known]).numpy()
    np.testing.assert_allclose(found, learnt.predict_proba(x), atol=1e-5)
    others = np.setdiff1d(np.arange(4), known)
    assert (kernel[:, others] == 0).all() and (bias[others] < bias[known].min()).all()

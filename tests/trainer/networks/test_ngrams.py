"""N-grams in the graph beside the model that they come from."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks.ngrams import NGrams
from trainer.references import kneser_ney
from trainer.references.kneser_ney import KneserNey

SIZE, ORDER = 6, 3
WINDOWS = np.lib.stride_tricks.sliding_window_view(np.random.default_rng(0).integers(0, SIZE - 1, 300), ORDER)
ASKED = np.random.default_rng(1).integers(0, SIZE, (200, ORDER))


def test_probabilities_are_those_of_the_model() -> None:
    model = KneserNey(ORDER, WINDOWS, SIZE)
    layer = NGrams(model)
    found = layer.probabilities(tf.constant(ASKED)).numpy()
    np.testing.assert_allclose(found, model.probabilities(ASKED), rtol=1e-5)
    following = layer.following(tf.constant(ASKED[:4, :-1])).numpy()
    np.testing.assert_allclose(following.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(following[range(4), ASKED[:4, -1]], found[:4], rtol=1e-5)


def test_what_is_left_out_counts_as_if_it_had_not_been_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kneser_ney, "_discounts", lambda counts: np.array([0.0, 0.5, 0.75, 1.0]))
    found = NGrams(KneserNey(ORDER, WINDOWS, SIZE)).probabilities(tf.constant(WINDOWS), leave_one_out=True).numpy()
    for i in (0, 17, 100, len(WINDOWS) - 1):
        without = KneserNey(ORDER, np.delete(WINDOWS, i, 0), SIZE)
        assert found[i] == pytest.approx(without.probabilities(WINDOWS[i : i + 1])[0], rel=1e-4)

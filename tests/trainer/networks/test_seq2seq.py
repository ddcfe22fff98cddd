"""The encoder and decoder: what depends on what, and that they learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.features.texts import END, START

SOURCE = [[5, 6, 7, 0], [8, 0, 0, 0]]


@pytest.fixture
def model() -> Any:
    from trainer.networks.seq2seq import Seq2Seq

    tf.keras.utils.set_random_seed(0)
    return Seq2Seq(source_tokens=12, target_tokens=14, units=16, dropout=0.1, label_smoothing=0.1)


def ids(rows: Any) -> Any:
    return tf.constant(rows, tf.int64)


def test_one_token_at_a_time_gives_what_all_at_once_gives(model: Any) -> None:
    tokens = ids([[START, 5, 9, 13], [START, 4, 4, 6]])
    encoded = model.encode(ids(SOURCE))
    together, _ = model.decode(tokens, encoded)
    apart = []
    for i in range(4):
        logits, after = model.decode(tokens[:, i : i + 1], encoded)
        assert {name for name in encoded if after[name] is not encoded[name]} == set(model.STATE)
        encoded = after
        apart.append(logits)
    np.testing.assert_allclose(tf.concat(apart, 1), together, atol=1e-5)


def test_padding_of_the_source_changes_nothing(model: Any) -> None:
    tokens = ids([[START, 5]])
    short, _ = model.decode(tokens, model.encode(ids([[8, 9]])))
    padded, _ = model.decode(tokens, model.encode(ids([[8, 9, 0, 0, 0]])))
    np.testing.assert_allclose(short, padded, atol=1e-5)


def test_the_loss_is_the_cross_entropy_of_the_target_and_its_end(model: Any) -> None:
    model.compile(tf.keras.optimizers.Adam())
    target = ids([[5, 6, 7], [9, 0, 0]])
    result = model.test_step(({"source": ids(SOURCE)}, {"target": target}))
    logits, _ = model.decode(ids([[START, 5, 6, 7], [START, 9, 0, 0]]), model.encode(ids(SOURCE)))
    log_p = tf.nn.log_softmax(logits).numpy()
    wanted = [(0, 0, 5), (0, 1, 6), (0, 2, 7), (0, 3, END), (1, 0, 9), (1, 1, END)]
    assert result["loss"].numpy() == pytest.approx(-np.mean([log_p[place] for place in wanted]), rel=1e-5)


def test_it_learns_to_copy(model: Any) -> None:
    model.compile(tf.keras.optimizers.Adam(0.01))
    sources = np.random.default_rng(0).integers(4, 12, (256, 4))
    data = tf.data.Dataset.from_tensor_slices(({"source": sources}, {"target": sources})).batch(32).repeat()
    history = model.fit(data, steps_per_epoch=60, epochs=3, verbose=0).history
    assert history["token_accuracy"][-1] > 0.9 > history["token_accuracy"][0]

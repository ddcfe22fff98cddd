"""Networks that read words: what stands beside a text, or behind it, changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks.text_encoders import STRETCH, BiLstm, TransformerEncoder, in_stretches

ENCODERS: dict[str, Callable[[], Any]] = {
    "LSTM": lambda: BiLstm(4, 3),
    "Transformer": lambda: TransformerEncoder(4, layers=2, heads=2, dropout=0.5),
}


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("length", [3, STRETCH, STRETCH + 5])
def test_a_text_is_read_alike_whatever_stands_beside_it(name: str, length: int) -> None:
    tf.keras.utils.set_random_seed(1)
    encoder = ENCODERS[name]()
    x = np.random.default_rng(0).normal(size=(2, 2 * STRETCH + 7, 4)).astype("f4")
    together = encoder(x, tf.constant([length, x.shape[1]]))
    alone = encoder(x[:1, :length], tf.constant([length]))
    assert together.shape == [2, x.shape[1], encoder.size]
    np.testing.assert_allclose(together[0, :length], alone[0], atol=1e-5)


@pytest.mark.parametrize("name", ENCODERS)
def test_every_weight_exists_when_it_is_made(name: str) -> None:
    encoder = ENCODERS[name]()
    before = len(encoder.trainable_variables)
    encoder(tf.zeros([1, 3, 4]), tf.constant([3]), training=True)
    assert len(encoder.trainable_variables) == before > 0


@pytest.mark.parametrize("name", ENCODERS)
def test_a_word_knows_those_behind_it_and_before_it_and_their_order(name: str) -> None:
    tf.keras.utils.set_random_seed(1)
    encoder = ENCODERS[name]()
    x = np.random.default_rng(0).normal(size=(1, 6, 4)).astype("f4")
    usual = encoder(x, tf.constant([6])).numpy()
    turned = encoder(x[:, [0, 1, 3, 2, 4, 5]], tf.constant([6])).numpy()
    assert np.abs(usual - turned)[0, [0, 5]].max() > 1e-4


def test_stretches_are_side_by_side_and_padding_is_known() -> None:
    seen = []

    def read(x: Any, lengths: Any) -> Any:
        seen.append(lengths.numpy().tolist())
        return 2 * x

    x = tf.reshape(tf.range(2.0 * 300), [2, 300, 1])
    found = in_stretches(x, tf.constant([300, 130]), read)
    assert seen == [[128, 128, 44, 128, 2, 0]]
    np.testing.assert_array_equal(found, 2 * x)

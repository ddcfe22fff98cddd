"""Recurrent layers are Keras's own, with or without what only a GPU needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks import recurrent

KINDS = {"lstm": recurrent.lstm, "gru": recurrent.gru}


@pytest.mark.parametrize("kind", KINDS)
def test_they_compute_and_learn_what_keras_does(kind: str) -> None:
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(size=(3, 5, 4)), tf.float32)
    mask = tf.sequence_mask([5, 2, 3], 5)
    own: Any = KINDS[kind](6, return_sequences=True, return_state=True)
    keras = getattr(tf.keras.layers, kind.upper())(6, return_sequences=True, return_state=True)
    for layer in (own, keras):
        layer.build((None, None, 4))
    assert [weight.shape for weight in own.weights] == [weight.shape for weight in keras.weights]
    own.set_weights(keras.get_weights())

    def outputs_and_gradients(layer: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            outputs = tf.nest.flatten(layer(x, mask=mask))
            loss = tf.add_n([tf.reduce_sum(tf.square(one)) for one in outputs])
        return [*outputs, *tape.gradient(loss, layer.trainable_variables)]

    for one, other in zip(outputs_and_gradients(own), outputs_and_gradients(keras), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_where_there_is_a_gpu_they_are_those_that_choose_its_kernel(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not isinstance(KINDS[kind](6), getattr(tf.keras.layers, kind.upper()))
    monkeypatch.setattr(recurrent, "_has_gpu", lambda: True)
    assert isinstance(KINDS[kind](6), getattr(tf.keras.layers, kind.upper()))

"""The replier: that it reads a whole reply and one token after the other alike, and learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.features.texts import END, NUM_SPECIAL, PAD, START
from trainer.networks.replier import Replier
from trainer.networks.sampling import Choice, uniforms
from trainer.networks.teacher_forcing import given_and_wanted
from trainer.references.kneser_ney import KneserNey, framed, windows_of

TOKENS = NUM_SPECIAL + 5
CONTEXTS = tf.constant([[END, 4, 5], [END, 6, PAD], [END, 7, 4]], tf.int64)
LENGTHS = tf.constant([3, 2, 3], tf.int64)
REPLIES = tf.constant([[8, 4, PAD], [5, PAD, PAD], [7, 6, 8]], tf.int64)


@pytest.fixture
def model() -> Any:
    tf.keras.utils.set_random_seed(0)
    windows = windows_of(framed(REPLIES.numpy(), 3, PAD, START, END), 3, PAD)
    return Replier(TOKENS, units=16, layers=2, heads=4, dropout=0.0, ngrams=KneserNey(3, windows, TOKENS))


def features(**more: Any) -> dict[str, Any]:
    return {"context": CONTEXTS, "context_length": LENGTHS, **more}


def test_token_by_token_it_says_what_it_says_of_the_whole(model: Any) -> None:
    given, wanted = given_and_wanted(REPLIES)
    costs = model.nats(features(given=given), wanted).numpy()
    encoded = model.encode(CONTEXTS, LENGTHS, max_steps=5)
    for step in range(given.shape[1]):
        logits, encoded = model.decode(given[:, step : step + 1], encoded)
        chosen = -tf.gather(logits[:, 0], wanted[:, step], batch_dims=1).numpy()
        present = wanted[:, step].numpy() != PAD
        np.testing.assert_allclose(chosen[present], costs[present, step], rtol=1e-3)


def test_padding_of_the_context_changes_nothing(model: Any) -> None:
    given, wanted = given_and_wanted(REPLIES)
    alone = {"context": CONTEXTS[1:2, :2], "context_length": LENGTHS[1:2], "given": given[1:2]}
    together = model.nats(features(given=given), wanted)[1:2]
    np.testing.assert_allclose(model.nats(alone, wanted[1:2]), together, rtol=1e-4)


def test_it_learns_which_reply_belongs_to_what_was_said_and_writes_it(model: Any) -> None:
    model.compile(tf.keras.optimizers.Adam(0.01))
    data = tf.data.Dataset.from_tensors((features(), {"response": REPLIES})).repeat(120)
    losses = model.fit(data, verbose=0).history["loss"]
    assert losses[-1] < 1
    greedy = Choice(tf.zeros([3]), tf.zeros([3], tf.int64), tf.ones([3]))
    encoded = model.encode(CONTEXTS, LENGTHS, max_steps=5)
    drawn = model.sample(encoded, greedy, uniforms(tf.zeros([3], tf.int64), 0, 5)).numpy().tolist()
    assert [[token for token in row if token != END] for row in drawn] == [[8, 4], [5], [7, 6, 8]]


def test_of_special_tokens_only_the_end_is_ever_written_and_not_first(model: Any) -> None:
    hot = Choice(tf.fill([3], 10.0), tf.zeros([3], tf.int64), tf.ones([3]))
    for seed in range(5):
        encoded = model.encode(CONTEXTS, LENGTHS, max_steps=8)
        drawn = model.sample(encoded, hot, uniforms(tf.fill([3], tf.constant(seed, tf.int64)), 0, 8)).numpy()
        assert not np.isin(drawn, [PAD, START, 3]).any() and (drawn[:, 0] != END).all()

"""Intent and slots together: padding says nothing, both are learnt, and the threshold follows texts shown whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.backend import tf
from trainer.features import spans
from trainer.networks import joint_intents
from trainer.networks.joint_intents import JointIntents

INTENTS, TAGS = 3, spans.num_tags(["where"])
FIRST = spans.FIRST_WORD


@pytest.fixture
def model() -> JointIntents:
    tf.keras.utils.set_random_seed(0)
    return JointIntents(words=30, affixes=9, tags=TAGS, intents=INTENTS, units=8, dropout=0.0, margin=0.1, refused=0.25)


def texts(words: Any) -> dict[str, Any]:
    """Features of texts that have these numbers of words; each word is of two characters."""
    words = tf.constant(words, tf.int64)
    there = tf.cast(words != spans.PAD, tf.int64)
    starts = there * 3 * tf.range(words.shape[1], dtype=tf.int64)
    affix = there * (1 + words % 8)
    return {"words": words, "heads": affix, "tails": affix, "starts": starts, "ends": there * (starts + 2)}


def test_what_stands_behind_a_text_changes_nothing(model: JointIntents) -> None:
    words = [[FIRST, FIRST + 1, FIRST + 2]]
    alone, tags = model(texts(words))
    beside, more_tags = model(texts([[*words[0], spans.PAD, spans.PAD], [FIRST + 3] * 5]))
    np.testing.assert_allclose(beside[:1], alone, atol=1e-5)
    np.testing.assert_allclose(more_tags[:1, :3], tags, atol=1e-5)


def test_cosines_are_none_beyond_one_and_every_word_has_its_tags(model: JointIntents) -> None:
    cosines, tags = model(texts([[FIRST + n for n in range(4)]] * 2))
    assert cosines.shape == (2, INTENTS) and tags.shape == (2, 4, TAGS)
    assert np.abs(cosines).max() <= 1 + 1e-5


def test_it_learns_the_intent_by_one_word_and_the_slot_by_another(model: JointIntents) -> None:
    """The first word tells the intent; words from FIRST + 9 on are a passage."""
    rng = np.random.default_rng(0)
    intent = rng.integers(0, INTENTS, 48)
    words = np.stack([FIRST + intent, FIRST + rng.integers(3, 9, 48), FIRST + rng.integers(9, 20, 48)], axis=1)
    targets = {
        "intent": tf.constant(intent),
        "slots": tf.tile(tf.constant([[[6, 8, 0]]], tf.int64), [48, 1, 1]),
    }
    model.compile(tf.keras.optimizers.Adam(0.02))
    model.run_eagerly = True
    untrained = np.argmax(model(texts(words))[0], 1)
    data = tf.data.Dataset.from_tensors((texts(words), targets)).repeat()
    model.fit(data, steps_per_epoch=30, verbose=0)
    cosines, tags = model(texts(words))
    assert (np.argmax(cosines, 1) == intent).all() and not (untrained == intent).all()
    found = np.argmax(tags, 2)
    assert (found[:, :2] == spans.OUTSIDE).all() and (found[:, 2] == spans.FIRST_TAG).all()
    assert 0 < float(model.threshold) < 1


@pytest.mark.parametrize("incomplete", ["a word is left out", "its intent is not known"])
def test_the_threshold_moves_by_texts_shown_whole_alone(model: JointIntents, incomplete: str) -> None:
    features = texts([[FIRST, FIRST + 1]] * 4 + [[FIRST + 2, FIRST + 3]] * 4)
    targets = {"intent": tf.constant([0] * 8)}
    if incomplete == "a word is left out":
        features["words"] = tf.concat([features["words"][:4], [[FIRST + 2, spans.UNKNOWN]] * 4], 0)
    else:
        targets["intent"] = tf.constant([0] * 4 + [-1] * 4)
    cosines = tf.constant([[0.8], [0.6], [0.4], [0.2]] + [[-0.9]] * 4) * tf.ones([1, INTENTS])
    before = float(model.threshold)
    model._move_threshold(cosines, features, targets)
    # a quarter of the four falls short of the second lowest
    assert float(model.threshold) == pytest.approx(before + (1 - joint_intents.MOMENTUM) * (0.4 - before), rel=1e-4)


def test_without_any_whole_text_it_stays(model: JointIntents) -> None:
    before = float(model.threshold)
    features = texts([[spans.UNKNOWN, FIRST]] * 2)
    model._move_threshold(tf.zeros([2, INTENTS]), features, {"intent": tf.constant([0, 1])})
    assert float(model.threshold) == before

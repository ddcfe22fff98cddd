"""A frozen classifier by which generated pictures are judged: its features and its classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.inputs import without_autotune
from trainer.networks.convolutions import convolved
from trainer.optimisers import adam
from trainer.task import Arrays

FEATURES = 32
"""Few enough for the covariance of a few hundred pictures to be well conditioned."""

CLUSTERS = 10
BATCH = 128
EPOCHS = 8
MIN_STEPS = 100
LEARNING_RATE = 2e-3


def picture_judge(train: Arrays, seed: int) -> Any:
    """Trains a small convolutional classifier of the train split's pictures.

    Where fewer than two classes are known, pictures are put into `CLUSTERS` clusters of like pixels (k-means) and the
    judge learns to tell these apart: coverage is then of regions of pixel space, as in the NDB score of Richardson &
    Weiss (2018), and says nothing of what pictures show.

    Args:
      train: `image` uint8 `[examples, height, width, channels]`; `label` int64 `[examples]`, -1 where unknown.

    Returns:
      A `tf.keras.Model` of uint8 pictures to `features` float32 `[batch, FEATURES]`, each of mean 0 and variance 1 over
      the train split, so that distances are of one scale on all data; and `probabilities` float32 `[batch, classes]`.
    """
    tf.keras.utils.set_random_seed(seed)
    known = train["label"] >= 0
    pictures, labels = train["image"][known], train["label"][known]
    if len(set(labels.tolist())) < 2:
        pictures, labels = train["image"], _clusters(train["image"], seed)
    picture, features, probabilities = _network(pictures.shape[1:], classes=int(labels.max()) + 1)
    classifier = tf.keras.Model(picture, probabilities)
    classifier.compile(adam(LEARNING_RATE), "sparse_categorical_crossentropy")
    examples = tf.data.Dataset.from_tensor_slices((pictures, labels)).shuffle(len(labels), seed).repeat().batch(BATCH)
    steps = max(MIN_STEPS, EPOCHS * len(labels) // BATCH)
    classifier.fit(without_autotune(examples), steps_per_epoch=steps, verbose=0)
    return tf.keras.Model(
        picture, {"features": _standardised(picture, features, pictures), "probabilities": probabilities}
    )


def _network(shape: Any, classes: int) -> tuple[Any, Any, Any]:
    layers = tf.keras.layers
    x = picture = tf.keras.Input(shape, dtype=tf.uint8, name="image")
    x = layers.Rescaling(1 / 255)(x)
    for filters in (16, 32, 64):
        x = layers.MaxPooling2D(2, padding="same")(convolved(x, filters))
    features = layers.Dense(FEATURES)(layers.Dropout(0.3)(layers.Flatten()(x)))
    # Saved outputs go by the names of their layers.
    probabilities = layers.Dense(classes, activation="softmax", name="probabilities")(layers.ReLU()(features))
    return picture, features, probabilities


def _standardised(picture: Any, features: Any, pictures: Any) -> Any:
    model = tf.keras.Model(picture, features)
    values = np.concatenate([model(pictures[i : i + BATCH]).numpy() for i in range(0, len(pictures), BATCH)])
    return tf.keras.layers.Normalization(mean=values.mean(0), variance=values.var(0), name="features")(features)


def _clusters(pictures: Any, seed: int) -> Any:
    from sklearn.cluster import KMeans

    pixels = pictures.reshape(len(pictures), -1).astype("float32") / 255
    return KMeans(min(CLUSTERS, len(pixels)), n_init=3, random_state=seed).fit_predict(pixels).astype("int64")

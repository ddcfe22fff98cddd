"""A convolutional variational autoencoder (Kingma & Welling 2014) whose losses are in nats for each picture.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

import math
from typing import Any

from trainer.backend import tf

MIN_LOG_DEVIATION = -5.0
"""Of the likelihood: pictures in 0 to 1 are stored in steps of 1/255, about e^-5.5, below which nothing can be told."""


class VariationalAutoencoder(tf.keras.Model):
    """`{"image": uint8 [batch, height, width, channels], "noise": float32 [batch, latent_size]}` to reconstructions by
    codes that the noise, standard normal, draws from the encoder's distributions.

    Strided convolutions halve a picture to a coarse map of at least 4 pixels a side, a dense layer leads to mean and
    log variance of the code, and the decoder is the mirror image. `encoder` takes uint8 pictures to `[mean,
    log_variance]`, float32 `[batch, latent_size]` each, `decoder` codes to pictures, float32 in 0 to 1.
    """

    def __init__(self, shape: Any, latent_size: int, filters: int, dense_units: int) -> None:
        """
        Args:
          shape: of a picture, `[height, width, channels]`, of any size.
          filters: of the finest feature maps; each coarser one has twice as many.
          dense_units: between the coarsest map and the code.
        """
        super().__init__()
        height, width, _ = shape
        widths = [filters * 2**i for i in range(max(1, int(math.log2(max(4, min(height, width)) / 4))))]
        self.encoder = _encoder(shape, latent_size, widths, dense_units)
        self.decoder = _decoder(shape, latent_size, widths, dense_units)
        self._evidence = EvidenceLowerBound(name="evidence")
        self.built = True

    @property
    def log_deviation(self) -> Any:
        """Natural logarithm of the standard deviation of a pixel, float32 scalar."""
        return self._evidence.log_deviation

    def call(self, features: Any, training: bool = False) -> Any:
        mean, log_variance = self.encoder(features["image"], training=training)
        code = mean + tf.exp(log_variance / 2) * tf.cast(features["noise"], tf.float32)
        reconstruction = self.decoder(code, training=training)
        return self._evidence([features["image"], reconstruction, mean, log_variance])

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
        """What `evidence` has added: a picture is its own target, and labels are for the judge."""
        return super().compute_loss(x, None, y_pred, sample_weight)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        return super().compute_metrics(x, None, y_pred, sample_weight)


class EvidenceLowerBound(tf.keras.layers.Layer):
    """Adds the negative evidence lower bound as the model's loss, in nats a picture, and gives the reconstruction.

    Pixels in 0 to 1 are normally distributed around the reconstruction, with one deviation that is learnt beside the
    weights (Rybkin et al. 2021): the balance of the two terms follows from the data instead of from a setting, which
    keeps codes from falling into disuse (posterior collapse) on some data and from being all noise on other.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._log_deviation = self.add_weight(
            name="log_deviation", initializer=tf.keras.initializers.Constant(-1.0), dtype=tf.float32
        )

    def call(self, inputs: Any) -> Any:
        picture, reconstruction, mean, log_variance = inputs
        nats = reconstruction_nats(picture, reconstruction, self.log_deviation)
        divergence = kl_divergence(mean, log_variance)
        self.add_loss(tf.reduce_mean(nats + divergence))
        self.add_metric(nats, name="reconstruction")
        self.add_metric(divergence, name="kl")
        return reconstruction

    @property
    def log_deviation(self) -> Any:
        """Natural logarithm of the standard deviation of a pixel, float32 scalar."""
        return tf.maximum(self._log_deviation, MIN_LOG_DEVIATION)


def reconstruction_nats(picture: Any, reconstruction: Any, log_deviation: Any) -> Any:
    """Negative log likelihood of uint8 pictures `[batch, height, width, channels]`, summed over pixels: `[batch]`.

    Below 0 where the density of pixels in 0 to 1 is above 1.
    """
    error = tf.cast(picture, tf.float32) / 255 - tf.cast(reconstruction, tf.float32)
    each = 0.5 * tf.square(error * tf.exp(-log_deviation)) + log_deviation + 0.5 * math.log(2 * math.pi)
    return tf.reduce_sum(each, axis=[1, 2, 3])


def kl_divergence(mean: Any, log_variance: Any) -> Any:
    """Of the code's normal distribution from the standard one, `[batch, latent_size]` twice to `[batch]`, in nats."""
    mean, log_variance = tf.cast(mean, tf.float32), tf.cast(log_variance, tf.float32)
    return 0.5 * tf.reduce_sum(tf.exp(log_variance) + tf.square(mean) - 1.0 - log_variance, axis=1)


def _encoder(shape: Any, latent_size: int, widths: list[int], dense_units: int) -> Any:
    layers = tf.keras.layers
    picture = tf.keras.Input(shape, dtype=tf.uint8)
    x = layers.Rescaling(1 / 255)(picture)
    for count in widths:
        x = layers.Conv2D(count, 4, 2, "same", use_bias=False)(x)
        x = layers.LeakyReLU(0.2)(_normalised(x))
    x = layers.Dense(dense_units, use_bias=False)(layers.Flatten()(x))
    x = layers.LeakyReLU(0.2)(_normalised(x))
    mean = layers.Dense(latent_size, dtype="float32")(x)
    log_variance = layers.Dense(latent_size, activation=_bounded, dtype="float32")(x)
    return tf.keras.Model(picture, [mean, log_variance], name="encoder")


def _decoder(shape: Any, latent_size: int, widths: list[int], dense_units: int) -> Any:
    layers = tf.keras.layers
    height, width, channels = shape
    rows, columns = (math.ceil(side / 2 ** len(widths)) for side in (height, width))
    x = code = tf.keras.Input([latent_size])
    for units in (dense_units, rows * columns * widths[-1]):
        x = layers.Dense(units, use_bias=False)(x)
        x = layers.ReLU()(_normalised(x))
    x = layers.Reshape([rows, columns, widths[-1]])(x)
    for count in reversed([widths[0], *widths[:-1]]):
        x = layers.Conv2DTranspose(count, 4, 2, "same", use_bias=False)(x)
        x = layers.ReLU()(_normalised(x))
    x = layers.Conv2D(channels, 3, padding="same", activation="sigmoid", dtype="float32")(x)
    top, left = (x.shape[1] - height) // 2, (x.shape[2] - width) // 2
    crop = layers.Cropping2D(((top, x.shape[1] - height - top), (left, x.shape[2] - width - left)))
    return tf.keras.Model(code, crop(x), name="decoder")


def _bounded(log_variance: Any) -> Any:
    """Within what float16 holds the exponential of."""
    return tf.clip_by_value(log_variance, -10.0, 10.0)


def _normalised(x: Any) -> Any:
    return tf.keras.layers.BatchNormalization(momentum=0.9)(x)

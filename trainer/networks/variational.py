"""A convolutional variational autoencoder (Kingma & Welling 2014) whose losses are in nats for each picture.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

import math
from typing import Any

from trainer.backend import tf

MIN_LOG_DEVIATION = -5.0
"""Of the likelihood: pictures in 0 to 1 are stored in steps of 1/255, about e^-5.5, below which nothing can be told."""

MOMENTUM = 0.9
"""Of the moving average of the pixels' variance."""

DENSITY_MOMENTUM = 0.98
"""Of those of the codes, of which a batch tells less."""

LEAST_VARIANCE = 1e-4
"""Added to that of each number of a code, so that rounding leaves a covariance positive."""


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
        self._density = CodeDensity(latent_size, name="density")
        self.built = True

    def drawn_codes(self, noise: Any) -> Any:
        """Codes of new pictures, distributed as those of the pictures that were learnt from; `noise` is standard
        normal, `[batch, latent_size]`."""
        return self._density.draw(noise)

    @property
    def log_deviation(self) -> Any:
        """Natural logarithm of the standard deviation of a pixel, float32 scalar."""
        return self._evidence.log_deviation

    def call(self, features: Any, training: bool = False) -> Any:
        mean, log_variance = self.encoder(features["image"], training=training)
        code = mean + tf.exp(log_variance / 2) * tf.cast(features["noise"], tf.float32)
        if training:
            self._density.observe(code)
        reconstruction = self.decoder(code, training=training)
        return self._evidence([features["image"], reconstruction, mean, log_variance], training=training)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
        """What `evidence` has added: a picture is its own target, and labels are for the judge."""
        return super().compute_loss(x, None, y_pred, sample_weight)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> Any:
        return super().compute_metrics(x, None, y_pred, sample_weight)


class CodeDensity(tf.keras.layers.Layer):
    """The normal distribution of all codes, by moving averages of their mean and covariance.

    Codes of a data set as a whole are seldom as the standard normal distribution that each is drawn towards; pictures
    decoded from this one are more like those learnt from (ex-post density estimation, Ghosh et al. 2020).
    """

    def __init__(self, latent_size: int, **options: Any) -> None:
        super().__init__(**options)
        shared: dict[str, Any] = {
            "dtype": tf.float32,
            "trainable": False,
            "synchronization": tf.VariableSynchronization.ON_READ,
            "aggregation": tf.VariableAggregation.MEAN,
        }
        self._mean = self.add_weight("mean", [latent_size], initializer="zeros", **shared)
        self._covariance = self.add_weight("covariance", [latent_size] * 2, initializer="identity", **shared)

    def observe(self, codes: Any) -> None:
        """Takes in the codes of one batch, float32 `[batch, latent_size]`."""
        apart = codes - self._mean
        count = tf.cast(tf.shape(codes)[0], tf.float32)
        covariance = tf.matmul(apart, apart, transpose_a=True) / count
        self._covariance.assign(DENSITY_MOMENTUM * self._covariance + (1 - DENSITY_MOMENTUM) * covariance)
        self._mean.assign_add((1 - DENSITY_MOMENTUM) * tf.reduce_mean(apart, axis=0))

    def draw(self, noise: Any) -> Any:
        """Standard normal `[batch, latent_size]` to codes of that distribution."""
        spread = tf.linalg.cholesky(self._covariance + LEAST_VARIANCE * tf.eye(noise.shape[-1]))
        return self._mean + tf.matmul(noise, spread, transpose_b=True)


class EvidenceLowerBound(tf.keras.layers.Layer):
    """Adds the negative evidence lower bound as the model's loss, in nats a picture, and gives the reconstruction.

    Pixels in 0 to 1 are normally distributed around the reconstruction, with the one deviation that makes a batch most
    likely, its root mean squared error (Rybkin et al. 2021): the balance of the two terms follows from the data instead
    of from a setting, which keeps codes from falling into disuse (posterior collapse) on some data and from being all
    noise on other. Outside training the deviation is a moving average of that.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._variance = self.add_weight(
            name="variance",
            initializer=tf.keras.initializers.Constant(0.1),
            dtype=tf.float32,
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.MEAN,
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        picture, reconstruction, mean, log_variance = inputs
        if training:
            error = _floats(picture) - tf.cast(reconstruction, tf.float32)
            variance = tf.stop_gradient(tf.reduce_mean(tf.square(error)))
            self._variance.assign(MOMENTUM * self._variance + (1 - MOMENTUM) * variance)
        else:
            variance = self._variance
        nats = reconstruction_nats(picture, reconstruction, _log_deviation(variance))
        divergence = kl_divergence(mean, log_variance)
        self.add_loss(tf.reduce_mean(nats + divergence))
        self.add_metric(nats, name="reconstruction")
        self.add_metric(divergence, name="kl")
        return reconstruction

    @property
    def log_deviation(self) -> Any:
        """Natural logarithm of the standard deviation of a pixel, float32 scalar."""
        return _log_deviation(self._variance)


def _log_deviation(variance: Any) -> Any:
    return tf.maximum(tf.math.log(variance) / 2, MIN_LOG_DEVIATION)


def _floats(pixels: Any) -> Any:
    return tf.cast(pixels, tf.float32) / 255


def reconstruction_nats(picture: Any, reconstruction: Any, log_deviation: Any) -> Any:
    """Negative log likelihood of uint8 pictures `[batch, height, width, channels]`, summed over pixels: `[batch]`.

    Below 0 where the density of pixels in 0 to 1 is above 1.
    """
    error = _floats(picture) - tf.cast(reconstruction, tf.float32)
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

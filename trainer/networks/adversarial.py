"""A generator and a discriminator that train against each other (Goodfellow et al. 2014), as one Keras model.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

import math
from typing import Any

from trainer.backend import tf
from trainer.features.noise import latents
from trainer.optimisers import adam, loss_scaled

MOMENTUM = 0.5
"""Of both optimisers (Radford et al. 2016): with more of it two networks that answer each other swing."""


class Adversarial(tf.keras.Model):
    """Pictures from noise: `{"seed": int64 [batch]}` to float32 `[batch, height, width, channels]` in -1 to 1.

    Each step takes a batch of real pictures, uint8, from the targets, and updates both networks once:

    - the discriminator by cross-entropy, with real pictures labelled `1 - label_smoothing` (Salimans et al. 2016): a
      discriminator that is never certain keeps a slope for the generator to follow;
    - the generator by the non-saturating loss, -log D(G(z)), whose gradient is largest where it is worst.

    What is logged tells the two classic failures: `real_score` and `fake_score`, the discriminator's mean
    probabilities, part towards 1 and 0 where gradients vanish; `diversity`, how much generated pictures of one batch
    differ from one another (standard deviation of each pixel, averaged) as a share of how much real ones do, falls
    towards 0 where modes collapse.
    """

    def __init__(
        self, generator: Any, discriminator: Any, real: str = "image", label_smoothing: float = 0.1, seed: int = 0
    ) -> None:
        """
        Args:
          generator: float32 `[batch, latent_size]` to pictures in -1 to 1.
          discriminator: pictures in -1 to 1 to logits `[batch, 1]`, positive for real.
          real: the target that holds the real pictures.
        """
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self._real, self._label_smoothing, self._seed = real, label_smoothing, seed
        self._means = {
            name: tf.keras.metrics.Mean(name=name)
            for name in ("loss", "generator_loss", "discriminator_loss", "real_score", "fake_score", "diversity")
        }
        self.built = True  # both networks have their weights

    def compile(self, learning_rate: Any, jit_compile: bool = False) -> None:
        """Two optimisers. Keras' own stays unused."""
        super().compile(jit_compile=jit_compile)
        self.generator_optimizer, self.discriminator_optimizer = (
            loss_scaled(adam(learning_rate, momentum=MOMENTUM)) for _ in range(2)
        )

    def call(self, features: Any, training: bool = False) -> Any:
        return self.generator(latents(features["seed"], self.generator.input_shape[-1]), training=training)

    def train_step(self, data: Any) -> dict[str, Any]:
        real = _centred(data[1][self._real])
        batch = tf.shape(real)[0]
        with tf.GradientTape() as generating, tf.GradientTape() as judging:
            fake = self.generator(self._noise(batch), training=True)
            real_logits = self.discriminator(real, training=True)
            fake_logits = self.discriminator(fake, training=True)
            generator_losses = _cross_entropy(1.0, fake_logits)
            discriminator_losses = _cross_entropy(1.0 - self._label_smoothing, real_logits) + _cross_entropy(
                0.0, fake_logits
            )
            # over the global batch, since gradients are summed over replicas
            generator_loss = tf.nn.compute_average_loss(generator_losses)
            discriminator_loss = tf.nn.compute_average_loss(discriminator_losses)
        self.generator_optimizer.minimize(generator_loss, self.generator.trainable_variables, tape=generating)
        self.discriminator_optimizer.minimize(discriminator_loss, self.discriminator.trainable_variables, tape=judging)
        self._log(
            loss=generator_losses + discriminator_losses,
            generator_loss=generator_losses,
            discriminator_loss=discriminator_losses,
            real_score=tf.sigmoid(real_logits),
            fake_score=tf.sigmoid(fake_logits),
            diversity=_spread(fake) / tf.maximum(_spread(real), 1e-6),
        )
        return {name: mean.result() for name, mean in self._means.items()}

    def _noise(self, batch: Any) -> Any:
        """Other noise in every step and replica, the same in a run that is repeated or resumed."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        stream = tf.cast(self._seed << 32, tf.int64) + tf.cast(replica, tf.int64)
        seed = tf.stack([stream, tf.cast(self.generator_optimizer.iterations, tf.int64)])
        return tf.random.stateless_normal([batch, self.generator.input_shape[-1]], seed)

    def _log(self, **values: Any) -> None:
        for name, value in values.items():
            self._means[name].update_state(value)


def dcgan(height: int, width: int, channels: int, latent_size: int, filters: int) -> tuple[Any, Any]:
    """Generator and discriminator after Radford et al. (2016), for pictures of any size.

    A coarse map of at least 4 pixels a side is doubled by transposed convolutions until it covers the picture, and
    cropped to it; the discriminator halves likewise. `filters` is the width at the finest map; each coarser one has
    twice as many. Kernels are 4x4, a multiple of the stride, against checkerboards (Odena et al. 2016).
    """
    layers = tf.keras.layers
    scales = max(1, int(math.log2(max(4, min(height, width)) / 4)))
    rows, columns = math.ceil(height / 2**scales), math.ceil(width / 2**scales)
    widths = [filters * 2**i for i in range(scales)]

    x = noise = tf.keras.Input([latent_size])
    x = layers.Dense(rows * columns * 2 * widths[-1], use_bias=False)(x)
    x = layers.Reshape([rows, columns, 2 * widths[-1]])(x)
    x = layers.ReLU()(_normalised(x))
    for count in reversed(widths[1:]):
        x = layers.Conv2DTranspose(count, 4, 2, "same", use_bias=False)(x)
        x = layers.ReLU()(_normalised(x))
    x = layers.Conv2DTranspose(channels, 4, 2, "same", activation="tanh", dtype="float32")(x)
    top, left = (x.shape[1] - height) // 2, (x.shape[2] - width) // 2
    x = layers.Cropping2D(((top, x.shape[1] - height - top), (left, x.shape[2] - width - left)))(x)
    generator = tf.keras.Model(noise, x, name="generator")

    x = picture = tf.keras.Input([height, width, channels])
    for i, count in enumerate(widths):
        x = layers.Conv2D(count, 4, 2, "same", use_bias=i == 0)(x)
        x = layers.LeakyReLU(0.2)(x if i == 0 else _normalised(x))
    logits = layers.Dense(1, dtype="float32")(layers.Flatten()(x))
    return generator, tf.keras.Model(picture, logits, name="discriminator")


def _normalised(x: Any) -> Any:
    return tf.keras.layers.BatchNormalization(momentum=0.9)(x)


def _cross_entropy(target: float, logits: Any) -> Any:
    """Of each example: `[batch, 1]` to `[batch]`."""
    return tf.nn.sigmoid_cross_entropy_with_logits(tf.fill(tf.shape(logits), target), logits)[:, 0]


def _centred(pixels: Any) -> Any:
    return tf.cast(pixels, tf.float32) / 127.5 - 1.0


def _spread(pictures: Any) -> Any:
    return tf.reduce_mean(tf.math.reduce_std(pictures, axis=0))

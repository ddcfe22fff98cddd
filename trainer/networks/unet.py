"""U-Net (Ronneberger et al. 2015): an encoder that halves a picture `depth` times, and a decoder that doubles it back
and is given, at each size, what the encoder saw there.

Here with "same" padding, so that what comes out is as large as what came in; batch normalisation (Ioffe & Szegedy
2015); and enlargement by bilinear interpolation and a convolution, which leaves no checkerboard as transposed
convolutions do (Odena et al. 2016). At full size there is one convolution on either side, not two: most of the time is
spent there, and the least is learnt.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.networks.convolutions import convolved


def stride(depth: int) -> int:
    """The sides of a picture must be multiples of it."""
    return 2**depth


def unet(picture: Any, filters: int, depth: int) -> Any:
    """The features of each pixel, for a last convolution of 1x1 to make an answer of.

    Args:
      picture: a Keras tensor `[batch, height, width, channels]`, sides multiples of `stride(depth)`; they may be None.
      filters: of the first convolution; each halving doubles them.
      depth: halvings.

    Returns:
      `[batch, height, width, filters]`.
    """
    layers = tf.keras.layers
    x = convolved(picture, filters)
    seen = [x]
    for level in range(1, depth + 1):
        x = layers.MaxPooling2D(2)(x)
        x = convolved(convolved(x, filters << level), filters << level)
        seen.append(x)
    for level in reversed(range(depth)):
        x = layers.UpSampling2D(2, interpolation="bilinear")(convolved(x, filters << level, size=1))
        x = layers.Concatenate()([seen[level], x])
        x = convolved(x, filters << level)
    return x

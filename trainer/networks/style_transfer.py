"""Arbitrary style transfer by adaptive instance normalisation (AdaIN, Huang & Belongie 2017).

A frozen encoder gives features of a content and of a style picture at several depths. At each, every channel of the
content's features is given the mean and the deviation that it has in the style picture; a decoder makes a picture of
what results. It learns by the frozen encoder, too: its answer shall have the content's features, up to each channel's
mean and deviation, and the style's means and deviations. Both losses are shares of what
there is to overcome: see `trainer.metrics.stylisation`, which judges by the same measure.

Two things are otherwise than in the paper. The decoder is given features of three depths, not of the deepest alone:
EfficientNet's narrow blocks keep too little of a picture to draw it from one. And pixels are treated like features: the
content's colours, normalised to the style's, are the picture that the decoder begins with and changes, so that the
first step of training stands where a transfer of colour statistics (Reinhard et al. 2001) ends.

Pictures are enlarged by their nearest pixels and convolved with reflected edges, which leaves neither checkerboards
(Odena et al. 2016) nor frames. Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.backend import tf
from trainer.networks import efficientnet

STRIDE = 8
"""Sides of pictures must be multiples of it, and at least twice as many pixels."""

NORMALISED = ("block06_expand_activation", "block04_expand_activation", "block01_depthwise_activation")
"""Layers whose features are given the style's moments: of an eighth, a quarter and half of the picture's size."""

CONTENT = "block05_expand_activation"
STYLE = (
    "stem_activation",
    "block02_expand_activation",
    "block03_expand_activation",
    "block05_expand_activation",
)
"""Layers whose features are compared, in training and by the judge, to an eighth of the size as in the paper."""

MARGIN = 32
"""Pixels of its mirror image that are laid around a picture and cut off again: the encoder pads with zeros, and
features that know of an edge would be drawn as a frame."""

REACH = 80
"""Pixels: a pixel of an answer depends on nothing further away but by the moments; 33 of the encoder, 30 of the
decoder, rounded up to a multiple of the stride."""

PIXELS = "pixels"
"""In place of a layer: the colours themselves, as luma and two differences of colour."""

LUMA_AND_CHROMA = (
    (0.299, 0.587, 0.114),
    (-0.168736, -0.331264, 0.5),
    (0.5, -0.418688, -0.081312),
)
"""Of RGB, ITU-R BT.601 (JFIF): channels that depend less on each other than red, green and blue."""

LEAST = 0.02
"""Colours that the decoder begins with are this far from black and white at least, so that it can learn to change them:
it does on the scale of the logistic function, which keeps answers within 0 to 1."""

EPSILON = 1e-3
"""Added to variances of features, which are of the order of 1."""

Moments = tuple[Any, Any]
"""Mean and deviation of each channel over a picture, float32 `[batch, 1, 1, channels]`."""


class StyleTransfer(tf.keras.Model):
    """`{"content_pixels", "style_pixels"}`, uint8 `[batch, height, width, 3]`, to stylised pictures, float32 of 0 to 1.

    `fit` needs no targets: the losses follow from the pictures. All but the decoder is frozen.
    """

    def __init__(self, weights: Path | None, filters: int, style_weight: float, smoothness: float) -> None:
        """
        Args:
          weights: of EfficientNet-Lite0; None for random ones, by whose statistics style may be told, too.
          filters: of the decoder at half of the picture's size.
          style_weight, smoothness: how much the style's share and total variation weigh beside the content's share.
        """
        super().__init__()
        network = efficientnet.efficientnet_lite0(weights)
        outputs = {name: network.get_layer(name).output for name in NORMALISED}
        self.encoder = tf.keras.Model(network.input, {**_compared(network), **outputs}, name="encoder")
        self.encoder.trainable = False
        self._drawn_from = tf.keras.Model(network.input, outputs)
        self._drawn_from.trainable = False
        self.decoder = _decoder(filters, [outputs[name].shape[-1] for name in NORMALISED])
        self._style_weight, self._smoothness = style_weight, smoothness
        self.built = True

    def call(self, features: Any, training: bool = False) -> Any:
        pictures = [_floats(features[name]) for name in ("content_pixels", "style_pixels")]
        content, style = ({**self.encoder(picture), PIXELS: _luma_and_chroma(picture)} for picture in pictures)
        of_content, of_style = (
            {name: moments(found[name]) for name in (*NORMALISED, PIXELS)} for found in (content, style)
        )
        answer = self._drawn(content, of_content, of_style, 1.0)
        found = self.encoder(255.0 * answer)
        shares = {
            name: _share(loss(found[name], wanted[name]), loss(content[name], style[name]))
            for name, wanted in (("content", content), ("style", style))
        }
        variation = tf.reduce_mean(tf.image.total_variation(answer)) / tf.cast(tf.size(answer[0]), tf.float32)
        self.add_loss(shares["content"] + self._style_weight * shares["style"] + self._smoothness * variation)
        for name, share in shares.items():
            self.add_metric(share, name=name)
        return answer

    def moments_of(self, picture: Any) -> dict[str, Moments]:
        """Of what is drawn from, of pictures `[batch, height, width, 3]` of 0 to 255, of any size."""
        return {name: moments(features) for name, features in self._features(picture).items()}

    def stylise(
        self, content: Any, of_content: Mapping[str, Moments], of_style: Mapping[str, Moments], alpha: Any
    ) -> Any:
        """A content picture, or a part of it whose sides are multiples of `STRIDE`, with the moments of the whole:
        uint8 `[1, height, width, 3]` to float32 of that shape, 0 to 1."""
        return self._drawn(self._features(content), of_content, of_style, alpha)

    def _features(self, picture: Any) -> dict[str, Any]:
        return {**self._drawn_from(_floats(picture)), PIXELS: _luma_and_chroma(_floats(picture))}

    def _drawn(
        self, content: Mapping[str, Any], of_content: Mapping[str, Moments], of_style: Mapping[str, Moments], alpha: Any
    ) -> Any:
        names = (*NORMALISED, PIXELS)
        *maps, pixels = [adain(content[name], of_content[name], of_style[name], alpha) for name in names]
        begun = tf.clip_by_value(_rgb(pixels), LEAST, 1 - LEAST)
        return tf.sigmoid(tf.math.log(begun / (1 - begun)) + self.decoder([*maps, begun]))


def moments(features: Any) -> Moments:
    mean, variance = tf.nn.moments(tf.cast(features, tf.float32), axes=[1, 2], keepdims=True)
    return mean, tf.sqrt(variance + EPSILON)


def adain(content: Any, own: Moments, wanted: Moments, alpha: Any) -> Any:
    """Features of a content whose moments are `own`, with moments on the way to those `wanted`: 0 leaves them, 1 gives
    the style's. The same as interpolating the features themselves."""
    mean, deviation = ((1.0 - alpha) * ours + alpha * theirs for ours, theirs in zip(own, wanted, strict=True))
    return (tf.cast(content, tf.float32) - own[0]) / own[1] * deviation + mean


def normalised(features: Any) -> Any:
    """Each channel with mean 0 and deviation 1 over a picture."""
    mean, deviation = moments(features)
    return (tf.cast(features, tf.float32) - mean) / deviation


def loss(one: Any, other: Any) -> Any:
    """Mean squared difference of an example's features, `[batch]`."""
    return tf.reduce_mean(tf.math.squared_difference(one, other), axis=list(range(1, one.shape.rank)))


def _share(left: Any, whole: Any) -> Any:
    """Of a batch's losses to begin with what is left, as a share of sums: pairs of like pictures decide nothing."""
    return tf.reduce_sum(left) / tf.stop_gradient(tf.reduce_sum(whole))


def style_judge(weights: Path | None) -> Any:
    """What `trainer.metrics.stylisation` asks of pictures: uint8 `[batch, height, width, 3]` to `content`, normalised
    features, and `style`, the moments of several layers, each layer of equal weight."""
    picture = tf.keras.Input([None, None, 3], dtype=tf.uint8, name="picture")
    return tf.keras.Model(picture, _compared(efficientnet.efficientnet_lite0(weights, picture)), name="judge")


def _compared(network: Any) -> dict[str, Any]:
    """What is compared of pictures: `content` and `style`. Saved outputs go by the names of their layers."""
    return {
        "content": Normalised(name="content", dtype="float32")(network.get_layer(CONTENT).output),
        "style": JoinedMoments(name="style", dtype="float32")([network.get_layer(name).output for name in STYLE]),
    }


class Normalised(tf.keras.layers.Layer):
    def call(self, features: Any) -> Any:
        return normalised(features)


class JoinedMoments(tf.keras.layers.Layer):
    """Moments of several layers as one vector, `[batch, n]`, whose mean square is the mean of the layers' own."""

    def call(self, layers: Sequence[Any]) -> Any:
        total = 2 * sum(features.shape[-1] for features in layers)
        parts = []
        for features in layers:
            both = tf.concat(moments(features), axis=-1)[:, 0, 0]
            parts.append(both * (total / (len(layers) * 2 * features.shape[-1])) ** 0.5)
        return tf.concat(parts, axis=-1)


class Reflected(tf.keras.layers.Layer):
    """Pads a picture by one pixel of its mirror image."""

    def call(self, x: Any) -> Any:
        return tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")


def _decoder(filters: int, channels: Sequence[int]) -> Any:
    """Features of `NORMALISED`, in its order, and the picture to begin with, RGB of 0 to 1, to what is to be added to
    that, float32, on the logistic scale: nothing, before anything is learnt."""
    layers = tf.keras.layers
    given = [tf.keras.Input([None, None, count]) for count in (*channels, 3)]
    widths = (2 * filters, filters, max(1, filters // 2))
    x = _convolution(given[0], 4 * filters)
    for beside, width in zip(given[1:], widths, strict=True):
        x = layers.UpSampling2D(2, interpolation="nearest")(_convolution(x, width))
        x = layers.Concatenate()([x, _activated(layers.Conv2D(width, 1, kernel_initializer="he_normal")(beside))])
        x = _convolution(x, width)
    x = layers.Conv2D(3, 3, kernel_initializer="zeros")(Reflected()(x))
    return tf.keras.Model(given, layers.Activation("linear", dtype="float32")(x), name="decoder")


def _convolution(x: Any, filters: int) -> Any:
    return _activated(tf.keras.layers.Conv2D(filters, 3, kernel_initializer="he_normal")(Reflected()(x)))


def _activated(x: Any) -> Any:
    """Leaky: rectified units at the coarsest size died while the finer ones learnt, and with them that depth."""
    return tf.keras.layers.LeakyReLU(0.2)(x)


def _floats(pixels: Any) -> Any:
    return tf.cast(pixels, tf.float32)


def _luma_and_chroma(pixels: Any) -> Any:
    """Float RGB of 0 to 255, `[batch, height, width, 3]`, to luma of 0 to 1 and differences of colour around 0."""
    return tf.tensordot(pixels / 255.0, tf.transpose(tf.constant(LUMA_AND_CHROMA)), axes=1)


def _rgb(pixels: Any) -> Any:
    """The inverse, RGB of about 0 to 1."""
    return tf.tensordot(pixels, tf.linalg.inv(tf.transpose(tf.constant(LUMA_AND_CHROMA))), axes=1)

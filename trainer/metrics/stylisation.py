"""How well a picture keeps a content and takes on a style, in the eyes of a frozen network.

A judge takes uint8 pictures `[1, height, width, 3]` of any size to `content`, feature maps `[1, rows, columns,
channels]` whose channels have mean 0 and variance 1 over the picture, and `style`, `[1, n]`, means and deviations of
the channels of several layers (`trainer.networks.style_transfer.style_judge`). Two losses, both mean squared errors:

- of content: between the normalised maps of the answer and of the content picture. 0 is the same things at the same
  places; of pictures that have nothing to do with each other it is about 2;
- of style: between the answer's and the style picture's means and deviations.

They cannot both be small, and which of two answers is the better stylisation is a matter of how far one counts
against the other. `trade_off` weighs each by what there was to begin with: the mean content loss as a share of that of
the style picture in the answer's place, plus the mean style loss as a share of that of the content picture. So the
content unchanged scores exactly 1 (0 + 1), and the style picture in its place exactly 1 (1 + 0); less is a better
answer than either, and how little can be reached nobody knows: what stood half-way between the two in the judge's eyes,
in every feature, would score 0.5. The shares are of sums over a set, not of each pair: a pair of two like pictures has
next to nothing to be a share of.

Imports TFMA; import it where it is used.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam
import numpy as np
from tensorflow_model_analysis.metrics import metric_types, metric_util

from trainer.backend import tf
from trainer.features import images
from trainer.metrics.judge import Judge, loaded

Array = np.ndarray[Any, Any]

CONTENT, STYLE = "content", "style"
"""Raw columns, encoded pictures, beside which the prediction is looked at."""

REMEMBERED = 4096
"""Losses of pairs, a few numbers each, that are kept: metrics, slices and the jackknife ask for the same ones."""


class Pair:
    """A content and a style picture, uint8 `[height, width, 3]`, beside which answers are judged."""

    def __init__(self, judge: Judge, content: Array, style: Array) -> None:
        self._judge = judge
        self._content, self._style = _judged(judge, content), _judged(judge, style)
        in_its_place = _judged(judge, _resized(style, content.shape))
        self._contents_apart = _apart(in_its_place["content"], self._content["content"])
        self._styles_apart = _apart(self._content["style"], self._style["style"])

    def losses(self, answer: Array) -> Array:
        """What is summed over a set, float64 `[5]`, of an answer of the content's size: its content loss and that of
        the style picture, its style loss and that of the content picture, and 1."""
        found = _judged(self._judge, answer)
        of_content = _apart(found["content"], self._content["content"])
        of_style = _apart(found["style"], self._style["style"])
        return np.array([of_content, self._contents_apart, of_style, self._styles_apart, 1.0])


def content_loss(sums: Array) -> float:
    return float(sums[0] / sums[4])


def style_loss(sums: Array) -> float:
    return float(sums[2] / sums[4])


def trade_off(sums: Array) -> float:
    return float(_share(sums[0], sums[1]) + _share(sums[2], sums[3]))


MEASURES = {measure.__name__: measure for measure in (trade_off, content_loss, style_loss)}


def scores(sums: Array) -> dict[str, float]:
    """All measures of summed `Pair.losses`."""
    return {name: measure(sums) for name, measure in MEASURES.items()}


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float(part > 0)


def _apart(one: Array, other: Array) -> float:
    """Mean square of the differences."""
    return float(np.mean((one.astype(np.float64) - other) ** 2))


def _resized(picture: Array, shape: tuple[int, ...]) -> Array:
    from PIL import Image

    return np.asarray(Image.fromarray(picture).resize((shape[1], shape[0]), Image.Resampling.LANCZOS))


def _judged(judge: Judge, picture: Array) -> dict[str, Array]:
    return {name: np.asarray(value) for name, value in judge(tf.constant(picture[None])).items()}


class _Stylisation(metric_types.Metric):
    """A measure of answers, encoded pictures, beside the raw columns `CONTENT` and `STYLE` that they were made of."""

    def __init__(self, measure: Callable[[Array], float], judge: str, name: str) -> None:
        def computations(
            name: str, judge: str, eval_config: Any = None, model_name: str = "", output_name: str = ""
        ) -> list[Any]:
            # All measures share one pass through the judge: TFMA drops computations that are there already.
            sums = metric_types.MetricKey("_stylisation", model_name=model_name, output_name=output_name)
            key = metric_types.MetricKey(name, model_name=model_name, output_name=output_name)
            columns = metric_types.FeaturePreprocessor(feature_keys=[CONTENT, STYLE])
            return [
                metric_types.MetricComputation([sums], [columns], _Sums(sums, judge, eval_config)),
                metric_types.DerivedMetricComputation([key], lambda metrics: {key: measure(metrics[sums])}),
            ]

        super().__init__(metric_util.merge_per_key_computations(computations), name=name, judge=judge)


class TradeOff(_Stylisation):
    def __init__(self, judge: str, name: str = "trade_off") -> None:
        super().__init__(trade_off, judge, name)


class ContentLoss(_Stylisation):
    def __init__(self, judge: str, name: str = "content_loss") -> None:
        super().__init__(content_loss, judge, name)


class StyleLoss(_Stylisation):
    def __init__(self, judge: str, name: str = "style_loss") -> None:
        super().__init__(style_loss, judge, name)


class _Sums(beam.CombineFn):
    """`Pair.losses` of the examples, added up; NaN where there are none."""

    def __init__(self, key: Any, judge: str, eval_config: Any) -> None:
        self._key, self._judge, self._eval_config = key, judge, eval_config

    def create_accumulator(self) -> Array:
        return np.zeros(5)

    def add_input(self, accumulator: Array, element: Any) -> Array:
        found = element.get_predictions(self._key.model_name, self._key.output_name)
        pictures = [np.ravel(one).item() for one in (*(element.features[name] for name in (CONTENT, STYLE)), found)]
        content, style, answer = map(_Encoded, pictures)
        return accumulator + _of_encoded(self._judge, content, style, answer)

    def merge_accumulators(self, accumulators: Iterable[Array]) -> Array:
        return np.sum(list(accumulators), axis=0)

    def extract_output(self, accumulator: Array) -> dict[Any, Array]:
        return {self._key: accumulator if accumulator[4] else np.full(5, np.nan)}


class _Encoded:
    """An encoded picture, known by its digest: what remembers answers must not hold it."""

    def __init__(self, content: bytes) -> None:
        self.content: bytes | None = content
        self._digest = hashlib.sha256(content).digest()

    def __hash__(self) -> int:
        return hash(self._digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Encoded) and self._digest == other._digest

    def take(self) -> Array:
        """The pixels; the bytes are let go."""
        content, self.content = self.content, None
        return images.decode_whole(tf.constant(content)).numpy()


@functools.lru_cache(maxsize=REMEMBERED)
def _of_encoded(judge: str, content: _Encoded, style: _Encoded, answer: _Encoded) -> Array:
    return Pair(loaded(judge), content.take(), style.take()).losses(answer.take())

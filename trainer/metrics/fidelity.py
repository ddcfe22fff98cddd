"""How near pictures come to the true ones: PSNR and SSIM of each, averaged over a set.

Super-resolution is judged as its literature does (Timofte et al. 2013 and all that follow): on the luma of ITU-R BT.601
in studio range (16 to 235, MATLAB's `rgb2ycbcr`), with as many pixels cut off each side as the picture was enlarged
times; restoration on red, green and blue, without a border. Both with a peak of 255.

Where the truth is larger than the answer, its middle is what is compared: of large photographs the middle is what
tasks evaluate on (`data.media.degraded`). Imports TFMA; import it where it is used.
"""

from __future__ import annotations

import functools
from typing import Any, ClassVar

import numpy as np

from trainer.backend import tf
from trainer.features import images
from trainer.metrics.counts import CountsMetric

Array = np.ndarray[Any, Any]

HIGHEST_PSNR = 100.0
"""dB, of pictures that are equal, for which it has no bound: an error of 0.65 thousandths of a grey level."""

SMALLEST = 11
"""Pixels: SSIM's window. No side may be shorter once the border is cut."""

_STUDIO = np.array([65.481, 128.553, 24.966]) / 255


def psnr(truth: Array, answer: Array) -> float:
    """Peak signal-to-noise ratio in dB, at most `HIGHEST_PSNR`, of values of 0 to 255 of one shape."""
    error = float(np.mean((truth.astype(np.float64) - answer) ** 2))
    return min(HIGHEST_PSNR, 10 * float(np.log10(255**2 / error))) if error else HIGHEST_PSNR


def ssim(truth: Array, answer: Array) -> float:
    """Structural similarity (Wang et al. 2004), 1 for equal pictures: an 11x11 Gaussian window of σ = 1.5, K1 = 0.01,
    K2 = 0.03, over all places where the window fits; the mean over the channels of `[height, width, channels]`."""
    from skimage.metrics import structural_similarity

    return float(
        structural_similarity(
            truth.astype(np.float64),
            answer.astype(np.float64),
            data_range=255,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def studio_luma(pixels: Array) -> Array:
    """RGB `[..., 3]`, 0 to 255, to luma `[..., 1]`, 16 to 235, not rounded."""
    return (pixels.astype(np.float64) @ _STUDIO + 16)[..., None]


class _Fidelity(CountsMetric):
    """The mean of a measure over encoded pictures. A subclass says which, and on what."""

    measure: ClassVar[staticmethod[[Array, Array], float]]
    on_luma: ClassVar[bool]
    border: ClassVar[int]

    @classmethod
    def counts(cls, label: Array, prediction: Array) -> Array:
        [truth], [answer] = np.ravel(label).tolist(), np.ravel(prediction).tolist()
        return np.array([cls.of(*_decoded(truth, answer)), 1.0])

    @classmethod
    def value(cls, counts: Array) -> float:
        return float(counts[0] / counts[1])

    @classmethod
    def of(cls, truth: Array, answer: Array) -> float:
        """Of one answer, uint8 `[height, width, 3]`, beside the truth of that size."""
        inside = slice(cls.border, -cls.border or None)
        truth, answer = truth[inside, inside], answer[inside, inside]
        if cls.on_luma:
            truth, answer = studio_luma(truth), studio_luma(answer)
        return cls.measure(truth, answer)


class EnlargedPsnr(_Fidelity):
    """Of super-resolution by a factor of 2, in dB."""

    usual_name, measure, on_luma, border = "psnr", staticmethod(psnr), True, 2


class EnlargedSsim(_Fidelity):
    """Of super-resolution by a factor of 2."""

    usual_name, measure, on_luma, border = "ssim", staticmethod(ssim), True, 2


class RestoredPsnr(_Fidelity):
    """Of pictures mended at their own size, in dB."""

    usual_name, measure, on_luma, border = "psnr", staticmethod(psnr), False, 0


class RestoredSsim(_Fidelity):
    """Of pictures mended at their own size."""

    usual_name, measure, on_luma, border = "ssim", staticmethod(ssim), False, 0


@functools.lru_cache(maxsize=4)  # each metric, and the jackknife, asks for the same pair
def _decoded(truth: bytes, answer: bytes) -> tuple[Array, Array]:
    answered = images.decode_whole(tf.constant(answer))
    return images.middle(images.decode_whole(tf.constant(truth)), *answered.shape[:2]).numpy(), answered.numpy()

"""What tasks share that answer a picture with a better one: scores, references and what a person sees of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.features import images
from trainer.preview import BeforeAfter, Picture, Preview
from trainer.task import Evaluation, Gate, Metric

Array = np.ndarray[Any, Any]

DETAIL = 160
"""Pixels of the square that a preview shows: more, shrunk to fit a page, would hide what was mended."""


def evaluation(kind: str, answer: str, margin: float, bound: float | None, slices: tuple[str, ...]) -> Evaluation:
    """PSNR and SSIM of `answer`, PNGs, beside the column `image`.

    Args:
      kind: of the metrics in `trainer.metrics.fidelity`: "Enlarged" or "Restored".
      margin: by how many dB the model must beat the best reference.
      bound: of PSNR on default data.
    """
    module = "trainer.metrics.fidelity"
    return Evaluation(
        prediction=answer,
        label="image",
        raw_label=True,
        metrics=(Metric("psnr", f"{kind}Psnr", module), Metric("ssim", f"{kind}Ssim", module)),
        gates=(
            Gate("psnr", bound=bound, reference_margin=margin, baseline_margin=0.1),
            Gate("ssim", baseline_margin=0.005),
        ),
        slices=slices,
    )


def scores(
    kind: str, truths: Array, given: Array, methods: Mapping[str, Callable[[Array], Array]]
) -> dict[str, dict[str, float]]:
    """Method -> metric -> mean over a split, with the metrics of `evaluation`.

    Args:
      truths: encoded pictures, bytes `[n]`, of the size of the answers.
      given: encoded pictures, bytes `[n]`, what a method is asked to better: uint8 `[height, width, 3]` once decoded.
    """
    from trainer.metrics import fidelity

    metrics = {"psnr": getattr(fidelity, f"{kind}Psnr"), "ssim": getattr(fidelity, f"{kind}Ssim")}
    sums = {method: dict.fromkeys(metrics, 0.0) for method in methods}
    for encoded, poor in zip(truths, given, strict=True):
        truth, pixels = decoded(encoded), decoded(poor)
        for method, better in methods.items():
            answer = better(pixels)
            for name, metric in metrics.items():
                sums[method][name] += metric.of(truth, answer) / len(truths)
    return sums


def decoded(encoded: bytes) -> Array:
    """uint8 `[height, width, 3]`."""
    return images.decode_whole(tf.constant(encoded)).numpy()


def preview(title: str, before: tuple[str, Array], after: tuple[str, Array], truth: bytes | None, kind: str) -> Preview:
    """A detail before and after, and as it truly was where that is known; else the whole answer beside it.

    Args:
      before, after: caption and uint8 `[height, width, 3]`, of one size.
      truth: an encoded picture, of which the middle is compared.
      kind: as in `evaluation`.
    """
    height, width = after[1].shape[:2]
    known = None if truth is None else images.middle(decoded(truth), height, width)
    rows, columns = _most_detailed(before[1])
    one, other = (
        name if known is None else f"{name}, {_measured(kind, known, pixels)}" for name, pixels in (before, after)
    )
    divided = BeforeAfter(before[1][rows, columns], after[1][rows, columns], (one, other))
    beside = Picture(after[1], "all of it") if known is None else Picture(known[rows, columns], "as it was")
    return Preview(f"{title} {width} × {height}", None, {}, (divided, beside))


def assess(kind: str, truth: bytes | None, answer: bytes) -> Assessment:
    """`Task.assess` of a picture, encoded, beside the truth of `evaluation`."""
    from trainer.metrics import fidelity

    pixels = decoded(answer)
    height, width = pixels.shape[:2]
    size = f"{width} × {height}"
    if truth is None:
        return Assessment(size)
    whole = decoded(truth)
    decibels = getattr(fidelity, f"{kind}Psnr").of(np.asarray(images.middle(whole, height, width)), pixels)
    loss, name = grey_levels(decibels), "distance from the truth in grey levels (RMSE)"
    return Assessment(f"{size}, {decibels:.2f} dB", f"{whole.shape[1]} × {whole.shape[0]}", None, None, loss, name)


def grey_levels(psnr: float) -> float:
    """The root of the mean squared error, of 255, that a PSNR in dB stands for."""
    return float(255 / 10 ** (psnr / 20))


def _measured(kind: str, truth: Array, answer: Array) -> str:
    from trainer.metrics import fidelity

    return f"{getattr(fidelity, f'{kind}Psnr').of(truth, answer):.2f} dB"


def _most_detailed(picture: Array) -> tuple[slice, slice]:
    """Where the square of `DETAIL` pixels lies that varies most, of those that lie side by side."""
    height, width = picture.shape[:2]
    tops = range(0, max(height - DETAIL, 0) + 1, DETAIL // 2)
    lefts = range(0, max(width - DETAIL, 0) + 1, DETAIL // 2)
    squares = [(slice(top, top + DETAIL), slice(left, left + DETAIL)) for top in tops for left in lefts]
    return max(squares, key=lambda square: float(np.abs(np.diff(picture[square].astype(np.int16), axis=0)).mean()))

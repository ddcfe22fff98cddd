"""Objects found by sliding an average of each class over a picture: what a detector must beat.

The template of a class is the mean edge strength of its training crops. It is compared with every place of a picture
in several sizes by normalised cross-correlation (Lewis 1995), and near copies of better places are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage
from skimage import color, feature, filters, transform

from trainer.backend import tf

Array = np.ndarray[Any, Any]

SIDE = 20
"""Pixels of a template's longer side."""
CROPS = 200
"""A template is the mean of at most so many crops."""
SIZES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Quantiles of the sizes of training objects in which objects are looked for."""
PEAKS = 10
"""Best places for each class and size."""
OVERLAP = 0.3
"""Of two places of one class with a higher IoU, the worse is dropped."""

FLAT = 1e-4
"""Edge strengths that differ by less are no edge: a step from one grey to the next of 256 is ten times that."""


@dataclass(frozen=True)
class Templates:
    """What is looked for: class -> edge strengths `[rows, columns]`, in pictures brought to each of these scales."""

    of_classes: Mapping[int, Array]
    scales: Array


def learn(pictures: Array, objects: Array) -> Templates:
    """
    Args:
      pictures: uint8 `[n, height, width, channels]`.
      objects: `[n, most, 5]`, (xmin, ymin, xmax, ymax, class) in pixels of `pictures`, padded with class -1.
    """
    crops: dict[int, list[Array]] = {}
    sides: dict[int, list[tuple[float, float]]] = {}
    for picture, rows in zip(pictures, objects, strict=True):
        wanted = [row for row in rows if row[4] >= 0 and len(crops.get(int(row[4]), ())) < CROPS]
        if not wanted:
            continue
        edges = edge_strength(picture)
        for xmin, ymin, xmax, ymax, c in wanted:
            left, top, right, bottom = int(xmin), int(ymin), int(np.ceil(xmax)), int(np.ceil(ymax))
            crop = edges[max(top, 0) : bottom, max(left, 0) : right]
            if min(crop.shape) >= 3:
                crops.setdefault(int(c), []).append(crop)
                sides.setdefault(int(c), []).append((ymax - ymin, xmax - xmin))
    longest = [max(side) for of_class in sides.values() for side in of_class]
    scales = SIDE / np.unique(np.quantile(longest, SIZES)) if longest else np.zeros(0)
    return Templates({c: _template(crops[c], np.array(sides[c])) for c in crops}, scales)


def _template(crops: list[Array], sides: Array) -> Array:
    shape = np.median(sides / sides.max(axis=1, keepdims=True), axis=0)
    shape = np.maximum(np.round(SIDE * shape / shape.max()), 3).astype(int)
    return np.mean([transform.resize(crop, shape, anti_aliasing=True) for crop in crops], axis=0)


def detect(picture: Array, templates: Templates) -> Array:
    """Float `[n, 6]`: (xmin, ymin, xmax, ymax, class, score) in pixels, scores from 0 to 1, of a uint8 picture."""
    places = np.array([np.zeros(6), *_places(picture, templates)])[1:]
    found = [_without_near_copies(places[places[:, 4] == c]) for c in templates.of_classes]
    return np.concatenate([np.zeros((0, 6)), *found])


def _places(picture: Array, templates: Templates) -> Iterator[tuple[float, ...]]:
    for scale in templates.scales:
        shape = np.round(np.array(picture.shape[:2]) * scale).astype(int)
        edges = edge_strength(transform.resize(picture, shape, anti_aliasing=True))
        for c, template in templates.of_classes.items():
            if (shape < template.shape).any():
                continue
            likeness = _likeness(edges, template)
            for y, x in feature.peak_local_max(likeness, min_distance=3, num_peaks=PEAKS, exclude_border=False):
                corners = np.array([x, y, x + template.shape[1], y + template.shape[0]]) / scale
                yield *corners, c, float((likeness[y, x] + 1) / 2)


def _likeness(edges: Array, template: Array) -> Array:
    """Normalised cross-correlation at each place of the template's upper left corner, from -1 to 1.

    Places without any edge are like nothing: what is divided there is rounding error by rounding error.
    """
    span = ndimage.maximum_filter(edges, template.shape) - ndimage.minimum_filter(edges, template.shape)
    likeness = feature.match_template(edges, template)
    (top, left), (rows, columns) = np.array(template.shape) // 2, likeness.shape
    return np.where(span[top : top + rows, left : left + columns] < FLAT, 0.0, likeness.clip(-1, 1))


def _without_near_copies(places: Array) -> Array:
    kept = tf.image.non_max_suppression(
        places[:, :4].astype(np.float32), places[:, 5].astype(np.float32), len(places), OVERLAP
    )
    return places[kept.numpy()]


def edge_strength(picture: Array) -> Array:
    """Sobel's gradient magnitude of the luma, float `[height, width]`."""
    grey = color.rgb2gray(picture) if picture.shape[-1] == 3 else picture[..., 0] / picture.dtype.type(1)
    return filters.sobel(grey)

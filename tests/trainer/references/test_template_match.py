"""Objects found by the likeness of their edges."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.references.template_match import SIDE, detect, learn

SQUARE, CROSS = 0, 1


def scene(places: list[tuple[int, int, int]], side: int = 64, noise: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """A picture on ground of some noise, and (xmin, ymin, xmax, ymax, class) of its squares and crosses."""
    picture = np.random.default_rng(len(places)).integers(30, 30 + noise, (side, side, 1), np.uint8, True)
    boxes = []
    for left, top, kind in places:
        if kind == SQUARE:
            picture[top : top + 16, left : left + 16] = 220
        else:
            picture[top + 6 : top + 10, left : left + 16] = 220
            picture[top : top + 16, left + 6 : left + 10] = 220
        boxes.append([left, top, left + 16, top + 16, kind])
    return picture, np.array(boxes + [[0, 0, 0, 0, -1]] * (3 - len(boxes)), float)


@pytest.mark.parametrize("noise", [20, 0])
def test_what_was_learnt_is_found_elsewhere(noise: int) -> None:
    """Also on a plain ground, where places without an edge are like nothing."""
    shown = [[(8, 8, SQUARE)], [(40, 30, CROSS)], [(30, 40, SQUARE), (6, 4, CROSS)]]
    seen = [scene(places, noise=noise) for places in shown]
    templates = learn(np.stack([picture for picture, _ in seen]), np.stack([boxes for _, boxes in seen]))
    assert set(templates.of_classes) == {SQUARE, CROSS}
    assert all(max(template.shape) == SIDE for template in templates.of_classes.values())
    found = detect(scene([(36, 12, SQUARE), (10, 40, CROSS)], noise=noise)[0], templates)
    assert (found[:, 5] >= 0).all() and (found[:, 5] <= 1).all()
    for kind, (left, top) in {SQUARE: (36, 12), CROSS: (10, 40)}.items():
        of_kind = found[found[:, 4] == kind]
        best = of_kind[of_kind[:, 5].argmax()]
        assert np.abs(best[:4] - [left, top, left + 16, top + 16]).max() <= 3, (kind, best)


def test_of_no_objects_nothing_is_learnt_and_nothing_found() -> None:
    picture, boxes = scene([])
    templates = learn(picture[None], boxes[None])
    assert not templates.of_classes and not len(templates.scales)
    assert detect(picture, templates).shape == (0, 6)

"""Principal components: what few numbers keep of pictures, and new ones from them."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.references import principal_components


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Of two patterns in any strength, uint8 `[200, 6, 5, 3]`."""
    rng = np.random.default_rng(0)
    patterns = rng.uniform(-1, 1, (2, 6, 5, 3))
    return (128 + np.tensordot(rng.uniform(-60, 60, (200, 2)), patterns, 1)).astype(np.uint8)


def test_as_many_components_as_there_are_patterns_keep_nearly_all(pictures: np.ndarray) -> None:
    one, two = (principal_components.learn(pictures, count, seed=0).reconstruction_psnr(pictures) for count in (1, 2))
    assert one < 35 < 45 < two


def test_new_pictures_have_the_spread_of_those_learnt_from_and_follow_from_the_seed(pictures: np.ndarray) -> None:
    components = principal_components.learn(pictures, 2, seed=0)
    new = components.draw(500, seed=1)
    assert new.shape == (500, 6, 5, 3) and new.dtype == np.uint8
    assert np.array_equal(new, components.draw(500, seed=1))
    assert not np.array_equal(new, components.draw(500, seed=2))
    np.testing.assert_allclose(new.mean(axis=0), pictures.mean(axis=0), atol=6)
    np.testing.assert_allclose(new.std(axis=0), pictures.std(axis=0), atol=8)


def test_there_are_no_more_components_than_pictures(pictures: np.ndarray) -> None:
    assert principal_components.learn(pictures[:3], 32, seed=0).count == 3

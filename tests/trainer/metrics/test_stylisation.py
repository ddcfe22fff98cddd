"""The measures at the ends between which stylisations lie: the content unchanged, the style picture in its place."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.metrics import stylisation
from trainer.networks.style_transfer import style_judge


@pytest.fixture(scope="module")
def judge():
    import tensorflow as tf

    tf.keras.utils.set_random_seed(1)
    return style_judge(None)


@pytest.fixture(scope="module")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    content = np.zeros((48, 64, 3)) + np.linspace(20, 220, 64)[:, None]
    style = np.zeros((40, 40, 3)) + np.where(np.arange(40) % 8 < 4, 230, 30)[:, None, None] * [1, 0.5, 0.2]
    return tuple((x + rng.normal(0, 5, x.shape)).clip(0, 255).astype(np.uint8) for x in (content, style))


def test_the_content_unchanged_and_the_style_itself_score_one(judge, pictures) -> None:
    content, style = pictures
    unchanged = stylisation.scores(stylisation.Pair(judge, content, style).losses(content))
    assert unchanged["trade_off"] == 1 and unchanged["content_loss"] == 0 and unchanged["style_loss"] > 0
    same_size = style[:40, :40]
    itself = stylisation.scores(stylisation.Pair(judge, content[:40, :40], same_size).losses(same_size))
    assert itself["trade_off"] == pytest.approx(1) and itself["style_loss"] == 0


def test_an_answer_that_has_neither_scores_worse(judge, pictures) -> None:
    content, style = pictures
    noise = np.random.default_rng(3).integers(0, 256, content.shape, np.uint8)
    assert stylisation.trade_off(stylisation.Pair(judge, content, style).losses(noise)) > 1.2


def test_shares_are_of_sums_so_that_a_pair_of_like_pictures_does_not_decide() -> None:
    usual, alike = np.array([0.5, 1.0, 0.2, 0.4, 1.0]), np.array([0.01, 0.0, 0.01, 0.0, 1.0])
    assert stylisation.trade_off(usual) == pytest.approx(1.0)
    assert stylisation.trade_off(usual + alike) == pytest.approx(0.51 + 0.21 / 0.4)
    assert stylisation.content_loss(usual + alike) == pytest.approx(0.255)
    assert stylisation.style_loss(usual + alike) == pytest.approx(0.105)


def test_content_loss_does_not_see_contrast_and_style_loss_does_not_see_places(judge, pictures) -> None:
    content, style = pictures
    paler = (content * 0.6 + 60).astype(np.uint8)
    mirrored = content[:, ::-1]
    pale, turned = (stylisation.Pair(judge, content, style).losses(answer) for answer in (paler, mirrored))
    assert pale[0] < turned[0] and turned[2] == pytest.approx(turned[3], rel=0.2)

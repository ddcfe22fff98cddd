"""Boxes as shares and pixels, anchors, overlap, coding and sampling."""

from __future__ import annotations

import numpy as np

from trainer.backend import tf
from trainer.features import boxes

A = np.array([[0.1, 0.1, 0.5, 0.5], [0.2, 0.4, 0.6, 0.9], [0.0, 0.0, 0.0, 0.0]], np.float32)


def test_pixels_become_shares_and_pixels_again() -> None:
    objects = tf.constant([[[10.0, 20.0, 30.0, 60.0, 2.0], [0.0, 0.0, 0.0, 0.0, -1.0]]])
    shares = boxes.as_shares(objects, tf.constant([[100, 50]]))
    np.testing.assert_allclose(shares[0, 0], [0.2, 0.2, 0.6, 0.6, 2.0], rtol=1e-6)
    np.testing.assert_allclose(boxes.as_pixels(shares, tf.constant([[100, 50]])), objects, rtol=1e-6)


def test_anchors_are_centred_on_cells_and_of_the_named_shapes() -> None:
    anchors = boxes.anchors(64, 96, stride=8) * [64, 96, 64, 96]
    centres = np.round((anchors[:, :2] + anchors[:, 2:]) / 2, 3)
    sides = anchors[:, 2:] - anchors[:, :2]
    assert len(anchors) == 8 * 12 * 3 * len(boxes.ASPECTS)
    assert np.unique(centres[:, 0]).tolist() == list(range(4, 64, 8))
    assert np.unique(centres[:, 1]).tolist() == list(range(4, 96, 8))
    np.testing.assert_allclose(
        sorted({round(float(r), 3) for r in sides[:, 0] / sides[:, 1]}), boxes.ASPECTS, atol=1e-3
    )
    np.testing.assert_allclose(np.unique(np.round(np.sqrt(sides.prod(axis=1)))), [16, 32, 64])


def test_overlap_by_hand() -> None:
    overlaps = boxes.iou(tf.constant(A), tf.constant(A)).numpy()
    shared, union = 0.3 * 0.1, 0.16 + 0.2 - 0.03
    np.testing.assert_allclose(overlaps, [[1, shared / union, 0], [shared / union, 1, 0], [0, 0, 0]], rtol=1e-5)


def test_decoding_inverts_encoding() -> None:
    anchors = tf.constant(A[1::-1])
    np.testing.assert_allclose(boxes.decode(boxes.encode(tf.constant(A[:2]), anchors), anchors), A[:2], atol=1e-6)


def test_a_decoded_box_stays_in_the_picture_whatever_the_offsets() -> None:
    wild = tf.constant([[1e4, -1e4, 1e4, 1e4], [0.0, 0.0, -1e4, -1e4]])
    decoded = boxes.decode(wild, tf.constant(A[:2])).numpy()
    assert np.isfinite(decoded).all()
    assert decoded.min() >= 0 and decoded.max() <= 1


def test_an_object_that_no_anchor_covers_well_still_has_its_best_one() -> None:
    overlaps = tf.constant([[[0.2, 0.0], [0.4, 0.0], [0.1, 0.8]]])
    assert boxes.is_best_for_a_truth(overlaps).numpy().tolist() == [[False, True, True]]


def test_sampling_takes_few_positives_and_fills_with_negatives() -> None:
    positive = tf.constant([[True] * 6 + [False] * 6, [True] + [False] * 11])
    negative = tf.constant([[False] * 6 + [True] * 6, [False, True, True] + [False] * 9])
    chosen, counted = boxes.sample(positive, negative, count=8, max_positive=4, seed=[1, 2])
    taken = [set(row[keep].tolist()) for row, keep in zip(chosen.numpy(), counted.numpy(), strict=True)]
    assert len(taken[0] & set(range(6))) == 4
    assert len(taken[0] & set(range(6, 12))) == 4
    assert taken[1] == {0, 1, 2}

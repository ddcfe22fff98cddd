"""Faster R-CNN (Ren et al. 2015) as one Keras model, small, with RoI align (He et al. 2017) in place of RoI pooling.

A backbone makes a feature map of an eighth of the picture's size. The region proposal network says for each anchor on
it whether an object is there and how the box should move; the best of these, less near copies, are the proposals. The
features under each proposal are brought to one size, from which the head tells the class, or that it is background,
and moves the box once more. All shapes are fixed: what is missing is padding.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

from typing import Any

from trainer.backend import tf
from trainer.features import boxes
from trainer.networks.convolutions import convolved

STRIDE = 8
"""Pixels of the picture for one cell of the feature map."""

CANDIDATES = 300
"""Best anchors of a picture, of which near copies are dropped."""
PROPOSALS = 100
"""Of these, at most so many go to the head."""
PROPOSAL_OVERLAP = 0.7
"""Of two proposals with a higher IoU, the worse is a near copy."""

POSITIVE_ANCHOR, NEGATIVE_ANCHOR = 0.7, 0.3
"""IoU with a true box from which on an anchor is an object, and below which it is none; those between teach nothing."""
POSITIVE_PROPOSAL = 0.5
ANCHOR_SAMPLE, PROPOSAL_SAMPLE = 128, 32
"""So many of a picture's anchors and proposals are learnt from in a step."""
MAX_POSITIVE_SHARE = 0.5

POOLED = 7
"""Cells on a side of a proposal's features."""

MAX_DETECTIONS = 100
DETECTION_OVERLAP = 0.5
MIN_SCORE = 0.05


class FasterRCNN(tf.keras.Model):
    """`{"image": uint8 [batch, height, width, channels], "size": int32 [batch, 2]}` to detections, float32
    `[batch, MAX_DETECTIONS, 6]`.

    `size` is the height and width that each picture had before it was brought to those of `image`. A detection is
    (xmin, ymin, xmax, ymax, class, score) in pixels of that size, best first; class is -1 where there is none. It
    learns from objects `[batch, max_objects, 5]`, (xmin, ymin, xmax, ymax, class), padded with boxes without area.
    """

    def __init__(self, image: Any, classes: int, filters: int, seed: int = 0) -> None:
        """
        Args:
          image: tf.TensorSpec of one picture, height and width multiples of `STRIDE`.
          classes: how many, without the background.
          filters: of the first convolution.
          seed: of the choice which anchors and proposals are learnt from.
        """
        super().__init__()
        height, width, _ = image.shape
        self._anchors = boxes.anchors(height, width, STRIDE)
        each_cell = len(self._anchors) // (height // STRIDE * (width // STRIDE))
        self.backbone = backbone(image, filters)
        features = self.backbone.output_shape[1:]
        self.proposer = proposal_network(features, each_cell)
        self.head = detection_head(features[-1], classes)
        self._seed = seed
        self._means = {
            name: tf.keras.metrics.Mean(name=name)
            for name in ("loss", "anchor_class_loss", "anchor_box_loss", "class_loss", "box_loss")
        }
        self.built = True  # its parts have their weights

    def call(self, inputs: Any, training: bool = False) -> Any:
        features = self.backbone(inputs["image"], training=training)
        proposals = self._propose(*self.proposer(features))
        logits, offsets = self.head(roi_align(features, proposals))
        moved = boxes.decode(offsets, proposals)
        # A padding proposal has features too, but is nowhere.
        scores = tf.nn.softmax(logits)[..., 1:] * tf.cast(boxes.areas(proposals) > 0.0, tf.float32)[..., None]
        found, scores, classes, counts = tf.image.combined_non_max_suppression(
            moved[:, :, None], scores, MAX_DETECTIONS, MAX_DETECTIONS, DETECTION_OVERLAP, MIN_SCORE
        )
        there = tf.sequence_mask(counts, MAX_DETECTIONS)
        classes = tf.where(there, classes, -1.0)
        return boxes.as_pixels(tf.concat([found, classes[..., None], scores[..., None]], axis=-1), inputs["size"])

    def answers(self, features: Any, targets: Any) -> Any:
        """Logits of both stages, of which detections are chosen: what training health looks at."""
        found = self.backbone(features["image"], training=False)
        objectness, offsets = self.proposer(found)
        logits, _ = self.head(roi_align(found, self._propose(objectness, offsets)))
        return objectness, logits

    def train_step(self, data: Any) -> dict[str, Any]:
        inputs, objects = data[0], data[1]["objects"]
        with tf.GradientTape() as tape:
            losses = self._stage_losses(inputs, objects, self.optimizer.iterations, training=True)
            loss = tf.nn.compute_average_loss(sum(losses.values()))  # over the global batch
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self._log(losses)

    def test_step(self, data: Any) -> dict[str, Any]:
        inputs, objects = data[0], data[1]["objects"]
        return self._log(self._stage_losses(inputs, objects, tf.constant(0, tf.int64), training=False))

    @property
    def metrics(self) -> list[Any]:
        return list(self._means.values())

    def _stage_losses(self, inputs: Any, objects: Any, step: Any, training: bool) -> dict[str, Any]:
        """The two losses of each of the two stages, each `[batch]`."""
        objects = boxes.as_shares(_without_common_padding(objects), inputs["size"])
        features = self.backbone(inputs["image"], training=training)
        logits, offsets = self.proposer(features, training=training)
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        seed = tf.stack(
            [tf.cast(self._seed, tf.int64), 2 * step + tf.bitwise.left_shift(tf.cast(replica, tf.int64), 32)]
        )
        anchor_class_loss, anchor_box_loss = self._proposal_losses(logits, offsets, objects[..., :4], seed)
        proposals = tf.stop_gradient(self._propose(logits, offsets))
        class_loss, box_loss = self._head_losses(features, proposals, objects, seed + 1, training)
        return {
            "anchor_class_loss": anchor_class_loss,
            "anchor_box_loss": anchor_box_loss,
            "class_loss": class_loss,
            "box_loss": box_loss,
        }

    def _propose(self, logits: Any, offsets: Any) -> Any:
        """Boxes `[batch, PROPOSALS, 4]`, padded with zeros, of the proposal network's answers at all anchors."""
        count = min(CANDIDATES, len(self._anchors))
        scores, best = tf.math.top_k(logits, count)
        moved = boxes.decode(tf.gather(offsets, best, batch_dims=1), tf.gather(self._anchors, best))
        found, *_ = tf.image.combined_non_max_suppression(
            moved[:, :, None], tf.sigmoid(scores)[..., None], PROPOSALS, PROPOSALS, PROPOSAL_OVERLAP
        )
        return found

    def _proposal_losses(self, logits: Any, offsets: Any, truths: Any, seed: Any) -> tuple[Any, Any]:
        overlaps = boxes.iou(tf.constant(self._anchors)[None], truths)
        match, overlap = boxes.best_match(overlaps)
        positive = (overlap >= POSITIVE_ANCHOR) | boxes.is_best_for_a_truth(overlaps)
        negative = ~positive & (overlap < NEGATIVE_ANCHOR)
        count = min(ANCHOR_SAMPLE, len(self._anchors))
        chosen, counts = boxes.sample(positive, negative, count, int(count * MAX_POSITIVE_SHARE), seed)
        is_object = tf.cast(tf.gather(positive, chosen, batch_dims=1), tf.float32)
        truth = tf.gather(truths, tf.gather(match, chosen, batch_dims=1), batch_dims=1)
        class_losses = tf.nn.sigmoid_cross_entropy_with_logits(is_object, tf.gather(logits, chosen, batch_dims=1))
        box_losses = is_object * _smooth_l1(
            boxes.encode(truth, tf.gather(self._anchors, chosen)), tf.gather(offsets, chosen, batch_dims=1)
        )
        return _mean(class_losses, counts), _mean(box_losses, counts)

    def _head_losses(self, features: Any, proposals: Any, objects: Any, seed: Any, training: bool) -> tuple[Any, Any]:
        truths = objects[..., :4]
        proposals = tf.concat([proposals, truths], axis=1)  # the head has something to learn from the first step on
        match, overlap = boxes.best_match(boxes.iou(proposals, truths))
        positive = overlap >= POSITIVE_PROPOSAL
        negative = ~positive & (boxes.areas(proposals) > 0.0)
        count, most = PROPOSAL_SAMPLE, int(PROPOSAL_SAMPLE * MAX_POSITIVE_SHARE)
        chosen, counts = boxes.sample(positive, negative, count, most, seed)
        proposals, match, positive = (tf.gather(each, chosen, batch_dims=1) for each in (proposals, match, positive))
        logits, offsets = self.head(roi_align(features, proposals), training=training)
        truth = tf.gather(objects, match, batch_dims=1)
        label = tf.where(positive, tf.cast(truth[..., 4], tf.int32) + 1, 0)
        class_losses = tf.nn.sparse_softmax_cross_entropy_with_logits(label, logits)
        box_losses = tf.cast(positive, tf.float32) * _smooth_l1(boxes.encode(truth[..., :4], proposals), offsets)
        return _mean(class_losses, counts), _mean(box_losses, counts)

    def _log(self, losses: dict[str, Any]) -> dict[str, Any]:
        for name, value in {**losses, "loss": sum(losses.values())}.items():
            self._means[name].update_state(value)
        return {name: mean.result() for name, mean in self._means.items()}


def backbone(image: Any, filters: int) -> Any:
    """Pictures to features `[batch, height / STRIDE, width / STRIDE, 4 * filters]`."""
    layers = tf.keras.layers
    picture = tf.keras.Input(image.shape, dtype=tf.uint8, name="image")
    x = layers.Rescaling(1 / 127.5, -1)(picture)
    x = convolved(x, filters, size=5, strides=2)
    x = layers.MaxPooling2D(2)(x)
    x = convolved(convolved(x, 2 * filters), 2 * filters)
    x = layers.MaxPooling2D(2)(x)
    for _ in range(3):
        x = convolved(x, 4 * filters)
    return tf.keras.Model(picture, x, name="backbone")


def proposal_network(features: Any, each_cell: int) -> Any:
    """Features to objectness logits `[batch, anchors]` and box offsets `[batch, anchors, 4]`, `each_cell` a cell."""
    layers = tf.keras.layers
    x = feature_map = tf.keras.Input(features)
    x = layers.Conv2D(features[-1], 3, padding="same", activation="relu")(x)
    logits = layers.Conv2D(each_cell, 1, kernel_initializer=_small(0.01))(x)
    offsets = layers.Conv2D(4 * each_cell, 1, kernel_initializer=_small(0.01))(x)
    flat = layers.Reshape([-1], dtype="float32")(logits), layers.Reshape([-1, 4], dtype="float32")(offsets)
    return tf.keras.Model(feature_map, flat, name="proposer")


def detection_head(channels: int, classes: int) -> Any:
    """Pooled features `[batch, n, POOLED, POOLED, channels]` to logits `[batch, n, 1 + classes]`, background first, and
    offsets `[batch, n, 4]`, the same for all classes."""
    layers = tf.keras.layers
    pooled = tf.keras.Input([None, POOLED, POOLED, channels])
    x = layers.Reshape([-1, POOLED * POOLED * channels])(pooled)
    for _ in range(2):
        x = layers.Dense(2 * channels, activation="relu")(x)
    logits = layers.Dense(1 + classes, kernel_initializer=_small(0.01), dtype="float32")(x)
    offsets = layers.Dense(4, kernel_initializer=_small(0.001), dtype="float32")(x)
    return tf.keras.Model(pooled, (logits, offsets), name="head")


def roi_align(features: Any, regions: Any) -> Any:
    """The features under each box, brought to one size without rounding a coordinate (He et al. 2017).

    A bin's value is the mean of four points in it, each interpolated between cells.

    Args:
      features: `[batch, rows, columns, channels]`.
      regions: boxes `[batch, n, 4]`.

    Returns:
      `[batch, n, POOLED, POOLED, channels]`.
    """
    batch, count = tf.shape(regions)[0], regions.shape[1]
    rows, columns, channels = features.shape[1:]
    # crop_and_resize wants the first and the last point, where 0 is the centre of the first cell and 1 of the last.
    cells = tf.constant([rows, columns, rows, columns], tf.float32)
    low, high = tf.split(regions * cells, 2, axis=-1)
    half_step = (high - low) / (4 * POOLED)
    points = tf.concat([low + half_step, high - half_step], axis=-1) - 0.5
    sampled = tf.image.crop_and_resize(
        features,
        tf.reshape(points / tf.maximum(cells - 1.0, 1.0), [-1, 4]),
        tf.repeat(tf.range(batch), count),
        [2 * POOLED, 2 * POOLED],
    )
    pooled = tf.cast(tf.nn.avg_pool2d(sampled, 2, 2, "VALID"), features.dtype)
    return tf.reshape(pooled, [batch, count, POOLED, POOLED, channels])


def _small(deviation: float) -> Any:
    return tf.keras.initializers.RandomNormal(stddev=deviation)


def _without_common_padding(objects: Any) -> Any:
    """Cut after the most objects that a picture of the batch has, and one at least."""
    most = tf.reduce_max(tf.reduce_sum(tf.cast(boxes.areas(objects[..., :4]) > 0.0, tf.int32), axis=1))
    return objects[:, : tf.maximum(most, 1)]


def _smooth_l1(truth: Any, offsets: Any) -> Any:
    """Summed over the four offsets: `[batch, n, 4]` to `[batch, n]`."""
    apart = tf.abs(truth - offsets)
    return tf.reduce_sum(tf.where(apart < 1.0, 0.5 * apart**2, apart - 0.5), axis=-1)


def _mean(losses: Any, counts: Any) -> Any:
    """Of each picture, over those of `[batch, n]` that count."""
    counts = tf.cast(counts, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(losses * counts, axis=-1), tf.reduce_sum(counts, axis=-1))

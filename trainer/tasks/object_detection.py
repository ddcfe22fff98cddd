"""Object detection (question 10): what is in a picture, and where?

Method: Faster R-CNN (Ren et al. 2015), small, trained end to end: a convolutional backbone, a region proposal network
over anchors, RoI align (He et al. 2017), and a head that tells class and box; see `trainer.networks.faster_rcnn`. Near
copies are dropped by non-maximum suppression, in the serving signatures too. Pictures of any size -> boxes in their own
pixels, classes and scores.

Sizes and classes come from the data: pictures are brought to the train split's median size (or `image_size`).

Default data: 1,500 and 300 composed scenes (`scenes`): real clothes of Fashion-MNIST pasted on real photographs, with
no thing and no photograph in both splits. Nobody took these pictures; scores on photographs of one's own may be lower.
Measured scores and seconds: `docs/results.md`. Command: `benison run object_detection`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Boxes, Image
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.decisions import Decided, Decides, Decision, reaches
from trainer.families import classification
from trainer.features import images
from trainer.optimisers import optimizer
from trainer.preview import Box, Curve, Picture, Preview, as_text, plots
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

SHOWN_SCORE = 0.5
"""Detections of a lower score are neither drawn nor listed, nor false alarms, unless a person chose a threshold."""
MAX_CLASSES_SHOWN = 8
"""Curves in one plot."""


@dataclass(frozen=True)
class ObjectDetectionHParams(HParams):
    epochs: int = field(default=12, metadata={"min": 1})
    min_steps: int = field(default=2000, metadata={"min": 1})
    global_batch_size: int = field(default=8, metadata={"min": 1})
    learning_rate: float = field(default=1e-3, metadata={"min": 0.0})
    image_size: int = field(default=0, metadata={"min": 0, "max": 1024})
    """Side in pixels to which pictures are brought; 0 takes the train split's median width and height, at most 256."""
    max_objects: int = field(default=100, metadata={"min": 1})
    """Of a picture; further ones are neither learnt from nor counted."""
    filters: int = field(default=16, metadata={"min": 1})
    """Of the first convolution; the features have four times as many."""


class ObjectDetection(Task, Decides):
    title = "Object detection"
    questions = (10,)
    modality = "image"
    data = "scenes"
    columns = {"image": Image(), "objects": Boxes(description="what is in the picture, and where")}
    targets = ("objects",)
    below = "left out"
    counted = "boxes"
    HParams = ObjectDetectionHParams
    small = {**Task.small, "image_size": 48, "filters": 8, "max_objects": 8, "learning_rate": 0.003}

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `image` uint8 `[batch, height, width, channels]`; `size` int32 `[batch, 2]`, height and width before it was
          brought to those; `objects` float32 `[batch, max_objects, 5]`, (xmin, ymin, xmax, ymax, class) in pixels of
          `size`, padded with boxes at 0 of class -1.
        """
        height, width = (self._side(inputs[name]) for name in ("image_height", "image_width"))
        channels = images.needed_channels(inputs["image_channels"])
        image, size = images.decode_sized(inputs["image"], height, width, channels)
        most = self.hparams.max_objects
        sides = tf.reshape(_dense(inputs["objects"], 4 * most, 0.0), [-1, most, 4])
        classes = _dense(classification.index_labels(inputs["objects_label"], "label"), most, -1)
        corner = sides[..., :2]
        objects = tf.concat([corner, corner + sides[..., 2:], tf.cast(classes, tf.float32)[..., None]], axis=-1)
        return {"image": image, "size": tf.cast(size, tf.int64), "objects": objects}

    def _side(self, sides: Any) -> Any:
        from trainer.networks.faster_rcnn import STRIDE

        side = self.hparams.image_size or images.typical_side(sides, at_most=256)
        return STRIDE * ((side + STRIDE - 1) // STRIDE)

    def batch(self, features: Features, seed: Any) -> Features:
        """Half of the training pictures are mirrored."""
        if seed is None:
            return features
        mirrored = tf.random.stateless_uniform(tf.shape(features["size"])[:1], seed) < 0.5
        image, objects = features["image"], features["objects"]
        xmin, ymin, xmax, ymax, label = tf.unstack(objects, axis=-1)
        width = tf.cast(features["size"], tf.float32)[:, 1:]
        flipped = tf.stack([width - xmax, ymin, width - xmin, ymax, label], axis=-1)
        return features | {
            "image": tf.where(mirrored[:, None, None, None], image[:, :, ::-1], image),
            "objects": tf.where(mirrored[:, None, None], flipped, objects),
        }

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.faster_rcnn import FasterRCNN

        hparams = self.hparams
        model = FasterRCNN(spec.features["image"], len(spec.vocabularies["label"]), hparams.filters, hparams.seed)
        model.compile(optimizer(hparams, spec.steps, warmup=200, clip=5.0), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        detections = model({name: features[name] for name in ("image", "size")}, training=False)
        names = tf.constant([*spec.vocabularies["label"], ""])  # the last one for padding, of class -1
        corner, opposite, label, score = tf.split(detections, [2, 2, 1, 1], axis=-1)
        label = tf.cast(label[..., 0], tf.int32)
        return {
            "detections": detections,
            "boxes": tf.concat([corner, opposite - corner], axis=-1),
            "labels": tf.gather(names, tf.where(label < 0, len(spec.vocabularies["label"]), label)),
            "scores": score[..., 0],
            "count": tf.reduce_sum(tf.cast(label >= 0, tf.int32), axis=-1),
        }

    def metrics(self) -> Evaluation:
        def precision(name: str, **config: Any) -> Metric:
            return Metric(name, "AveragePrecision", module="trainer.metrics.detection", config=config)

        return Evaluation(
            prediction="detections",
            label="objects",
            metrics=(
                precision("map_50", iou_threshold=0.5),
                precision("map"),
                precision("map_small", area="small"),
                precision("map_medium", area="medium"),
                precision("map_large", area="large"),
                Metric("false_alarms", "FalseAlarms", module="trainer.metrics.detection"),
            ),
            gates=(Gate("map_50", bound=0.6, baseline_margin=0.02), Gate("map", baseline_margin=0.02)),
            slices=("objects_count",),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.metrics import detection
        from trainer.references import template_match

        scale = _scale(train["image"], train["size"])
        templates = template_match.learn(train["image"], train["objects"] * scale)
        back = 1 / _scale(evaluation["image"], evaluation["size"])[:, 0]
        found = [
            template_match.detect(picture, templates) * np.append(to_pixels, 1)
            for picture, to_pixels in zip(evaluation["image"], back, strict=True)
        ]
        return {"template match": detection.scores(list(evaluation["objects"]), found)}

    def decisions(
        self, example: Mapping[str, Any], prediction: Mapping[str, Any], known: Collection[str]
    ) -> Decided | None:
        """One of each box: it is right where it is the best that overlaps an object of its class by half."""
        from trainer.metrics import detection

        names, tally = _tally([example], [prediction])
        found = [
            Decision(names[c], place / detection.BINS, right)
            for c, matched in tally.items()
            for right, counts in ((True, matched.hits[0]), (False, matched.misses[0]))
            for place in np.repeat(np.flatnonzero(counts), counts[np.flatnonzero(counts)]).tolist()
        ]
        return Decided(found, [names[c] for c, matched in tally.items() for _ in range(matched.objects)])

    def at_threshold(self, prediction: Mapping[str, Any], threshold: float) -> Mapping[str, Any]:
        """Only the boxes of so high a score are left."""
        kept = np.array([reaches(score, threshold) for score in prediction["scores"]])
        kept &= np.asarray(prediction["labels"]) != b""
        each = {name: np.asarray(prediction[name])[kept] for name in ("detections", "boxes", "labels", "scores")}
        return {**prediction, **each, "count": int(kept.sum()), "threshold": threshold}

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        """Right means that what is drawn is what is there, by class and number, whatever the boxes. An answer is as
        sure as the least sure of what is drawn."""
        from trainer.metrics import detection

        drawn = list(_shown(prediction))
        guessed = sorted(label for _, label, _ in drawn)
        sure = min((float(score) for *_, score in drawn), default=None)
        if "objects" not in example:
            return Assessment(", ".join(guessed), confidence=sure)
        labels, known = sorted(map(as_text, example["objects_label"])), dict[str, int]()
        boxes, names, scores = zip(*drawn, strict=True) if drawn else ((), (), ())
        found = _rows(boxes, names, known, scores) if drawn else np.zeros((0, 6))
        matched = detection.match(_rows(example["objects"], example["objects_label"], known), found)
        hits = sum(int(one.hits[0].sum()) for one in matched.values())
        there = len(labels) + len(drawn)
        loss = 1 - 2 * hits / there if there else 0.0
        name = "1 − F1 of the boxes at an overlap of half"
        return Assessment(", ".join(guessed), ", ".join(labels), guessed == labels, sure, loss, name)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        """Right means that what is drawn is what is there, by class and number, whatever the boxes."""
        drawn = [
            Box(x, y, x + width, y + height, f"{label} {score:.2f}")
            for (x, y, width, height), label, score in _shown(prediction)
        ]
        guessed = sorted(as_text(box.label).rpartition(" ")[0] for box in drawn)
        title = ", ".join(guessed) or "nothing found"
        if "objects" not in example:
            return Preview(title, None, {}, (Picture(example["image"], boxes=drawn),))
        sides = np.reshape(example["objects"], (-1, 4))
        labels = [as_text(label) for label in example["objects_label"]]
        true = [
            Box(x, y, x + width, y + height, label, truth=True)
            for (x, y, width, height), label in zip(sides, labels, strict=True)
        ]
        return Preview(
            title=title,
            correct=self.assess(example, prediction).correct,
            slice={"objects_count": str(len(labels))},
            parts=(Picture(example["image"], caption="dashed: the truth", boxes=[*true, *drawn]),),
        )

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        """What is drawn."""
        found = [
            f"{label} {score:.2f} [{', '.join(f'{side:.0f}' for side in box)}]" for box, label, score in _shown(answer)
        ]
        return {"found": len(found), "objects [x, y, width, height]": "; ".join(found)}

    def overview(
        self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]
    ) -> Sequence[Preview]:
        """Precision by recall, where more and more detections are taken, the surest first."""
        from trainer.metrics import detection

        _, tally = _tally(examples, predictions)
        if not any(matched.objects for matched in tally.values()):
            return []
        series = {
            f"overlap {detection.IOU_THRESHOLDS[place]:.2f}": detection.precision_at_recalls(tally, place)
            for place in (0, 5)
        }
        curve = Curve(series, f"{len(examples)} pictures, mean of the classes", "recall in percent", "precision")
        return [Preview("precision by recall", None, {}, (curve,))]

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        """Precision by recall of each class, the worst first."""
        from trainer.metrics import detection

        names, tally = _tally(examples, predictions)
        found = sorted(detection.precision_of_classes(tally, threshold=0).items(), key=lambda pair: pair[1][0])
        curves = {
            f"{names[c]}, average {average:.4f}": (detection.RECALLS, curve)
            for c, (average, curve) in found[:MAX_CLASSES_SHOWN]
        }
        note = "An object is found where a box of its class overlaps it by half. The classes are those found worst."
        return [plots.of_precision(curves, note)] if curves else ()


def _tally(
    examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]
) -> tuple[list[str], dict[int, Any]]:
    """The names of the classes by their numbers, and what `trainer.metrics.detection` keeps of the pictures."""
    from trainer.metrics import detection

    known: dict[str, int] = {}
    tally = detection.tally_of(
        [_rows(e["objects"], e["objects_label"], known) for e in examples],
        [_rows(p["boxes"], p["labels"], known, p["scores"]) for p in predictions],
    )
    return list(known), tally


def _shown(prediction: Mapping[str, Any]) -> Iterator[tuple[Any, str, float]]:
    """Box, class and score of those detections that a person is shown."""
    threshold = prediction.get("threshold", SHOWN_SCORE)
    for box, label, score in zip(prediction["boxes"], prediction["labels"], prediction["scores"], strict=True):
        if label and reaches(score, threshold):
            yield box, as_text(label), score


def _rows(boxes: Any, labels: Any, known: dict[str, int], scores: Any = ()) -> np.ndarray:
    """Corner and size to two corners, the class by its number in `known`, which grows, and the score if given."""
    left_top, size = np.split(np.reshape(boxes, (-1, 4)).astype(np.float32), 2, axis=1)
    names = [as_text(label) for label in labels]
    classes = [known.setdefault(name, len(known)) if name else -1 for name in names]
    columns = [left_top, left_top + size, np.reshape(classes, (-1, 1)), np.reshape(scores, (-1, 1))]
    return np.concatenate(columns if len(scores) else columns[:3], axis=1)


def _dense(values: Any, length: int, padding: Any) -> Any:
    """Any number of values in each example, tf.SparseTensor `[batch, None]`, as `[batch, length]`."""
    return tf.RaggedTensor.from_sparse(values).to_tensor(padding, shape=[None, length])


def _scale(pictures: Any, sizes: Any) -> Any:
    """What brings objects in pixels of `sizes` to those of `pictures`, `[n, 1, 5]`."""
    y, x = (np.array(pictures.shape[1:3]) / sizes).T
    return np.stack([x, y, x, y, np.ones_like(x)], axis=-1)[:, None]

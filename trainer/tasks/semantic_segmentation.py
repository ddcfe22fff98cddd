"""Semantic segmentation (question 16): what does each pixel of a picture show?

Method: a U-Net (Ronneberger et al. 2015; `trainer.networks.unet`), an encoder and a decoder with a shortcut at each
size, learnt by cross-entropy and Dice (Isensee et al. 2021) on random parts of the pictures, half of them mirrored, in
changing light. Pictures of any size -> a class for each pixel, at the picture's own size, whole.

Sizes, channels and classes come from the data: pictures are laid, unstretched, on a canvas of the train split's median
size (at most 256 pixels a side, or `image_size`); what the network says there is enlarged to the picture's own size
before the classes are chosen. Of a picture larger than 1,024 pixels they are chosen at 1,024 and the mask is enlarged,
pixel by pixel. Pixels that are void in a mask are neither learnt nor judged. Masks come out as indexed PNG, under the
numbers that the user's own have.

Default data: 1,500 and 300 composed scenes (`scenes`): real clothes of Fashion-MNIST pasted on real photographs, with
no thing and no photograph in both splits; their masks are the clothes' own outlines. Nobody took these pictures; scores
on photographs of one's own may be lower.
Measured scores and seconds: `docs/results.md`. Command: `benison run semantic_segmentation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Image, Mask
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.features import images, masks
from trainer.networks import outputs
from trainer.optimisers import optimizer
from trainer.preview import Bars, Masks, Preview, as_text
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

LARGEST = 1024
"""Pixels on the longer side up to which classes are chosen at a picture's own size."""
RIGHT_IOU = 0.5
"""A mask counts as right in previews where its mean intersection over union is at least so high."""
CONSTANT = "most frequent class"
"""The reference that takes every pixel for the same."""
SHOWN_SHARE = 0.001
"""Classes of a smaller share of the picture are not listed."""


@dataclass(frozen=True)
class SemanticSegmentationHParams(HParams):
    epochs: int = field(default=16, metadata={"min": 1})
    min_steps: int = field(default=3000, metadata={"min": 1})
    global_batch_size: int = field(default=8, metadata={"min": 1})
    learning_rate: float = field(default=3e-3, metadata={"min": 0.0})
    image_size: int = field(default=0, metadata={"min": 0, "max": 1024})
    """Side in pixels of the canvas on which pictures are laid; 0 takes the train split's median width and height, at
    most 256. Larger shows more detail and takes more time."""
    crop_size: int = field(default=112, metadata={"min": 16, "max": 1024})
    """Side in pixels of the parts of a canvas that are learnt from."""
    light: float = field(default=0.4, metadata={"min": 0.0, "max": 1.0})
    """How much training pictures are lit otherwise, channel by channel: few photographs must stand for many."""
    filters: int = field(default=8, metadata={"min": 1})
    """Of the first convolution; each halving doubles them."""
    depth: int = field(default=4, metadata={"min": 1, "max": 5})
    """How often the network halves a picture."""


class SemanticSegmentation(Task):
    title = "Semantic segmentation"
    questions = (16,)
    modality = "image"
    data = "scenes"
    columns = {"image": Image(), "mask": Mask(of="image", description="the class of each pixel")}
    targets = ("mask",)
    HParams = SemanticSegmentationHParams
    small = {"epochs": 1, "min_steps": 150, "depth": 1, "light": 0.0, "learning_rate": 0.01}
    reference_examples = 1_000

    def preprocess(self, inputs: Features) -> Features:
        """
        Returns:
          `image` uint8 `[batch, height, width, channels]`, the canvas; `size` int64 `[batch, 2]`, height and width of
          the picture itself; `mask` uint8 `[batch, height, width]`, classes by their index, VOID where there is none.
        """
        height, width = (self._side(inputs[name]) for name in ("image_height", "image_width"))
        channels = images.needed_channels(inputs["image_channels"])
        image, size = images.decode_fitted(inputs["image"], height, width, channels)
        classes = masks.index_classes(inputs["mask_numbers"], inputs["mask_classes"], "label")
        mask = masks.decode_fitted(inputs["mask"], classes, height, width)
        return {"image": image, "size": tf.cast(size, tf.int64), "mask": mask}

    def _side(self, sides: Any) -> Any:
        from trainer.networks.unet import stride

        side, step = self.hparams.image_size or images.typical_side(sides, at_most=256), stride(self.hparams.depth)
        return step * ((side + step - 1) // step)

    def batch(self, features: Features, seed: Any) -> Features:
        """In training a random part of each canvas, half of them mirrored, in another light."""
        from trainer.networks.unet import stride

        if seed is None:
            return features
        step = stride(self.hparams.depth)
        most = step * -(-self.hparams.crop_size // step)
        height, width = (min(most, side) for side in features["mask"].shape[1:])
        seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
        image, mask = masks.random_window(features["image"], features["mask"], (height, width), seeds[0])
        return features | {"image": images.random_light(image, self.hparams.light, seeds[1]), "mask": mask}

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.unet import unet

        hparams, layers = self.hparams, tf.keras.layers
        image = tf.keras.Input(spec.features["image"].shape, dtype=tf.uint8, name="image")
        size = tf.keras.Input([2], dtype=tf.int64, name="size")  # what `predict` needs of an example, not the network
        x = unet(layers.Rescaling(1 / 127.5, -1)(image), hparams.filters, hparams.depth)
        logits = layers.Conv2D(len(spec.vocabularies["label"]), 1, dtype="float32")(x)
        model = outputs.model_of({"image": image, "size": size}, logits, target="mask")
        model.compile(
            optimizer(hparams, spec.steps, warmup=50, clip=1.0), masks.cross_entropy_and_dice, jit_compile=hparams.xla
        )
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """
        Returns:
          `mask_bytes` string `[batch]`, indexed PNGs; `shares` float32 `[batch, classes]`, of all pixels, and of each
          class `labels`, its name, and `numbers`, that of its pixels.
        """
        names, numbers = zip(*map(masks.entry_parts, spec.vocabularies["label"]), strict=True)
        number_of, count = tf.constant(numbers, tf.int64), len(names)

        def one(example: tuple[Any, Any]) -> tuple[Any, Any]:
            canvas, size = example
            logits = model({"image": canvas[None], "size": size[None]}, training=False)[0]
            classes = _at_own_size(logits, tf.cast(size, tf.int32))
            pixels = tf.math.bincount(tf.reshape(classes, [-1]), minlength=count, maxlength=count)
            shares = tf.cast(pixels / tf.size(classes), tf.float32)
            return masks.indexed_png(tf.cast(tf.gather(number_of, classes), tf.uint8)), shares

        signature = tf.TensorSpec([], tf.string), tf.TensorSpec([count], tf.float32)
        # Picture by picture: what a batch takes in memory does not depend on how many there are.
        encoded, shares = tf.map_fn(
            one, (features["image"], features["size"]), fn_output_signature=signature, parallel_iterations=1
        )
        return {
            "mask_bytes": encoded,
            "shares": shares,
            "labels": tf.broadcast_to(tf.constant(names), tf.shape(shares)),
            "numbers": tf.broadcast_to(number_of, tf.shape(shares)),
        }

    def metrics(self) -> Evaluation:
        """Masks are compared at the pictures' own size, of one matrix of all pixels; each class has its own value."""
        return Evaluation(
            prediction=("mask_bytes", "numbers"),
            label="mask",
            raw_label=True,
            metrics=(
                Metric("mean_iou", "MeanIntersectionOverUnion", module="trainer.metrics.pixels"),
                Metric("pixel_accuracy", "PixelAccuracy", module="trainer.metrics.pixels"),
            ),
            gates=(Gate("mean_iou", bound=0.6, baseline_margin=0.01, constant=CONSTANT),),
        )

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        """On the canvas: where pictures were shrunk to it, their masks were, too."""
        from trainer.metrics import pixels
        from trainer.references import pixel_classifier

        seen = np.bincount(train["mask"].ravel(), minlength=256)[: masks.UNSEEN]
        truths = evaluation["mask"]
        constant = sum(pixels.counts(truth, np.full_like(truth, seen.argmax())) for truth in truths)
        found = {CONSTANT: _scores(constant)}
        if np.count_nonzero(seen) > 1:
            answers = pixel_classifier.logistic_regression(
                train["image"], train["mask"], evaluation["image"], self.hparams.seed
            )
            by_pixel = sum(pixels.counts(truth, answer) for truth, answer in zip(truths, answers, strict=True))
            found["logistic regression"] = _scores(by_pixel)
        return found

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        from trainer.metrics import pixels

        listed = ", ".join(_listed(prediction))
        if "mask" not in example:
            return Assessment(listed)
        answer, truth = (pixels.decoded(mask) for mask in (prediction["mask_bytes"], example["mask"]))
        overlap = pixels.mean_iou(pixels.counts(truth, answer))
        there = ", ".join(map(as_text, example["mask_classes"]))
        return Assessment(listed, there, overlap >= RIGHT_IOU, loss=1 - overlap, loss_name="1 − mean IoU")

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        from trainer.metrics import pixels

        names = _names(prediction)
        answer = pixels.decoded(prediction["mask_bytes"])
        listed = _listed(prediction)
        drawn = Masks(example["image"], answer, names, caption="answer")
        shares = Bars(listed, caption="share of the picture")
        title = ", ".join(listed)
        if "mask" not in example:
            return Preview(title, None, {}, (drawn, shares))
        truth = pixels.decoded(example["mask"])
        true_names = zip(example["mask_numbers"], map(as_text, example["mask_classes"]), strict=True)
        assessed = self.assess(example, prediction)
        return Preview(
            title=f"mean IoU {1 - (assessed.loss or 0):.2f}: {title}",
            correct=assessed.correct,
            slice={},
            parts=(drawn, Masks(example["image"], truth, dict(true_names), caption="truth"), shares),
        )

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        return {"shares": ", ".join(f"{name} {share:.1%}" for name, share in _listed(answer).items())}

    def overview(
        self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]
    ) -> Sequence[Preview]:
        """How well each class is found."""
        from trainer.metrics import pixels

        if not examples:
            return []
        names = dict(_names(predictions[0]))
        counts = np.zeros((3, pixels.NUMBERS), np.int64)
        for example, prediction in zip(examples, predictions, strict=True):
            counts += pixels.counts(pixels.decoded(example["mask"]), pixels.decoded(prediction["mask_bytes"]))
            names |= dict(zip(example["mask_numbers"], map(as_text, example["mask_classes"]), strict=True))
        found = pixels.ious(counts)
        bars = Bars({names[n]: found[n] for n in sorted(found, key=found.__getitem__, reverse=True)})
        return [Preview(f"intersection over union of each class in {len(examples)} pictures", None, {}, (bars,))]

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        """How pictures differ in how well their masks fit."""
        losses = [self.assess(*pair).loss for pair in zip(examples, predictions, strict=True)]
        fits = [1 - loss for loss in losses if loss is not None]
        edges = np.linspace(0, 1, 21)
        return (
            [
                {
                    "kind": "histogram",
                    "title": "Mean IoU of each picture",
                    "x_label": "mean IoU of the classes in the picture or its answer",
                    "y_label": "pictures",
                    "edges": edges.tolist(),
                    "series": {"pictures": np.histogram(fits, edges)[0].tolist()},
                    "note": "A class that is in a picture by a few pixels counts as much as one that fills it.",
                }
            ]
            if fits
            else ()
        )


def _at_own_size(logits: Any, size: Any) -> Any:
    """Classes by index, int32 `[height, width]`, of `size`.

    Args:
      logits: float32 `[height, width, classes]`, of the canvas.
      size: int32 `[2]`, height and width of the picture.
    """
    height, width = tf.unstack(images.fitted_size(size, tf.shape(logits)[:2]))
    chosen_at = images.fitted_size(size, tf.minimum(size, LARGEST))
    enlarged = tf.image.resize(logits[:height, :width], chosen_at, method="bilinear")
    classes = tf.argmax(enlarged, axis=-1, output_type=tf.int32)[..., None]
    return tf.image.resize(classes, size, method="nearest")[..., 0]


def _scores(counts: Any) -> dict[str, float]:
    from trainer.metrics import pixels

    return {"mean_iou": pixels.mean_iou(counts), "pixel_accuracy": pixels.pixel_accuracy(counts)}


def _names(prediction: Mapping[str, Any]) -> dict[int, str]:
    """Of the classes by their numbers."""
    return {int(n): as_text(name) for n, name in zip(prediction["numbers"], prediction["labels"], strict=True)}


def _listed(prediction: Mapping[str, Any]) -> dict[str, float]:
    """The shares of the classes, the largest first."""
    pairs = zip(map(as_text, prediction["labels"]), map(float, prediction["shares"]), strict=True)
    return {name: share for name, share in sorted(pairs, key=lambda pair: -pair[1]) if share >= SHOWN_SHARE}

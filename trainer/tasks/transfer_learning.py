"""Transfer learning (question 5): which of a set of classes does a picture show, learnt from a few dozen of each?

The guide takes a network that was trained on ImageNet, puts a new classifier on it, and trains that, but feeds it with
28x28 grey digits: VGG16 refuses a picture of less than 32 pixels and of one channel, and what it knows of fur, wheels
and leaves is of no use for digits, which a small network learns from nothing. Here are photographs, in colour, at the
size and scale of pixels that the network was trained with, and few of them, which is when transfer pays.

Method: EfficientNet-Lite0 (Tan & Le 2019) with ImageNet's weights, the asset `efficientnet_lite0`, and a new head:
average over the picture, dropout, one dense layer. First the head alone is learnt, the network frozen: its features of
the train split are computed once, and logistic regression on them gives the head's weights. Then all layers are
unfrozen and trained together at a small rate (linear probing, then fine-tuning: Kumar et al. 2022), with Adam on a
cosine, on pictures that are moved and mirrored at random. Normalisations stay as ImageNet left them, statistics,
scales and offsets: those of a few hundred pictures are noise.

Pictures `[image_size, image_size, 3]` uint8 -> class probabilities `[classes]` float32 and `heat_map`
`[image_size, image_size, 3]` uint8, the picture under the places that spoke for its class (Grad-CAM: Selvaraju et al.
2017). `--set backbone=none` trains the same network from scratch, `--set backbone=FILE` from a file of one's own of the
same tensors, which `data/assets/efficientnet_lite0.py` lists.

References: the same network from scratch, on the same pictures with the same changes for as many steps; and histograms
of oriented gradients with logistic regression. On default data the model must be better than both by 0.15.

Default data: 236 + 78 photographs of ten kinds of things (`things`), split by what they show.
Measured scores and seconds: `docs/results.md`. Command: `benison run transfer_learning`.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Image, Label
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.families import classification
from trainer.features import images
from trainer.inputs import without_autotune
from trainer.networks import class_activation, efficientnet, outputs
from trainer.preview import Picture, Preview, plots
from trainer.preview.plots import Plot
from trainer.references import hog
from trainer.task import Arrays, DataSpec, Evaluation, Features, HParams, Task

FROZEN_EXAMPLES = 2_000
"""The head begins with what it learns from so many examples at most, by the frozen network."""

FROZEN_PENALTY = 10.0
"""Of the head's weights in that: the inverse of scikit-learn's C."""

SCRATCH_STEPS = 400
"""The network from scratch takes as many steps as the model, but no more than this."""

HEAD = "classes"
"""Layer of the logits."""


@dataclass(frozen=True)
class TransferLearningHParams(HParams):
    backbone: str = ""
    """File of the network's weights, .npz; empty for the asset, `none` to train from scratch."""
    epochs: int = field(default=3, metadata={"min": 1})
    min_steps: int = field(default=200, metadata={"min": 1})
    global_batch_size: int = field(default=16, metadata={"min": 1})
    learning_rate: float = field(default=1e-4, metadata={"min": 0.0})
    """Of all layers, once they are unfrozen."""
    scratch_rate: float = field(default=1e-3, metadata={"min": 0.0})
    """In its place where there are no weights to begin with, and in the reference."""
    image_size: int = field(default=160, metadata={"min": 32, "max": 1024})
    """Side in pixels to which pictures are brought. ImageNet's weights were trained at 224."""
    dropout: float = field(default=0.2, metadata={"min": 0.0, "max": 0.95})
    shift: float = field(default=0.1, metadata={"min": 0.0, "max": 0.5})
    """Training pictures are moved by up to this share of their width and height."""
    mirror: bool = True
    """Half of the training pictures are mirrored, left to right."""


class TransferLearning(Task, classification.Classifier):
    title = "Transfer learning"
    questions = (5,)
    modality = "image"
    data = "things"
    columns = {"image": Image(), "label": Label()}
    targets = ("label",)
    HParams = TransferLearningHParams
    small = {**Task.small, "image_size": 64, "epochs": 4, "min_steps": 1}
    assets = {"backbone": "efficientnet_lite0"}
    reference_examples = 3_000
    plotted_examples = 1_000  # an answer holds a picture
    predict_batch_size = 32
    shown_classes = 5

    def preprocess(self, inputs: Features) -> Features:
        size = self.hparams.image_size
        return {
            "image": images.decode(inputs["image"], size, size),
            "label": classification.index_labels(inputs["label"], "label"),
        }

    def batch(self, features: Features, seed: Any) -> Features:
        if seed is None:
            return features
        of_shift, of_mirror = tf.unstack(tf.random.experimental.stateless_split(seed, 2))
        image = images.random_shift(features["image"], self.hparams.shift, of_shift)
        return {**features, "image": images.random_mirror(image, of_mirror) if self.hparams.mirror else image}

    def build_model(self, spec: DataSpec) -> Any:
        weights = spec.assets["backbone"]
        if weights is None:
            return self._from_scratch(spec)
        model, network = self._network(spec, weights)
        efficientnet.freeze_normalisations(network)
        model.get_layer(HEAD).set_weights(_head_on_frozen(network, spec.train(FROZEN_EXAMPLES), _classes(spec)))
        return classification.compile_classifier(model, self.hparams, spec)

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        maps = model.get_layer(efficientnet.HEAD_ACTIVATION).output
        maps, logits = tf.keras.Model(model.input, [maps, model.output])(features, training=False)
        warmth = class_activation.heat(maps, model.get_layer(HEAD).kernel, tf.argmax(logits, axis=-1))
        return {
            **classification.class_probabilities(logits, spec.vocabularies["label"]),
            "heat_map": class_activation.overlay(features["image"], warmth),
        }

    def metrics(self) -> Evaluation:
        return classification.evaluation(accuracy_bound=None, slices=("label",), margin=0.15)

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        found = {
            "the same network from scratch": self._scratch_accuracy(train, evaluation, spec),
            "HOG and logistic regression": hog.hog_accuracy(
                train["image"], train["label"], evaluation["image"], evaluation["label"], self.hparams.seed
            ),
        }
        return {name: {"accuracy": value} for name, value in found.items() if value is not None}

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        shown = classification.picture_preview(example["image"], example.get("label"), prediction)
        picture, bars = shown.parts
        seen = _stretched(np.asarray(prediction["heat_map"]), example["image"])
        return dataclasses.replace(shown, parts=(picture, Picture(seen, caption="where it looked"), bars))

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        return classification.assess(example, prediction)

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        return plots.classifier(examples, predictions)

    def _network(self, spec: DataSpec, weights: Any) -> tuple[Any, Any]:
        """The classifier, not compiled, and the part of it that `weights` are of."""
        layers = tf.keras.layers
        image = tf.keras.Input(spec.features["image"].shape, dtype=tf.uint8, name="image")
        network = efficientnet.efficientnet_lite0(weights, image)
        x = layers.Dropout(self.hparams.dropout)(layers.GlobalAveragePooling2D()(network.output))
        logits = layers.Dense(_classes(spec), dtype="float32", name=HEAD)(x)
        return outputs.model_of({"image": image}, logits, target="label"), network

    def _from_scratch(self, spec: DataSpec) -> Any:
        model, _ = self._network(spec, weights=None)
        hparams = dataclasses.replace(self.hparams, learning_rate=self.hparams.scratch_rate)
        return classification.compile_classifier(model, hparams, spec)

    def _scratch_accuracy(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> float:
        hparams, count = self.hparams, len(train["label"])
        batch = min(hparams.global_batch_size, count)
        steps = min(max(hparams.epochs * (count // batch), hparams.min_steps), SCRATCH_STEPS)
        tf.keras.utils.set_random_seed(hparams.seed)
        model = self._from_scratch(dataclasses.replace(spec, steps=steps))
        examples = tf.data.Dataset.from_tensor_slices({"image": train["image"], "label": train["label"]})
        batches = examples.shuffle(count, hparams.seed).repeat().batch(batch, drop_remainder=True)
        seeds = tf.data.Dataset.counter().map(lambda step: tf.stack([tf.constant(hparams.seed, tf.int64), step]))
        drawn = tf.data.Dataset.zip((batches, seeds)).map(self.batch)
        fed = drawn.map(lambda features: ({"image": features["image"]}, {"label": features["label"]}))
        model.fit(without_autotune(fed.prefetch(2)), steps_per_epoch=steps, verbose=0)
        answers = np.argmax(_in_batches(model, evaluation["image"]), axis=-1)
        return float(np.mean(answers == evaluation["label"]))


def _classes(spec: DataSpec) -> int:
    return len(spec.vocabularies["label"])


def _head_on_frozen(network: Any, train: Arrays, classes: int) -> list[np.ndarray]:
    """Kernel `[channels, classes]` and bias `[classes]` of logistic regression on the frozen network's features.

    A class that `train` lacks begins as the least likely.
    """
    from sklearn.linear_model import LogisticRegression

    pooled = tf.keras.layers.GlobalAveragePooling2D()(network.output)
    features = _in_batches(tf.keras.Model(network.input, pooled), train["image"])
    kernel, bias = np.zeros((features.shape[1], classes), np.float32), np.zeros(classes, np.float32)
    known = np.unique(train["label"])
    if len(known) < 2:
        return [kernel, bias]
    learnt = LogisticRegression(C=1 / FROZEN_PENALTY, max_iter=1000).fit(features, train["label"])
    coefficients, intercepts = learnt.coef_, learnt.intercept_
    if len(known) == 2:  # of two classes scikit-learn keeps the difference
        coefficients, intercepts = np.stack([-coefficients[0], coefficients[0]]) / 2, np.stack([-1, 1]) * intercepts / 2
    kernel[:, known], bias[known] = coefficients.T, intercepts
    bias[np.setdiff1d(np.arange(classes), known)] = bias.min() - 1
    return [kernel, bias]


def _in_batches(model: Any, pictures: Any, size: int = 32) -> np.ndarray:
    """What a model of pictures gives, `[examples, ...]`, outside of any strategy's loop."""
    call = tf.function(lambda batch: model(batch, training=False), reduce_retracing=True)
    return np.concatenate([call(pictures[i : i + size]).numpy() for i in range(0, len(pictures), size)])


def _stretched(heat_map: np.ndarray, encoded: bytes) -> np.ndarray:
    """The heat map in the shape of the picture as it came, which was brought to a square for the network."""
    from PIL import Image as Pillow

    with Pillow.open(io.BytesIO(encoded)) as picture:
        width, height = picture.size
    factor = max(heat_map.shape) / max(width, height)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(Pillow.fromarray(heat_map).resize(size, Pillow.Resampling.LANCZOS))

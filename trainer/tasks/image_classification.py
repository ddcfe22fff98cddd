"""Image classification (questions 1 and 4): which of a set of classes does a picture show?

Method: a small convolutional network as in LeNet-5 (LeCun et al. 1998), two rounds of 3x3 convolutions and 2x2
max-pooling, then a dense layer, with ReLU, batch normalisation (Ioffe & Szegedy 2015), dropout (Srivastava et al. 2014)
and small random shifts of the training pictures. Pictures `[height, width, channels]` uint8 -> class probabilities
`[classes]` float32.

Sizes, channels and classes come from the data: pictures are brought to the train split's median size (or `image_size`),
grey sets stay grey, and the classes are those of the train split.

Default data: 10,000 MNIST digits (`mnist`), 8,000 to train and 2,000 to evaluate.
Measured scores and seconds: `docs/performance.md`. Command: `benison run image_classification`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data.columns import Image, Label
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.families import classification
from trainer.features import images
from trainer.networks import outputs
from trainer.preview import Preview, plots
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Evaluation, Features, HParams, Task


@dataclass(frozen=True)
class ImageClassificationHParams(HParams):
    epochs: int = field(default=8, metadata={"min": 1})
    image_size: int = field(default=0, metadata={"min": 0, "max": 1024})
    """Side in pixels to which pictures are brought; 0 takes the train split's median width and height, at most 96."""
    learning_rate: float = field(default=3e-3, metadata={"min": 0.0})
    filters: int = field(default=16, metadata={"min": 1})
    dense_units: int = field(default=128, metadata={"min": 1})
    dropout: float = field(default=0.2, metadata={"min": 0.0, "max": 0.95})
    shift: float = field(default=0.05, metadata={"min": 0.0, "max": 0.5})
    """Training pictures are moved by up to this share of their width and height."""


class ImageClassification(Task, classification.Classifier):
    title = "Image classification"
    questions = (1, 4)
    modality = "image"
    data = "mnist"
    columns = {"image": Image(), "label": Label()}
    targets = ("label",)
    HParams = ImageClassificationHParams

    def preprocess(self, inputs: Features) -> Features:
        size = self.hparams.image_size
        height = size or images.typical_side(inputs["image_height"], at_most=96)
        width = size or images.typical_side(inputs["image_width"], at_most=96)
        channels = images.needed_channels(inputs["image_channels"])
        return {
            "image": images.decode(inputs["image"], height, width, channels),
            "label": classification.index_labels(inputs["label"], "label"),
        }

    def batch(self, features: Features, seed: Any) -> Features:
        if seed is None:
            return features
        return {**features, "image": images.random_shift(features["image"], self.hparams.shift, seed)}

    def build_model(self, spec: DataSpec) -> Any:
        layers = tf.keras.layers
        hparams = self.hparams
        image = tf.keras.Input(spec.features["image"].shape, dtype=tf.uint8, name="image")
        x = layers.Rescaling(1 / 255)(image)
        for filters in (hparams.filters, 2 * hparams.filters):
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.MaxPooling2D(2, padding="same")(x)  # before what follows: a quarter of the work
            x = layers.BatchNormalization(momentum=0.9)(x)  # small data sets take few steps
            x = layers.ReLU()(x)
        x = layers.Flatten()(x)
        # Without a normalisation all of these units die within 50 steps on pictures of strong colours.
        x = layers.Dense(hparams.dense_units, use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.Dropout(hparams.dropout)(x)
        logits = layers.Dense(len(spec.vocabularies["label"]), dtype="float32")(x)
        model = outputs.model_of({"image": image}, logits, target="label")
        return classification.compile_classifier(model, hparams, spec)

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        return classification.class_probabilities(model(features, training=False), spec.vocabularies["label"])

    def metrics(self) -> Evaluation:
        return classification.evaluation(accuracy_bound=0.98, slices=("label",))

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        return classification.pixel_references(train, evaluation, self.hparams.seed)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        return classification.picture_preview(example["image"], example.get("label"), prediction)

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        return classification.assess(example, prediction)

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        return plots.classifier(examples, predictions)

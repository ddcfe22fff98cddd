"""Image recognition (question 25): which of a set of classes does a picture of everyday size show?

Method: a residual network (He et al. 2016; `trainer.networks.resnet`), ResNet-18's plan with a quarter of its filters,
on pictures that are moved and lit at random. Pictures of any size, brought to `[image_size, image_size, 3]`
uint8 -> class probabilities `[classes]` float32.

The guide asks for 224 x 224 pixels, which `--set image_size=224` gives. The default of 128 takes a third of the time,
so that two cores see each picture three times as often in the same minutes.

Classes come from the data. Where left and right do not matter, `--set mirror=True` adds mirrored pictures.

Default data: drawings of ten kinds of things by hundreds of hands (`clip_art`), whole series on one side.
Measured scores and seconds: `docs/results.md`. Command: `benison run image_recognition`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from data.columns import Image, Label
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.families import classification
from trainer.features import images
from trainer.networks import outputs
from trainer.preview import Preview, plots
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Evaluation, Features, HParams, Metric, Task

TOP = 3
"""The answer counts as right in `top_3_accuracy` where the class is among so many."""


@dataclass(frozen=True)
class ImageRecognitionHParams(HParams):
    epochs: int = field(default=20, metadata={"min": 1})
    min_steps: int = field(default=1000, metadata={"min": 1})
    global_batch_size: int = field(default=32, metadata={"min": 1})
    learning_rate: float = field(default=3e-3, metadata={"min": 0.0})
    image_size: int = field(default=128, metadata={"min": 32, "max": 1024})
    """Side in pixels to which pictures are brought."""
    filters: int = field(default=16, metadata={"min": 1})
    """Of the first stage; each further one doubles them. 64 is ResNet-18."""
    blocks: int = field(default=2, metadata={"min": 1})
    """Of each stage."""
    dropout: float = field(default=0.2, metadata={"min": 0.0, "max": 0.95})
    shift: float = field(default=0.1, metadata={"min": 0.0, "max": 0.5})
    """Training pictures are moved by up to this share of their width and height."""
    light: float = field(default=0.2, metadata={"min": 0.0, "max": 1.0})
    """How much training pictures are lit otherwise, channel by channel."""
    mirror: bool = False
    """Half of the training pictures are mirrored, left to right: of things, not of what is read or pointed at."""


class ImageRecognition(Task, classification.Classifier):
    title = "Image recognition"
    questions = (25,)
    modality = "image"
    data = "clip_art"
    columns = {"image": Image(), "label": Label()}
    targets = ("label",)
    HParams = ImageRecognitionHParams
    small = {"epochs": 1, "min_steps": 100, "image_size": 32, "filters": 8, "blocks": 1, "shift": 0.0}
    reference_examples = 5_000

    def preprocess(self, inputs: Features) -> Features:
        size = self.hparams.image_size
        return {
            "image": images.decode(inputs["image"], size, size),
            "label": classification.index_labels(inputs["label"], "label"),
        }

    def batch(self, features: Features, seed: Any) -> Features:
        if seed is None:
            return features
        hparams = self.hparams
        seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
        image = images.random_shift(features["image"], hparams.shift, seeds[0])
        if hparams.mirror:
            image = images.random_mirror(image, seeds[1])
        return {**features, "image": images.random_light(image, hparams.light, seeds[2])}

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.resnet import resnet

        hparams, layers = self.hparams, tf.keras.layers
        image = tf.keras.Input(spec.features["image"].shape, dtype=tf.uint8, name="image")
        x = resnet(layers.Rescaling(1 / 127.5, -1)(image), hparams.filters, hparams.blocks)
        x = layers.Dropout(hparams.dropout)(x)
        logits = layers.Dense(len(spec.vocabularies["label"]), dtype="float32")(x)
        model = outputs.model_of({"image": image}, logits, target="label")
        return classification.compile_classifier(model, hparams, spec)

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        return classification.class_probabilities(model(features, training=False), spec.vocabularies["label"])

    def metrics(self) -> Evaluation:
        usual = classification.evaluation(accuracy_bound=None, slices=("label",))
        top = Metric(f"top_{TOP}_accuracy", "SparseTopKCategoricalAccuracy", config={"k": TOP})
        return replace(usual, metrics=(usual.metrics[0], top, *usual.metrics[1:]))

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.references.hog import hog_accuracy

        seed = self.hparams.seed
        found = hog_accuracy(train["image"], train["label"], evaluation["image"], evaluation["label"], seed)
        return {} if found is None else {"HOG + logistic regression": {"accuracy": found}}

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        return classification.picture_preview(example["image"], example.get("label"), prediction)

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        return classification.assess(example, prediction)

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        return plots.classifier(examples, predictions)

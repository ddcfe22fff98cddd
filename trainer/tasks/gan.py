"""Generative adversarial network (question 2): pictures that were never taken, from random numbers.

Method: a DCGAN (Radford et al. 2016). A generator of transposed convolutions turns noise into pictures; a discriminator
of strided convolutions learns to tell these from real ones; each step updates both. The generator's loss is the
non-saturating one (Goodfellow et al. 2014) and real pictures are labelled 0.9 (Salimans et al. 2016), against vanishing
gradients. Pictures `[height, width, channels]` uint8 of the train split's median size (or `image_size`) are all it
learns from; an int64 `seed` is all that it is given to make one.

Mode collapse, a generator that makes ever the same few pictures, shows in training as falling `diversity` and in
evaluation as low `class_coverage` and `class_entropy`. For these and for the Fréchet distance (Heusel et al. 2017) a
judge is trained beside the reference, the same for all models: a small classifier of the labelled train split. Labels
serve nothing else; without any, the judge tells clusters of like pictures apart.

Reference: each pixel drawn on its own from a normal distribution with its mean and deviation over the train split.

Default data: 12,000 pictures of clothes (`fashion_mnist`), 10,000 to train and 2,000 to evaluate.
Measured scores and seconds: `docs/results.md`. Command: `benison run gan`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import Image, Label, Seed
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.families import generation
from trainer.optimisers import schedule
from trainer.preview import Picture, Preview
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Task


@dataclass(frozen=True)
class GanHParams(HParams):
    epochs: int = field(default=20, metadata={"min": 1})
    min_steps: int = field(default=3000, metadata={"min": 1})
    global_batch_size: int = field(default=64, metadata={"min": 2})
    learning_rate: float = field(default=6e-4, metadata={"min": 0.0})
    image_size: int = field(default=0, metadata={"min": 0, "max": 256})
    """Side in pixels of the pictures; 0 takes the train split's median width and height, at most 64."""
    latent_size: int = field(default=64, metadata={"min": 1})
    """Numbers of noise from which a picture is made."""
    filters: int = field(default=32, metadata={"min": 1})
    """Of the finest feature maps of both networks; coarser ones have more."""
    label_smoothing: float = field(default=0.1, metadata={"min": 0.0, "max": 0.5})


class Gan(Task):
    title = "Generative adversarial network"
    questions = (2,)
    modality = "image"
    data = "fashion_mnist"
    columns = {"image": Image(), "label": Label(optional=True, open=True), "seed": Seed()}
    targets = ("image", "label")
    HParams = GanHParams
    small = {
        **Task.small,
        "min_steps": 2400,
        "learning_rate": 2e-3,
        "image_size": 8,
        "latent_size": 16,
        "filters": 16,
    }
    monitor = None  # the two losses move against each other: neither tells when to stop

    def preprocess(self, inputs: Features) -> Features:
        prepared = generation.pictures_and_labels(inputs, self.hparams.image_size)
        return {**prepared, "seed": inputs["seed"]}

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks import adversarial

        hparams = self.hparams
        height, width, channels = spec.features["image"].shape
        networks = adversarial.dcgan(height, width, channels, hparams.latent_size, hparams.filters)
        model = adversarial.Adversarial(*networks, label_smoothing=hparams.label_smoothing, seed=hparams.seed)
        model.compile(schedule(hparams.learning_rate, spec.steps), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        image = generation.as_pixels(model({"seed": features["seed"]}, training=False), -1.0, 1.0)
        return {"image": image, "image_bytes": tf.io.encode_png(image)}

    def metrics(self) -> Evaluation:
        return Evaluation(
            prediction="image",
            label="image",
            raw_label=True,
            metrics=generation.judged_metrics(),
            gates=(
                Gate("frechet_distance", higher_is_better=False, reference_factor=0.25, baseline_margin=0.5),
                Gate("class_coverage", bound=1.0, baseline_margin=0.1),
            ),
        )

    def judge(self, train: Arrays, spec: DataSpec) -> Any:
        return generation.judge(train, self.hparams.seed)

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.metrics import generative

        mean, deviation = train["image"].mean(axis=0), train["image"].std(axis=0)
        pixels = np.random.default_rng(self.hparams.seed).normal(mean, deviation, evaluation["image"].shape)
        generated = np.rint(pixels).clip(0, 255).astype(np.uint8)
        return {"per-pixel Gaussian": generative.scores(spec.judge, evaluation["image"], generated)}

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        return Assessment(f"a picture from seed {int(example['seed'])}")

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        return Preview(f"seed {int(example['seed'])}", None, {}, (Picture(np.asarray(prediction["image"])),))

    def overview(
        self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]
    ) -> Sequence[Preview]:
        return generation.beside_real(examples, predictions)

"""Image generation (question 30): an encoder and a decoder learn what pictures are made of, and make new ones.

Method: a convolutional variational autoencoder (Kingma & Welling 2014). The encoder takes a picture to a normal
distribution over a code of `latent_size` numbers, the decoder takes codes back to pictures, and both maximise the
evidence lower bound: reconstruction and Kullback-Leibler divergence, each in nats for each picture, stand in the
curves. The deviation of the pixels is the best for each batch (sigma-VAE, Rybkin et al. 2021), so that no weight
between the two terms is tuned to one set of data. Pictures `[height, width, channels]` uint8 of the train split's
median size (or `image_size`).

A new picture is decoded from a code that a `seed` draws from the normal distribution of the train split's codes (Ghosh
et al. 2020). A picture that is given is reconstructed, and the way from its
code to another's is shown as a row of pictures: to that of the picture `towards` or, without one, to that of the seed.

Judged as `gan` is, by a classifier of the train split that stays frozen: Fréchet distance (Heusel et al. 2017) and
classes covered. The PSNR of reconstructions says what the code keeps, `active_units` (Burda et al. 2016) how many of
its numbers are in use: none where the posterior has collapsed.

Reference: principal components, as many as the code has numbers: reconstructions are projections, new pictures normal
draws of the components' strengths (probabilistic PCA, Tipping & Bishop 1999).

Default data: 12,000 pictures of clothes (`fashion_mnist`), 10,000 to train and 2,000 to evaluate.
Measured scores and seconds: `docs/results.md`. Command: `benison run image_generation`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.columns import NO_PICTURE, Given, Image, Label, Seed
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.families import generation, restoration
from trainer.features import images
from trainer.features.noise import latents
from trainer.optimisers import optimizer
from trainer.preview import Picture, Preview
from trainer.task import Arrays, DataSpec, Evaluation, Features, Gate, HParams, Metric, Task

LEAST_ERROR = 255.0**2 / 1e10
"""Mean squared error that equal pictures are taken to have, so that their PSNR is 100 dB."""

STEPS = 7
"""Pictures on the way from one code to another, both ends included."""


@dataclass(frozen=True)
class ImageGenerationHParams(HParams):
    epochs: int = field(default=20, metadata={"min": 1})
    min_steps: int = field(default=1500, metadata={"min": 1})
    learning_rate: float = field(default=2e-3, metadata={"min": 0.0})
    image_size: int = field(default=0, metadata={"min": 0, "max": 256})
    """Side in pixels of the pictures; 0 takes the train split's median width and height, at most 64."""
    latent_size: int = field(default=32, metadata={"min": 1})
    """Numbers in a picture's code."""
    filters: int = field(default=32, metadata={"min": 1})
    """Of the finest feature maps of both networks; each coarser one has twice as many."""
    dense_units: int = field(default=256, metadata={"min": 1})


class ImageGeneration(Task):
    title = "Image generation"
    questions = (30,)
    modality = "image"
    data = "fashion_mnist"
    columns = {
        "image": Image(may_be_left_out=True),
        "towards": Given(kind=Image(), default=NO_PICTURE),
        "label": Label(optional=True, open=True),
        "seed": Seed(),
    }
    targets = ("label",)
    HParams = ImageGenerationHParams
    small = {
        **Task.small,
        "min_steps": 800,
        "learning_rate": 5e-3,
        "image_size": 8,
        "latent_size": 4,
        "filters": 16,
        "dense_units": 32,
    }

    def preprocess(self, inputs: Features) -> Features:
        prepared = generation.pictures_and_labels(inputs, self.hparams.image_size)
        towards = images.decode_like(inputs["towards"], prepared["image"])
        given = {f"has_{name}": tf.not_equal(inputs[name], NO_PICTURE) for name in ("image", "towards")}
        flags = {name: tf.cast(flag, tf.int64) for name, flag in given.items()}
        return {**prepared, "towards": towards, **flags, "seed": inputs["seed"]}

    def batch(self, features: Features, seed: Any) -> Features:
        """Noise for the reparameterisation: another in each step, the record's own outside training."""
        count, size = tf.shape(features["seed"])[0], self.hparams.latent_size
        noise = latents(features["seed"], size) if seed is None else tf.random.stateless_normal([count, size], seed)
        return {**features, "noise": noise}

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.variational import VariationalAutoencoder

        hparams = self.hparams
        shape = spec.features["image"].shape
        model = VariationalAutoencoder(shape, hparams.latent_size, hparams.filters, hparams.dense_units)
        model.compile(optimizer(hparams, spec.steps), jit_compile=hparams.xla)
        return model

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        """`image` is new, from the seed. Of a picture that was given, `reconstruction_bytes` and `interpolation_bytes`
        are PNGs, empty where none was; `code` is its mean; `psnr`, `kl` and `reconstruction_nats` are of each."""
        from trainer.networks.variational import kl_divergence, reconstruction_nats

        picture = features["image"]
        mean, log_variance = model.encoder(picture, training=False)
        decoded = model.decoder(mean, training=False)
        new = model.drawn_codes(latents(features["seed"], self.hparams.latent_size))
        other = model.encoder(features["towards"], training=False)[0]
        way = _way(mean, tf.where(features["has_towards"][:, None] > 0, other, new))
        reconstruction = generation.as_pixels(decoded, 0.0, 1.0)
        steps = generation.as_pixels(model.decoder(tf.reshape(way, [-1, way.shape[-1]]), training=False), 0.0, 1.0)
        error = tf.reduce_mean(tf.math.squared_difference(_floats(picture), _floats(reconstruction)), [1, 2, 3])
        drawn = model.decoder(mean + tf.exp(log_variance / 2) * features["noise"], training=False)
        return {
            "image": generation.as_pixels(model.decoder(new, training=False), 0.0, 1.0),
            "reconstruction_bytes": _png_where(features["has_image"], reconstruction),
            "interpolation_bytes": _png_where(features["has_image"], _in_a_row(steps)),
            "code": mean,
            "psnr": 10.0 * tf.math.log(255.0**2 / tf.maximum(error, LEAST_ERROR)) / math.log(10.0),
            "kl": kl_divergence(mean, log_variance),
            "reconstruction_nats": reconstruction_nats(picture, drawn, model.log_deviation),
        }

    def metrics(self) -> Evaluation:
        module = "trainer.metrics.generative"
        return Evaluation(
            prediction="image",
            label="image",
            raw_label=True,
            metrics=(
                *generation.judged_metrics(),
                Metric("reconstruction_psnr", "AnswerMean", module, prediction="psnr"),
                Metric("kl", "AnswerMean", module, prediction="kl"),
                Metric("reconstruction_nats", "AnswerMean", module, prediction="reconstruction_nats"),
                Metric("active_units", "ActiveUnits", module, prediction="code"),
            ),
            gates=(
                Gate("frechet_distance", higher_is_better=False, baseline_margin=0.5),
                Gate("reconstruction_psnr", baseline_margin=0.1),
            ),
        )

    def judge(self, train: Arrays, spec: DataSpec) -> Any:
        return generation.judge(train, self.hparams.seed)

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.metrics import generative
        from trainer.references import principal_components

        components = principal_components.learn(train["image"], self.hparams.latent_size, self.hparams.seed)
        generated = components.draw(len(evaluation["image"]), self.hparams.seed)
        scores = generative.scores(spec.judge, evaluation["image"], generated)
        return {
            f"{components.count} principal components": {
                **scores,
                "reconstruction_psnr": components.reconstruction_psnr(evaluation["image"]),
            }
        }

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        new = f"a picture from seed {int(example['seed'])}"
        if not prediction["reconstruction_bytes"]:
            return Assessment(new)
        decibels = float(prediction["psnr"])
        loss, name = restoration.grey_levels(decibels), "error of the reconstruction in grey levels (RMSE)"
        return Assessment(f"{new}; the one given, reconstructed at {decibels:.1f} dB", loss=loss, loss_name=name)

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        new = Picture(np.asarray(prediction["image"]), "new, from the seed")
        if not prediction["reconstruction_bytes"]:
            return Preview(f"seed {int(example['seed'])}", None, {}, (new,))
        parts = (
            Picture(example["image"], "given"),
            Picture(prediction["reconstruction_bytes"], f"reconstructed, {float(prediction['psnr']):.1f} dB"),
            new,
            Picture(prediction["interpolation_bytes"], "on the way from one to the other"),
        )
        return Preview(f"seed {int(example['seed'])}", None, {}, parts)

    def answer_row(self, example: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
        return {} if example["image"] == NO_PICTURE else {"PSNR of the reconstruction, dB": answer["psnr"]}

    def overview(
        self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]
    ) -> Sequence[Preview]:
        return generation.beside_real(examples, predictions)


def _way(start: Any, end: Any) -> Any:
    """`STEPS` codes from one to the other, ends included: float32 `[batch, STEPS, latent_size]`."""
    share = tf.linspace(0.0, 1.0, STEPS)[None, :, None]
    return (1.0 - share) * start[:, None] + share * end[:, None]


def _in_a_row(steps: Any) -> Any:
    """uint8 `[batch * STEPS, height, width, channels]` to `[batch, height, STEPS * width, channels]`."""
    _, height, width, channels = steps.shape
    rows = tf.transpose(tf.reshape(steps, [-1, STEPS, height, width, channels]), [0, 2, 1, 3, 4])
    return tf.reshape(rows, [-1, height, STEPS * width, channels])


def _png_where(wanted: Any, pictures: Any) -> Any:
    """PNGs, string `[batch]`, empty where `wanted` is 0."""
    return tf.where(wanted > 0, tf.io.encode_png(pictures), "")


def _floats(pixels: Any) -> Any:
    return tf.cast(pixels, tf.float32)

"""Video classification (question 27): which of a set of classes does a clip show, by what happens in it?

The guide goes through the frames of a film with a convolutional network and through what that says with an LSTM, but
its sample is fed with single 28x28 digits, in which nothing happens. Here a class may lie in motion alone.

Method: a convolutional encoder of each frame, optical flow from frame to frame, and an LSTM over both
(`trainer.networks.video_classifier`). A file keeps `Video.max_frames` frames, evenly over its time. In training the
model sees another frame of each stretch of them every time (Wang et al. 2016), a part of the picture cut out anywhere
and in another light, the same in all frames of a clip; else the middle frames and the middle of the picture.

Clips of any length and size -> `[frames, image_size, image_size, 3]` uint8 -> class probabilities `[classes]` float32,
and `frames`, the frames that the model saw, in reading order, a picture.

Clips are not mirrored, since that would make "to the left" out of "to the right" and a left hand of a right one. Where
no class has a side, `--set mirror=True` adds mirrored clips.

Reference: histograms of optical flow and logistic regression, on the frames that the model sees.

Own data: a folder a class of films, or `metadata.csv` with `file_name`, `label` and, where several clips are cut from
one film, its name as `source`, so that they stay on one side. UCF101 (Soomro et al. 2012) is read as it is, with its
groups as sources and its lists of train and test clips, if they are there.

Default data: `motions`, 1,200 + 300 clips that are composed of photographs, drawings and digits; ten classes.
Measured scores and seconds: `docs/results.md`. Command: `benison run video_classification`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from data.columns import ClipSource, Label, Video
from trainer.assessment import Assessment
from trainer.backend import tf
from trainer.families import classification
from trainer.features import images, videos
from trainer.networks import outputs
from trainer.preview import Animation, Picture, Preview, plots
from trainer.preview.plots import Plot
from trainer.task import Arrays, DataSpec, Evaluation, Features, HParams, Task

LARGER = 1.125
"""Kept frames are larger than what the model sees of them, so that there is something to cut off."""

SHOWN_IN_A_ROW = 6
"""Frames in a row of the picture of those that the model saw."""


@dataclass(frozen=True)
class VideoClassificationHParams(HParams):
    epochs: int = field(default=14, metadata={"min": 1})
    min_steps: int = field(default=500, metadata={"min": 1})
    global_batch_size: int = field(default=32, metadata={"min": 1})
    learning_rate: float = field(default=3e-3, metadata={"min": 0.0})
    frames: int = field(default=12, metadata={"min": 1, "max": 64})
    """That the model sees of a clip."""
    chosen_from: int = field(default=2, metadata={"min": 1, "max": 8})
    """Each of these is one of so many that are kept."""
    image_size: int = field(default=64, metadata={"min": 32, "max": 256})
    """Side in pixels of what the model sees of a frame."""
    filters: int = field(default=16, metadata={"min": 1})
    """Of the first convolution."""
    units: int = field(default=64, metadata={"min": 1})
    """Of the LSTM."""
    dropout: float = field(default=0.2, metadata={"min": 0.0, "max": 0.95})
    light: float = field(default=0.2, metadata={"min": 0.0, "max": 1.0})
    """How much training clips are lit otherwise, channel by channel."""
    mirror: bool = False
    """Half of the training clips are mirrored, left to right: only where no class has a side."""


class VideoClassification(Task, classification.Classifier):
    title = "Video classification"
    questions = (27,)
    modality = "video"
    data = "motions"
    columns = {"video": Video(max_frames=24, max_side=112), "label": Label(), "source": ClipSource(optional=True)}
    targets = ("label", "source")
    split_by = "source"
    HParams = VideoClassificationHParams
    small = {
        "epochs": 1,
        "min_steps": 60,
        "global_batch_size": 16,
        "learning_rate": 4e-3,
        "frames": 4,
        "chosen_from": 2,
        "image_size": 32,
        "filters": 4,
        "units": 16,
    }
    reference_examples = 1_000
    plotted_examples = 1_000  # an answer holds a picture
    predict_batch_size = 32

    def preprocess(self, inputs: Features) -> Features:
        side = round(LARGER * self.hparams.image_size)
        kept = self.hparams.frames * self.hparams.chosen_from
        return {
            "video": videos.decode(inputs["video"], kept, side, side),
            "label": classification.index_labels(inputs["label"], "label"),
        }

    def batch(self, features: Features, seed: Any) -> Features:
        hparams = self.hparams
        of_frames, of_place, of_light, of_mirror = (
            (None,) * 4 if seed is None else tf.unstack(tf.random.experimental.stateless_split(seed, 4))
        )
        clip = videos.choose_frames(features["video"], hparams.frames, of_frames)
        clip = videos.crop(clip, hparams.image_size, of_place)
        if seed is not None:
            below = images.random_light(videos.as_pictures(clip), hparams.light, of_light)
            below = images.random_mirror(below, of_mirror) if hparams.mirror else below
            clip = videos.as_clips(below, hparams.frames)
        return {**features, "video": clip}

    def build_model(self, spec: DataSpec) -> Any:
        from trainer.networks.video_classifier import video_features

        hparams, layers = self.hparams, tf.keras.layers
        clip = tf.keras.Input(spec.features["video"].shape, dtype=tf.uint8, name="video")
        x = video_features(layers.Rescaling(1 / 127.5, -1)(clip), hparams.filters, hparams.units, hparams.dropout)
        logits = layers.Dense(len(spec.vocabularies["label"]), dtype="float32")(x)
        model = outputs.model_of({"video": clip}, logits, target="label")
        return classification.compile_classifier(model, hparams, spec, clip=1.0)

    def predict(self, model: Any, features: Features, spec: DataSpec) -> Features:
        logits = model(features, training=False)
        return {
            **classification.class_probabilities(logits, spec.vocabularies["label"]),
            "frames": videos.in_rows(features["video"], SHOWN_IN_A_ROW),
        }

    def metrics(self) -> Evaluation:
        return classification.evaluation(accuracy_bound=None, slices=("label",))

    def reference(self, train: Arrays, evaluation: Arrays, spec: DataSpec) -> dict[str, dict[str, float]]:
        from trainer.references.optical_flow import flow_accuracy

        seed = self.hparams.seed
        found = flow_accuracy(train["video"], train["label"], evaluation["video"], evaluation["label"], seed)
        return {} if found is None else {"optical flow + logistic regression": {"accuracy": found}}

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        hparams = self.hparams
        seen = videos.from_rows(prediction["frames"], hparams.frames, SHOWN_IN_A_ROW)
        moving = Animation(seen, seconds=float(example["video_seconds"]), caption="as the model saw it")
        strip = Picture(prediction["frames"], caption=f"{hparams.frames} frames, in reading order")
        shown = classification.answer_preview([moving, strip], example.get("label"), prediction, top=5)
        return replace(shown, parts=(shown.parts[0], shown.parts[-1], *shown.parts[1:-1]))

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        return classification.assess(example, prediction)

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        return plots.classifier(examples, predictions)

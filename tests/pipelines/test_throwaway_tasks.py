"""Tasks that nobody ships, three of kinds of column that no shipped task has and one as `benison new-task` writes it,
from a file each to a verdict.

They show that a task is one file and the rest finds it, and that what they use (a mask as a target, a text in a file,
marked passages, two targets with a metric each, frames of a video that each batch chooses anew, a metric of one's own,
one that runs the model) comes through every
node.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

import trainer.tasks
from data import source_digest
from pipelines.new_task import create
from pipelines.records.run_result import EXIT_NOT_BLESSED
from pipelines.serving.predict import predict
from tests.pipelines.test_all_tasks import (
    LIMIT,
    Runs,
    assert_learnt,
    assert_served_as_evaluated,
    assert_verdict,
    first_records,
    states,
)
from trainer.task import load, task_names

pytestmark = pytest.mark.whole

OUTLINES, NOTES, CLIPS, FRESH = NAMES = [f"throwaway_{name}" for name in ("outlines", "notes", "clips", "fresh")]
DEAD = "throwaway_dead"

PIXELS_METRIC = '''
"""The share of pixels that have their class."""

import numpy as np

from trainer.metrics.counts import CountsMetric


class PixelAccuracy(CountsMetric):
    usual_name = "pixel_accuracy"

    @classmethod
    def counts(cls, label, prediction):
        label, prediction = np.asarray(label), np.asarray(prediction)
        assert label.dtype == prediction.dtype == np.uint8 and label.shape == prediction.shape == (16, 24, 1)
        return np.array([np.sum(label == prediction), label.size])

    @classmethod
    def value(cls, counts):
        return float(counts[0] / counts[1])
'''

RUNS_METRIC = '''
"""How sure a model is of texts that get longer."""

from trainer.backend import tf


def sureness(model, episodes, start):
    answer = tf.saved_model.load(str(model)).signatures["raw"]
    for episode in range(start, start + episodes):
        note = tf.constant([" ".join(f"word{number}" for number in range(episode))])
        yield float(answer(note=note)["probabilities"].numpy().max())
'''

OUTLINES_TASK = '''
"""What does each pixel show?"""

import io

import numpy as np
from PIL import Image as Pillow

from data.columns import Image, Mask
from trainer.backend import tf
from trainer.features import images
from trainer.networks import outputs
from trainer.optimisers import optimizer
from trainer.preview import Masks, Preview
from trainer.task import Evaluation, Gate, HParams, Metric, Task

CLASSES = ("nothing", "left", "middle", "right")
HEIGHT, WIDTH = 16, 24


class Outlines(Task):
    title = "Outlines"
    questions = ()
    modality = "image"
    data = "digits"
    columns = {"image": Image(), "mask": Mask(of="image", classes=CLASSES)}
    targets = ("mask",)
    HParams = HParams
    small = {**Task.small, "learning_rate": 0.03}

    def preprocess(self, inputs):
        def one(png):
            return tf.image.resize(tf.io.decode_png(png, channels=1), (HEIGHT, WIDTH), method="nearest")

        mask = tf.map_fn(one, inputs["mask"], fn_output_signature=tf.TensorSpec([HEIGHT, WIDTH, 1], tf.uint8))
        return {"image": images.decode(inputs["image"], HEIGHT, WIDTH), "mask": mask}

    def build_model(self, spec):
        assert spec.features["mask"] == tf.TensorSpec([HEIGHT, WIDTH, 1], tf.uint8, spec.features["mask"].name)
        image = tf.keras.Input(spec.features["image"].shape, dtype=tf.uint8, name="image")
        x = tf.keras.layers.Rescaling(1 / 255)(image)
        x = tf.keras.layers.Conv2D(8, 3, padding="same", activation="relu")(x)
        model = outputs.model_of({"image": image}, tf.keras.layers.Conv2D(len(CLASSES), 1)(x), target="mask")
        model.compile(optimizer(self.hparams, spec.steps), tf.keras.losses.SparseCategoricalCrossentropy(True))
        return model

    def predict(self, model, features, spec):
        logits = model(features, training=False)
        return {"mask": tf.cast(tf.argmax(logits, axis=-1), tf.uint8)[..., None], "logits": logits}

    def metrics(self):
        return Evaluation(
            prediction="mask",
            label="mask",
            metrics=(Metric("pixel_accuracy", "PixelAccuracy", module="trainer.metrics.throwaway_pixels"),),
            gates=(Gate("pixel_accuracy", bound=0.5),),
        )

    def reference(self, train, evaluation, spec):
        most = np.bincount(train["mask"].ravel()).argmax()
        return {"most frequent class": {"pixel_accuracy": float(np.mean(evaluation["mask"] == most))}}

    def preview(self, example, prediction):
        guess = np.asarray(prediction["mask"])[..., 0]
        parts = [Masks(example["image"], guess, caption="as seen by the model")]
        if "mask" in example:
            truth = np.asarray(Pillow.open(io.BytesIO(example["mask"])))
            parts.append(Masks(example["image"], truth, caption="the truth"))
        return Preview(", ".join(CLASSES[number] for number in np.unique(guess)), None, {}, tuple(parts))
'''

NOTES_TASK = '''
"""Of which class is a text, and how many passages of it are marked?"""

import dataclasses

from data.columns import Document, Label, Tags
from trainer.backend import tf
from trainer.families import classification
from trainer.optimisers import optimizer
from trainer.preview import Bars, Preview, Words, as_text
from trainer.task import Gate, HParams, Metric, Task

BUCKETS = 64


class Notes(Task):
    title = "Notes"
    questions = ()
    modality = "text"
    data = "digits"
    columns = {"note": Document(), "tags": Tags(of="note"), "label": Label()}
    targets = ("tags", "label")
    HParams = HParams
    small = {**Task.small, "learning_rate": 0.03}

    def preprocess(self, inputs):
        words = tf.strings.to_hash_bucket_fast(tf.strings.split(inputs["note"]), BUCKETS)
        marked = tf.RaggedTensor.from_sparse(inputs["tags_label"]).row_lengths()
        return {
            "note": tf.reduce_sum(tf.one_hot(words.to_tensor(-1), BUCKETS), axis=1),
            "tags": tf.cast(marked, tf.float32),
            "label": classification.index_labels(inputs["label"], "label"),
        }

    def build_model(self, spec):
        document = tf.keras.Input([BUCKETS], name="note")
        label = tf.keras.layers.Dense(len(spec.vocabularies["label"]), name="label")(document)
        tags = tf.keras.layers.Dense(1, name="tags")(document)
        model = tf.keras.Model({"note": document}, {"label": label, "tags": tags})
        losses = {"label": tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), "tags": "mse"}
        model.compile(optimizer(self.hparams, spec.steps), losses)
        return model

    def predict(self, model, features, spec):
        answer = model({"note": features["note"]}, training=False)
        return classification.class_probabilities(answer["label"], spec.vocabularies["label"]) | {
            "passages": answer["tags"][:, 0]
        }

    def metrics(self):
        judged = classification.evaluation(accuracy_bound=0.5, slices=("label", "tags_count"))
        counted = Metric("passages_mae", "MeanAbsoluteError", prediction="passages", label="tags")
        long = {"episodes": 8, "start": 1}
        run = Metric("sureness", "sureness", "trainer.metrics.throwaway_runs", long, runs_model=True)
        gates = (Gate("passages_mae", higher_is_better=False), Gate("sureness", reference_factor=0.5))
        return dataclasses.replace(
            judged, metrics=(*judged.metrics, counted, run), gates=(*judged.gates, *gates)
        )

    def reference(self, train, evaluation, spec):
        return {"a guess": {"sureness": 1 / len(spec.vocabularies["label"])}}

    def preview(self, example, prediction):
        bars = Bars({as_text(n): float(p) for n, p in zip(prediction["labels"], prediction["probabilities"])})
        return Preview(as_text(prediction["label"]), None, {}, (Words(as_text(example["note"])), bars))
'''

CLIPS_TASK = '''
"""What moves in a video, and where to?"""

from data.columns import Label, Video
from trainer.backend import tf
from trainer.families import classification
from trainer.features import videos
from trainer.networks import outputs
from trainer.preview import Picture, Preview
from trainer.task import HParams, Task

KEPT, TAKEN = 8, 4
HEIGHT, WIDTH = 12, 16


class Clips(Task):
    title = "Clips"
    questions = ()
    modality = "video"
    data = "digits"
    columns = {"clip": Video(max_frames=KEPT), "label": Label()}
    targets = ("label",)
    HParams = HParams
    small = {**Task.small, "learning_rate": 0.01}

    def preprocess(self, inputs):
        frames = videos.decode(inputs["clip"], KEPT, HEIGHT, WIDTH, channels=1)
        return {"clip": frames, "label": classification.index_labels(inputs["label"], "label")}

    def batch(self, features, seed):
        """One frame of each part of the video: any in training, else the last (Wang et al. 2016)."""
        parts = tf.reshape(features["clip"], [-1, TAKEN, KEPT // TAKEN, HEIGHT, WIDTH, 1])
        shape = tf.shape(parts)[:2]
        last = tf.fill(shape, KEPT // TAKEN - 1)
        place = last if seed is None else tf.random.stateless_uniform(shape, seed, 0, KEPT // TAKEN, tf.int32)
        taken = tf.ensure_shape(tf.gather(parts, place, batch_dims=2), [None, TAKEN, HEIGHT, WIDTH, 1])
        return {**features, "clip": taken}

    def build_model(self, spec):
        assert tuple(spec.features["clip"].shape) == (TAKEN, HEIGHT, WIDTH, 1)
        clip = tf.keras.Input(spec.features["clip"].shape, dtype=tf.uint8, name="clip")
        x = tf.keras.layers.Rescaling(1 / 255)(clip)
        x = tf.keras.layers.Conv3D(8, 3, strides=(1, 2, 2), padding="same", activation="relu")(x)
        logits = tf.keras.layers.Dense(len(spec.vocabularies["label"]))(tf.keras.layers.Flatten()(x))
        model = outputs.model_of({"clip": clip}, logits, target="label")
        return classification.compile_classifier(model, self.hparams, spec)

    def predict(self, model, features, spec):
        return classification.class_probabilities(model(features, training=False), spec.vocabularies["label"])

    def metrics(self):
        return classification.evaluation(accuracy_bound=0.5, slices=("label", "clip_frames"))

    def preview(self, example, prediction):
        [frames] = videos.decode(tf.constant([example["clip"]]), TAKEN, HEIGHT, WIDTH).numpy()
        strip = frames.swapaxes(0, 1).reshape(HEIGHT, TAKEN * WIDTH, 3)
        return Preview(prediction["label"].decode(), None, {}, (Picture(strip, caption="some of its frames"),))
'''

DEAD_TASK = '''
"""The same, by a network that is dead from its first step."""

from trainer.backend import tf
from trainer.optimisers import optimizer
from trainer.tasks.throwaway_notes import BUCKETS, Notes


class Dead(Notes):
    title = "Dead notes"

    def build_model(self, spec):
        layers = tf.keras.layers
        document = tf.keras.Input([BUCKETS], name="note")
        below_zero = tf.keras.initializers.Constant(-1000.0)
        hidden = layers.Dense(8, "relu", bias_initializer=below_zero, name="hidden")(document)
        label = layers.Dense(len(spec.vocabularies["label"]), name="label")(hidden)
        model = tf.keras.Model({"note": document}, {"label": label, "tags": layers.Dense(1, name="tags")(hidden)})
        losses = {"label": tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True), "tags": "mse"}
        model.compile(optimizer(self.hparams, spec.steps), losses)
        return model
'''

FILES = {
    "metrics/throwaway_pixels.py": PIXELS_METRIC,
    "metrics/throwaway_runs.py": RUNS_METRIC,
    f"tasks/{OUTLINES}.py": OUTLINES_TASK,
    f"tasks/{NOTES}.py": NOTES_TASK,
    f"tasks/{CLIPS}.py": CLIPS_TASK,
    f"tasks/{DEAD}.py": DEAD_TASK,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Runs of tasks that lie in a temporary folder, which is a part of the package `trainer` meanwhile."""
    folder = tmp_path_factory.mktemp("throwaway")
    for name, source in FILES.items():
        file = folder / "trainer" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source.lstrip(), encoding="utf-8")
    create(FRESH, folder / "trainer" / "tasks")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setattr(trainer.tasks, "__path__", [*trainer.tasks.__path__, str(folder / "trainer" / "tasks")])
        yield Runs(folder / "runs")
    for module in [name for name in sys.modules if name.startswith("trainer.") and "throwaway" in name]:
        del sys.modules[module]


def test_they_are_found_as_tasks_and_an_edit_of_them_is_seen(runs: Runs) -> None:
    assert set(NAMES) < set(task_names())
    module = load(OUTLINES).__module__
    file = Path(str(sys.modules[module].__file__))
    before, source = source_digest.digest(module, ["Outlines.preprocess"]), file.read_text(encoding="utf-8")
    try:
        file.write_text(source.replace("HEIGHT, WIDTH = 16, 24", "HEIGHT, WIDTH = 8, 24"), encoding="utf-8")
        assert source_digest.digest(module, ["Outlines.preprocess"]) != before
    finally:
        file.write_text(source, encoding="utf-8")
    assert source_digest.digest(module, ["Outlines.preprocess"]) == before


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_to_its_verdict(runs: Runs, name: str) -> None:
    alone = runs.alone(name)
    assert_verdict(alone)
    assert_learnt(alone.result)
    assert set(states(alone.result).values()) == {"ran"}
    assert alone.result.examples == {"train": LIMIT, "eval": LIMIT // 2, "quarantined": 0}


@pytest.mark.parametrize("name", NAMES)
def test_the_served_model_answers_as_it_was_evaluated(runs: Runs, name: str) -> None:
    assert_served_as_evaluated(runs.alone(name))


def test_a_mask_is_judged_as_preprocess_made_it(runs: Runs) -> None:
    """The metric refuses other shapes and dtypes; what it gives is what the served answers give by hand."""
    from trainer.backend import tf

    alone = runs.alone(OUTLINES)
    folder = max((alone.pipeline / "Trainer" / "model").iterdir(), key=lambda path: int(path.name))
    signatures = tf.saved_model.load(str(folder / "Format-Serving")).signatures
    split = next((alone.pipeline / "FolderExampleGen" / "examples").glob("*/Split-eval"))
    records = tf.constant(first_records(split, None))
    truth = signatures["transform_labels"](records)["mask_target"].numpy()
    answer = signatures["evaluate"](records)["mask"].numpy()
    assert truth.dtype == np.uint8 and truth.shape == (LIMIT // 2, 16, 24, 1)
    assert set(np.unique(truth)) == {0, 1, 2, 3}
    assert alone.result.metrics["pixel_accuracy"] == pytest.approx(np.mean(truth == answer))


def test_predict_draws_the_mask_that_it_writes(runs: Runs, tmp_path: Path) -> None:
    alone = runs.alone(OUTLINES)
    [picture, *_] = sorted(Path(str(alone.settings.data), "eval").glob("image-*.png"))
    [answer] = predict(OUTLINES, [picture], alone.pipeline.parent / "serving", tmp_path)
    truth = Pillow.open(picture.with_name(picture.name.replace("image", "mask"))).resize((24, 16), Pillow.Resampling(0))
    assert np.mean(np.asarray(Pillow.open(answer["mask"])) == np.asarray(truth)) > 0.9
    assert Path(answer["picture"]).is_file()


def test_both_targets_are_learnt_and_told_of_text_files(runs: Runs) -> None:
    alone = runs.alone(NOTES)
    folder = Path(str(alone.settings.data), "eval")
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    files = [next(folder / str(value) for value in row.values() if str(value).endswith(".txt")) for row in rows]
    answers = predict(NOTES, files, alone.pipeline.parent / "serving", None)
    passages = np.array([len(row["tags"]) for row in rows])
    off = np.mean(np.abs([answer["passages"] for answer in answers] - passages))
    assert off < 0.5 * np.mean(np.abs(np.median(passages) - passages))
    assert np.mean([answer["label"] == row["label"] for answer, row in zip(answers, rows, strict=True)]) > 0.6


def test_predict_answers_video_files(runs: Runs) -> None:
    alone = runs.alone(CLIPS)
    folder = Path(str(alone.settings.data), "eval")
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    files = [next(folder / str(value) for value in row.values() if str(value).endswith(".gif")) for row in rows]
    answers = predict(CLIPS, files, alone.pipeline.parent / "serving", None)
    assert np.mean([answer["label"] == row["label"] for answer, row in zip(answers, rows, strict=True)]) > 0.8


def test_each_of_two_targets_has_its_metric_and_its_gates(runs: Runs) -> None:
    """What is found of the second is what the served answers give by hand, beside its own constant answer."""
    from trainer.backend import tf

    alone = runs.alone(NOTES)
    folder = max((alone.pipeline / "Trainer" / "model").iterdir(), key=lambda path: int(path.name))
    signatures = tf.saved_model.load(str(folder / "Format-Serving")).signatures
    records = tf.constant(
        first_records(next((alone.pipeline / "FolderExampleGen" / "examples").glob("*/Split-eval")), None)
    )
    truth = signatures["transform_labels"](records)["tags_target"].numpy()
    answers = signatures["evaluate"](records)
    assert set(answers) == {"probabilities", "passages"}
    assert alone.result.metrics["passages_mae"] == pytest.approx(np.mean(np.abs(truth - answers["passages"])), rel=1e-4)
    constant = alone.result.reference["constant answer"]
    assert constant["passages_mae"] == pytest.approx(np.mean(np.abs(truth - np.median(truth))))
    assert 0 < constant["accuracy"] < 1
    low, high = alone.result.intervals["passages_mae"]
    assert low < alone.result.metrics["passages_mae"] < high


def test_a_metric_that_runs_the_model_is_reported_as_any_other(runs: Runs) -> None:
    alone = runs.alone(NOTES)
    [report] = (alone.pipeline / "Report" / "report").glob("*/report.json")
    found = json.loads(report.read_text(encoding="utf-8"))
    low, high = found["intervals"]["sureness"]
    assert low < found["metrics"]["sureness"] < high
    [gate] = [row for row in found["gates"] if row["metric"] == "sureness"]
    assert gate["bound_from"] == "reference: a guess" and gate["passed"]
    assert alone.result.metrics["sureness"] == found["metrics"]["sureness"]


def test_a_dead_network_is_the_verdict_in_words(runs: Runs) -> None:
    alone = runs.alone(DEAD)
    assert_verdict(alone)
    finding = "answers the same for everything: no unit of the layer 'hidden' is active on any held-out example"
    [health] = (alone.pipeline / "Trainer" / "model_run").glob("*/health.json")
    record = json.loads(health.read_text(encoding="utf-8"))
    assert (record["ok"], record["finding"]) == (False, finding)
    assert (alone.result.exit, alone.result.pushed) == (EXIT_NOT_BLESSED, None)
    assert alone.result.verdict == f"not blessed: {finding}; {record['advice']}"
    assert "--set learning_rate=0.003" in record["advice"]

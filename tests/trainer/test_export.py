"""From raw columns to a served model without TFX: what `batch`, packing and targets do to the signatures."""

from __future__ import annotations

import dataclasses
import tempfile
import traceback
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from data.columns import Label, Number
from data.errors import WrongUse
from trainer import export, worker
from trainer.backend import tf
from trainer.evaluation import Evaluation, Metric
from trainer.export import TARGET_SUFFIX
from trainer.networks import outputs
from trainer.packing import pack
from trainer.task import Features, HParams, Task

COUNT = 45


class Lit(Task):
    """A row of 4 uint8 from a number; which of them are lit, a uint8 target of two axes, is to be told."""

    columns = {"level": Number(), "lit": Label()}
    targets = ("lit",)

    def preprocess(self, inputs: Features) -> Features:
        steps = tf.constant([[0.0, 1.0, 2.0, 3.0]])
        row = tf.cast(inputs["level"][:, None] + steps, tf.uint8)
        lit = tf.cast(tf.strings.to_number(inputs["lit"])[:, None, None] > tf.zeros([1, 2, 2]), tf.uint8)
        return {"row": row, "lit": lit}

    def batch(self, features: Features, seed: Any) -> Features:
        """Twice the row; in training with noise."""
        row = 2 * tf.cast(features["row"], tf.float32)
        return {**features, "row": row if seed is None else row + tf.random.stateless_normal(tf.shape(row), seed)}

    def build_model(self, spec: Any) -> Any:
        row = tf.keras.Input(spec.features["row"].shape, name="row")
        lit = tf.keras.layers.Reshape((2, 2))(tf.keras.layers.Dense(4, "sigmoid")(row))
        model = outputs.model_of({"row": row}, lit, target="lit")
        model.compile("adam", "binary_crossentropy")
        return model

    traced_by: ClassVar[set[str]] = set()

    def predict(self, model: Any, features: Features, spec: Any) -> Features:
        self.traced_by.update(frame.name for frame in traceback.extract_stack())
        return {"lit": model({"row": features["row"]}, training=False), "row": features["row"]}

    def metrics(self) -> Evaluation:
        return Evaluation(prediction="lit", label="lit", metrics=(Metric("error", "MeanSquaredError"),), gates=())

    preview = None  # type: ignore[assignment]


Lit.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The SavedModel of a training of few steps."""
    folder = tmp_path_factory.mktemp("export")
    hparams = HParams(global_batch_size=4, min_steps=3, epochs=1)
    spec = worker.TrainingSpec(
        task="lit",
        hparams=dataclasses.asdict(hparams),
        train_files=[str(folder / "train.gz")],
        transform_graph=transformed(Lit(hparams), folder),
        model_dir=str(folder / "model"),
        log_dir=str(folder / "logs"),
        training_dir=str(folder / "training"),
        steps=3,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "task_from", lambda config: Lit(hparams))
        worker.train(dataclasses.asdict(spec))
    return tf.saved_model.load(spec.model_dir)


def transformed(task: Task, folder: Path) -> str:
    """Writes `COUNT` transformed examples and the graph, whose folder is returned."""
    import tensorflow_transform as tft
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io, schema_utils

    columns = {"level": tf.io.FixedLenFeature([], tf.float32), "lit": tf.io.FixedLenFeature([], tf.string)}
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(columns))
    rows = [{"level": float(i % 50), "lit": str(i % 2).encode()} for i in range(COUNT)]
    with tft_beam.Context(temp_dir=tempfile.mkdtemp(dir=folder)):
        (data, known), transform = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: pack(task.preprocess(inputs))
        )
        transform | tft_beam.WriteTransformFn(str(folder / "graph"))
    metadata_io.write_metadata(metadata, str(folder / "graph" / "metadata"))
    coder = tft.coders.ExampleProtoCoder(known.schema)
    with tf.io.TFRecordWriter(str(folder / "train.gz"), "GZIP") as writer:
        for row in data:
            writer.write(coder.encode(row))
    return str(folder / "graph")


def serialized(level: float, lit: str | None = None) -> Any:
    example = tf.train.Example()
    example.features.feature["level"].float_list.value.append(level)
    if lit is not None:
        example.features.feature["lit"].bytes_list.value.append(lit.encode())
    return tf.constant([example.SerializeToString()])


def test_serving_needs_no_target_and_does_as_batch_without_a_seed(model: Any) -> None:
    served = model.signatures["serving_default"](serialized(5.0))
    assert served["row"].numpy().tolist() == [[10.0, 12.0, 14.0, 16.0]]
    raw = model.signatures["raw"](level=tf.constant([5.0, 6.0]))
    np.testing.assert_allclose(raw["lit"][:1], served["lit"], rtol=1e-6)
    assert raw["row"].shape == (2, 4)


def test_a_uint8_target_of_several_axes_reaches_the_metrics(model: Any) -> None:
    labels = model.signatures["transform_labels"](serialized(5.0, "1"))
    assert labels["lit" + TARGET_SUFFIX].numpy().tolist() == [[[1, 1], [1, 1]]]


def test_evaluation_gets_the_predictions_that_it_names(model: Any) -> None:
    assert model.signatures["evaluate"](serialized(5.0)).keys() == {"lit"}


def test_a_check_of_the_outputs_costs_no_trace(model: Any) -> None:
    assert "save" in Lit.traced_by and export._check_media.__name__ not in Lit.traced_by


class OneExample:
    """Stands for the transformed train split."""

    def batches(self, limit: int) -> list[dict[str, Any]]:
        return [{"row": np.zeros([limit, 4], np.float32)}]


def png(pixels: Any) -> Any:
    return tf.io.encode_png(pixels)


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ({"png": png}, "'png', which is media (image/png); call it 'png_bytes'"),
        ({"label_bytes": lambda pixels: tf.constant(["a word"])}, "'label_bytes', but not one string an example"),
        ({"row_bytes": lambda pixels: pixels}, "'row_bytes', but not one string"),
        ({"several_bytes": lambda pixels: png(pixels)[None]}, "'several_bytes', but not one string an example"),
    ],
)
def test_media_under_a_name_that_rest_cannot_answer_are_no_export(outputs: dict[str, Any], said: str) -> None:
    with pytest.raises(WrongUse) as refused:
        check_outputs(outputs)
    assert said in f"{refused.value.message}; {refused.value.fix}"


def test_media_pixels_and_texts_under_their_names_are_exported() -> None:
    check_outputs({"x_bytes": png, "x": lambda pixels: pixels, "y": lambda _: tf.constant(["a"])})
    check_outputs({"words": lambda _: tf.zeros([1, 0], tf.string)})


def check_outputs(outputs: dict[str, Any]) -> None:
    def predict(features: Features) -> Features:
        pixels = tf.zeros([len(features["row"]), 2, 2, 3], tf.uint8)
        return {name: made(pixels) for name, made in outputs.items()}

    export._check_media(Lit(HParams()), predict, ["row"], OneExample())  # type: ignore[arg-type]

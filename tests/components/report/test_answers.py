"""What the report asks of a task about many answers at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from components.report.answer_table import FILE, MOST_LETTERS, ROWS_HELD, SLICE, AnswerTable
from components.report.answers import PREVIEW_POOL, PREVIEWS, Answers, in_turn
from data.columns import Image, Label
from trainer import assessment
from trainer.assessment import Assessment
from trainer.preview import Preview
from trainer.preview.plots import Plot
from trainer.task import Evaluation, Task

EXAMPLES = PREVIEW_POOL + 10


class Silent(Task):
    """Its outputs are called as those of a classifier; it draws nothing of them."""

    columns = {"image": Image(), "label": Label()}
    targets = ("label",)
    plotted_examples = EXAMPLES - 1

    def preprocess(self, inputs: Any) -> Any: ...

    def build_model(self, spec: Any) -> Any: ...

    def predict(self, model: Any, features: Any, spec: Any) -> Any: ...

    def metrics(self) -> Evaluation:
        return Evaluation("place", "label", metrics=(), gates=())

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        return Preview("", None, {}, ())


class Drawn(Silent):
    """Says what it was given."""

    def plots(self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]) -> Sequence[Plot]:
        places = [int(prediction["place"]) for prediction in predictions]
        return [{"series": {"names": sorted(examples[0]), "labels": [e["label"] for e in examples], "places": places}}]


class Slow(Drawn):
    """Answers few examples."""

    answered_examples = 20


class Sliced(Silent):
    """Metrics are sliced by the label."""

    def assess(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Assessment:
        truth, answer = int(example["label"]), int(prediction["place"])
        return assessment.of_number(truth, answer, truth == answer)

    def metrics(self) -> Evaluation:
        return Evaluation("place", "label", metrics=(), gates=(), slices=("label", "doubled"))

    def preview(self, example: Mapping[str, Any], prediction: Mapping[str, Any]) -> Preview:
        return Preview(f"{example['label'].decode()} {int(prediction['place'])}", None, {}, ())

    def overview(
        self, examples: Sequence[Mapping[str, Any]], predictions: Sequence[Mapping[str, Any]]
    ) -> Sequence[Preview]:
        return [self.preview(*pair) for pair in zip(examples, predictions, strict=True)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A split of EXAMPLES records, and a model that answers each with the number that is its label."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "split").mkdir()
    options = tf.io.TFRecordOptions(compression_type="GZIP")
    with tf.io.TFRecordWriter(str(folder / "split" / "data.gz"), options) as writer:
        for place in range(EXAMPLES):
            example = tf.train.Example()
            example.features.feature["image"].bytes_list.value.append(b"a picture")
            example.features.feature["label"].bytes_list.value.append(str(place).encode())
            writer.write(example.SerializeToString())
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def serve(records: Any) -> Any:
        label = tf.io.parse_example(records, {"label": tf.io.FixedLenFeature([], tf.string)})["label"]
        probabilities = tf.ones([tf.size(label), 2]) / 2
        return {
            "place": tf.strings.to_number(label, tf.int64),
            "probabilities": probabilities,
            "labels": tf.broadcast_to(tf.constant(["a", "b"]), tf.shape(probabilities)),
            "confidence": probabilities[:, 0],
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def transform_labels(records: Any) -> Any:
        return {"doubled": 2 * serve(records)["place"]}

    signatures = {"serving_default": serve, "transform_labels": transform_labels}
    tf.saved_model.save(module, str(folder / "model"), signatures=signatures)
    return folder / "split", folder / "model"


def test_nothing_is_guessed_from_what_an_output_is_called(served: tuple[Path, Path], tmp_path: Path) -> None:
    split, model = served
    about, drawn = Answers(Silent(None), split, tf.saved_model.load(str(model))).write_table(tmp_path)
    assert (about["rows"], about["loss"], drawn) == (EXAMPLES, "", [])
    assert {row["answer"] for row in pq.read_table(tmp_path / FILE).to_pylist()} == {""}


def test_a_task_draws_of_as_many_answers_as_it_asks_for_without_their_pictures(
    served: tuple[Path, Path], tmp_path: Path
) -> None:
    split, model = served
    _, [plot] = Answers(Drawn(None), split, tf.saved_model.load(str(model))).write_table(tmp_path)
    series = plot["series"]
    assert "image" not in series["names"] and "label" in series["names"]
    assert series["places"] == list(range(EXAMPLES - 1))
    assert np.array(series["labels"], int).tolist() == series["places"]


def test_the_table_has_a_row_for_each_answer(served: tuple[Path, Path], tmp_path: Path) -> None:
    """In the split's order, whatever the pool of previews is; with the key of the preview of the same example."""
    split, model = served
    answers = Answers(Sliced(None), split, tf.saved_model.load(str(model)))
    about, _ = answers.write_table(tmp_path)
    assert about == {"rows": EXAMPLES, "loss": "distance from the truth", "slices": ["label", "doubled"]}
    rows = pq.read_table(tmp_path / FILE).to_pylist()
    assert [row["place"] for row in rows] == list(range(EXAMPLES))
    assert rows[7] | {"example": ""} == {
        "example": "",
        "place": 7,
        "asked": "",
        "truth": "7",
        "answer": "7",
        "correct": True,
        "confidence": None,
        "loss": 0.0,
        f"{SLICE}label": "7",
        f"{SLICE}doubled": "14",
    }
    previews = {p["title"]: p["example"] for p in answers.write_previews(tmp_path) if "over" not in p["example"]}
    assert len(previews) == PREVIEWS
    keys = {f"{row['truth']} {row['answer']}": row["example"] for row in rows}
    assert previews.items() <= keys.items() and len(set(keys.values())) == EXAMPLES


def test_where_answers_take_long_the_table_is_of_those_that_previews_are_chosen_from(
    served: tuple[Path, Path], tmp_path: Path
) -> None:
    split, model = served
    answers = Answers(Slow(None), split, tf.saved_model.load(str(model)))
    answers._loaded = None  # it is not asked again
    about, [plot] = answers.write_table(tmp_path)
    assert about["rows"] == 20 and plot["series"]["places"] == list(range(20))


def test_a_table_of_many_rows_is_whole_and_its_texts_are_short(tmp_path: Path) -> None:
    table = AnswerTable(tmp_path, ["voice"])
    for place in range(ROWS_HELD + 1):
        table.add(f"{place}", place, "a\n\nb", Assessment("x" * 1000, confidence=0.5), {"voice": "ann"})
    assert table.close()["rows"] == ROWS_HELD + 1
    read = pq.ParquetFile(tmp_path / FILE)
    assert read.metadata.num_rows == ROWS_HELD + 1 and read.metadata.num_row_groups == 2
    [last] = read.read_row_group(1).to_pylist()
    assert (last["place"], last["asked"], last["correct"], last["slice voice"]) == (ROWS_HELD, "a b", None, "ann")
    assert len(last["answer"]) == MOST_LETTERS and last["answer"].endswith("x…")


def test_previews_are_of_every_series_also_where_they_lie_one_after_the_other(
    served: tuple[Path, Path], tmp_path: Path
) -> None:
    """Of a thousand examples, whose labels are 1, 2 and 3 in this order."""
    (tmp_path / "split").mkdir()
    sizes = {b"1": 600, b"2": 390, b"3": 10}
    with tf.io.TFRecordWriter(str(tmp_path / "split" / "data.gz"), tf.io.TFRecordOptions("GZIP")) as writer:
        for label, size in sizes.items():
            for place in range(size):
                example = tf.train.Example()
                example.features.feature["image"].bytes_list.value.append(b"%d" % place)
                example.features.feature["label"].bytes_list.value.append(label)
                writer.write(example.SerializeToString())
    shown = Answers(Sliced(None), tmp_path / "split", tf.saved_model.load(str(served[1]))).write_previews(tmp_path)
    pool = [record["title"] for record in shown if record["example"].startswith("overview")]
    assert len(pool) == PREVIEW_POOL and pool[:6] == ["1 1", "2 2", "3 3", "1 1", "2 2", "3 3"]
    assert (pool.count("1 1"), pool.count("2 2"), pool.count("3 3")) == (123, 123, 10)


def test_different_values_take_turns_in_their_own_order() -> None:
    pairs = [(value, place) for place, value in enumerate("aaabcb")]
    assert in_turn(pairs, 10) == [0, 3, 4, 1, 5, 2]
    assert in_turn(iter(pairs), 4) == [0, 3, 4, 1]
    assert in_turn([], 4) == []

"""The schema: closed over all classes of the train split, however many there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2

from components.data_gate import anomaly_texts, judged
from components.schema import closed_schema
from data.columns import Boxes, Label, Text
from data.errors import DataRefused
from data.folders.verdict import MAX_CLASSES, Bounds
from trainer.task import load

MANY = 1500
COLUMNS = {"label": Label(), "things": Boxes(), "text": Text()}


def domain(schema: schema_pb2.Schema, feature: str) -> list[str]:
    return list(next(entry for entry in schema.feature if entry.name == feature).string_domain.value)


def test_more_classes_than_the_statistics_list_are_all_in_the_schema_and_none_is_taken_for_unexpected() -> None:
    import pandas

    names = [f"class {number:04}" for number in range(MANY)]
    schema = closed_schema({"label": Label()}, {"label": dict.fromkeys(names, 2)})
    assert domain(schema, "label") == names
    for chosen in (names, names[-20:]):  # all of them, and some that the thousand most frequent would not hold
        statistics = tfdv.generate_statistics_from_dataframe(pandas.DataFrame({"label": chosen}))
        assert list(anomaly_texts(tfdv.validate_statistics(statistics, schema))) == []


def test_as_many_classes_pass_the_gate(tmp_path: Path) -> None:
    counts = {f"class {number:04}": 2 for number in range(MANY)}
    written = {"train": {"label": counts}, "eval": {"label": dict.fromkeys(counts, 1)}}
    (tmp_path / "classes.json").write_text(json.dumps(written))
    (tmp_path / "counts.json").write_text(json.dumps({"train": 2 * MANY, "eval": MANY, "quarantined": 0}))
    (tmp_path / "quarantine.jsonl").touch()
    assert judged(tmp_path, load("image_classification"), Bounds()) == []


def test_classes_of_boxes_close_the_feature_that_holds_them() -> None:
    schema = closed_schema(COLUMNS, {"things": {"cup": 3, "bowl": 1}})
    assert domain(schema, "things_label") == ["bowl", "cup"]
    assert domain(schema, "text") == domain(schema, "label") == []


def test_above_the_maximum_the_data_is_refused_in_words() -> None:
    with pytest.raises(DataRefused, match="column label has 100,001 classes; at most 100,000 may be"):
        closed_schema(COLUMNS, {"label": {str(number): 1 for number in range(MAX_CLASSES + 1)}})

"""Ingestion by itself: a folder becomes examples, in order, and what is bad is told with its place and reason."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from components import example_gen
from components.example_gen import (
    FolderExampleGen,
    FolderExampleGenExecutor,
    Origin,
    read_counts,
    read_names,
    read_origin,
    read_problems,
    read_quarantine,
    read_split_counts,
)
from data.columns import Label, Number, Text, Value
from data.errors import DataRefused
from trainer.backend import tf


class Told:
    """What ingestion asks of a task."""

    columns = {"text": Text(), "score": Number(), "label": Label(optional=True)}
    split_by = None

    @staticmethod
    def refuse(features: Mapping[str, Value]) -> str:
        return "it says nothing" if features["text"] == b"nothing" else ""


Row = Mapping[str, Any]


def row(number: int, label: str | None = None) -> Row:
    return {"text": f"text {number}", "score": number / 4} | ({"label": label} if label else {})


@pytest.fixture(autouse=True)
def _task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example_gen, "load", {"told": Told}.__getitem__)


def ingested(root: Path, splits: Mapping[str, Sequence[Row | str]], **settings: Any) -> Path:
    """The artifact of a folder with these tables, whose lines are rows or text."""
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.types.standard_artifacts import Examples

    from pipelines.beam import BEAM_ARGS

    for name in ("data", "temp", "examples"):
        (root / name).mkdir(parents=True)
    for split, lines in splits.items():
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
        (root / "data" / f"{split}.jsonl").write_text(text, encoding="utf-8")
    component = FolderExampleGen(root / "data", {"task": "told", "limit": None, "shards": 1, "split_by": ""} | settings)
    artifact = Examples()
    artifact.uri = str(root / "examples")
    context = BaseBeamExecutor.Context(beam_pipeline_args=BEAM_ARGS, tmp_dir=str(root / "temp"), unique_id="1")
    FolderExampleGenExecutor(context).Do({}, {"examples": [artifact]}, dict(component.exec_properties))
    assert json.loads(artifact.split_names) == ["train", "eval"]
    return root / "examples"


def read(examples: Path, split: str) -> list[dict[str, Any]]:
    """The examples of a split, file after file, as rows."""
    files = sorted(map(str, (examples / f"Split-{split}").iterdir()))
    rows = []
    for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        found = {"text": features["text"].bytes_list.value[0].decode(), "score": features["score"].float_list.value[0]}
        label = features["label"].bytes_list.value if "label" in features else []
        rows.append(found | ({"label": label[0].decode()} if label else {}))
    return rows


def test_what_is_read_is_written_in_its_order_and_what_is_bad_is_told_with_its_place(tmp_path: Path) -> None:
    good = [row(0, "a"), row(1, "b"), row(2), row(3, "a")]
    bad = [{"text": "x", "score": "many"}, "{", {"text": "nothing", "score": 1}]
    examples = ingested(tmp_path, {"train": [*good[:2], *bad[:2], *good[2:], bad[2]], "eval": [row(9, "b")]})
    assert read(examples, "train") == good and read(examples, "eval") == [row(9, "b")]
    assert read_counts(examples) == {"train": 4, "eval": 1, "quarantined": 3}
    found = list(read_quarantine(examples))
    places = [(one["split"], one["file"], one["row"], one["column"], one["attack"]) for one in found]
    assert places == [
        ("train", "train.jsonl", 3, "score", False),
        ("train", "train.jsonl", 4, None, False),
        ("train", "train.jsonl", 7, None, False),
    ]
    assert "many" in found[0]["reason"] and "not valid JSON" in found[1]["reason"]
    assert found[2]["reason"] == "it says nothing"
    assert read_problems(examples).first[2] == "train.jsonl, row 7: it says nothing"
    counts = read_split_counts(examples)
    assert (counts["train"].good, counts["train"].bad, counts["eval"].good, counts["eval"].bad) == (4, 3, 1, 0)
    assert counts["train"].classes == {"label": {"a": 2, "b": 1}} and counts["eval"].classes == {"label": {"b": 1}}
    assert read_names(examples) == {}
    assert (tmp_path / "temp").is_dir() and rows_told(tmp_path / "temp") == [8]


@pytest.mark.parametrize("shards", [1, 3])
def test_copies_of_train_in_eval_are_counted_by_what_is_asked_not_by_the_answer(tmp_path: Path, shards: int) -> None:
    copies = [row(3, "a"), row(3, "b"), row(7)]
    examples = ingested(tmp_path, {"train": [row(i, "a") for i in range(9)], "eval": [*copies, row(20)]}, shards=shards)
    assert read_origin(examples) == Origin(str(tmp_path / "data"), copies=3)
    assert not list(examples.glob(".*"))


def rows_told(temporary: Path) -> list[int]:
    return [int(path.read_text()) for path in sorted(temporary.rglob("rows-*"))]


def test_several_shards_hold_each_record_once_and_alike_each_time(tmp_path: Path) -> None:
    rows = [row(number) for number in range(10)]
    tables = {"train": rows, "eval": rows[:3]}
    first, again = (ingested(tmp_path / name, tables, shards=3) for name in ("first", "again"))
    found = read(first, "train")
    assert sorted(found, key=lambda one: one["score"]) == rows and read(again, "train") == found
    assert sum(rows_told(tmp_path / "first" / "temp")) == 13 and len(rows_told(tmp_path / "first" / "temp")) == 3


def test_a_folder_that_is_not_split_is_split_by_content_and_copies_stay_together(tmp_path: Path) -> None:
    rows = [row(number) for number in range(40)]
    examples = ingested(tmp_path, {"all": rows * 2})
    sides = {split: [one["text"] for one in read(examples, split)] for split in ("train", "eval")}
    assert not set(sides["train"]) & set(sides["eval"])
    assert len(sides["train"]) + len(sides["eval"]) == 80 and 8 <= len(sides["eval"]) <= 24


def test_a_limit_bounds_each_split(tmp_path: Path) -> None:
    rows = [row(number) for number in range(6)]
    assert read_counts(ingested(tmp_path, {"train": rows, "eval": rows}, limit=4)) == {
        "train": 4,
        "eval": 4,
        "quarantined": 0,
    }


def test_a_split_without_a_good_record_is_refused_with_what_was_bad(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match=r"eval[\s\S]*eval.jsonl, row 1, column score"):
        ingested(tmp_path, {"train": [row(0)], "eval": [{"text": "x", "score": "many"}]})


def test_folders_of_spans_are_spans_and_others_are_data(tmp_path: Path) -> None:
    for name in ("spans/span-1", "spans/span-2", "data/span-1", "data/train"):
        (tmp_path / name).mkdir(parents=True)
    patterns = {
        name: json.loads(example_gen.input_parameters(tmp_path / name)["input_config"])["splits"][0]["pattern"]
        for name in ("spans", "data")
    }
    assert patterns == {"spans": "span-{SPAN}/*", "data": "*"}

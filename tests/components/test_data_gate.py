"""The gate judges an examples artifact by what its ingestion counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.data_gate import anomaly_texts, judged, skew_bounds
from data.folders.verdict import Bounds
from trainer.task import load

TASK = load("image_classification")
BAD = {"split": "train", "file": "train/a/1.png", "row": None, "column": "image", "reason": "cut", "attack": False}


def examples(root: Path, classes: dict[str, dict[str, int]], bad: int = 0) -> Path:
    """As FolderExampleGen writes it, without the examples."""
    counts: dict[str, Any] = {split: sum(found.values()) for split, found in classes.items()}
    (root / "counts.json").write_text(json.dumps(counts | {"quarantined": bad}))
    (root / "classes.json").write_text(json.dumps({split: {"label": found} for split, found in classes.items()}))
    (root / "quarantine.jsonl").write_text(f"{json.dumps(BAD)}\n" * bad)
    return root


def test_good_records_pass(tmp_path: Path) -> None:
    artifact = examples(tmp_path, {"train": {"a": 9, "b": 9}, "eval": {"a": 3, "b": 3}})
    assert judged(artifact, TASK, Bounds()) == []


def test_each_reason_is_a_finding(tmp_path: Path) -> None:
    artifact = examples(tmp_path, {"train": {"a": 9}, "eval": {"a": 1, "c": 9}}, bad=6)
    bad, single, unseen, skew = [finding.text for finding in judged(artifact, TASK, Bounds(max_skew=0.3))]
    assert bad.startswith("6 of 25 records are bad (24.0%") and "train/a/1.png, column image: cut" in bad
    assert "one class, 'a'" in single and unseen.endswith("train lacks: c") and "at most 0.3 may be" in skew


def test_classes_have_a_bound_by_the_name_of_their_feature(tmp_path: Path) -> None:
    artifact = examples(tmp_path, {"train": {"a": 9, "b": 9}, "eval": {"a": 3, "b": 3}})
    assert skew_bounds(artifact, TASK.columns, 0.4) == {"label": 0.4}


def test_anomalies_are_sentences_and_classes_are_left_to_the_counts() -> None:
    anomalies, kind = anomalies_pb2.Anomalies(), anomalies_pb2.AnomalyInfo
    for column, reason in (("label", kind.ENUM_TYPE_UNEXPECTED_STRING_VALUES), ("size", kind.INT_TYPE_BIG_INT)):
        anomalies.anomaly_info[column].reason.add(type=reason, description="5 is too big.")
    assert list(anomaly_texts(anomalies)) == ["column size: values above the column's bound. 5 is too big."]

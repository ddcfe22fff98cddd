"""TFDV's statistics as plain values."""

from __future__ import annotations

from pathlib import Path

from google.protobuf import text_format

from components.statistics import class_counts, summary

TRAIN = """
datasets { num_examples: 10
  features { path { step: "width" } type: FLOAT num_stats {
    common_stats { num_non_missing: 9 num_missing: 1 }
    mean: 2.5 std_dev: 1.5 num_zeros: 2 min: 0 median: 2 max: 9
    histograms { type: STANDARD buckets { low_value: 0 high_value: 5 sample_count: 7 }
                 buckets { low_value: 5 high_value: 9 sample_count: 2 } }
    histograms { type: QUANTILES buckets { low_value: 0 high_value: 9 sample_count: 9 } } } }
  features { path { step: "label" } type: STRING string_stats {
    common_stats { num_non_missing: 10 } unique: 2 avg_length: 3
    top_values { value: "cat" frequency: 6 } top_values { value: "__BYTES_VALUE__" frequency: 3 }
    top_values { value: "dog" frequency: 1 } } }
  features { path { step: "image" } type: BYTES bytes_stats { common_stats { num_non_missing: 10 } unique: 10 } }
}
"""
EVAL = """
datasets { num_examples: 2
  features { path { step: "label" } type: STRING string_stats {
    common_stats { num_non_missing: 2 } unique: 1 avg_length: 3 top_values { value: "cat" frequency: 2 } } }
}
"""


def written(root: Path) -> Path:
    from tensorflow_metadata.proto.v0 import statistics_pb2

    for split, text in (("train", TRAIN), ("eval", EVAL)):
        folder = root / f"Split-{split}"
        folder.mkdir(parents=True)
        found = text_format.Parse(text, statistics_pb2.DatasetFeatureStatisticsList())
        (folder / "FeatureStats.pb").write_bytes(found.SerializeToString())
    return root


def test_each_kind_of_column_is_told_of(tmp_path: Path) -> None:
    found = summary(written(tmp_path))
    assert list(found) == ["width", "label", "image"]
    assert found["width"]["train"] == {
        "kind": "number",
        "count": 9,
        "missing": 1,
        "mean": 2.5,
        "deviation": 1.5,
        "min": 0.0,
        "median": 2.0,
        "max": 9.0,
        "zeros": 2,
        "histogram": [[0.0, 5.0, 7.0], [5.0, 9.0, 2.0]],
    }
    assert found["label"]["train"]["top"] == [["cat", 6], ["dog", 1]]
    assert found["image"] == {"train": {"kind": "bytes", "count": 10, "missing": 0}}


def test_classes_are_counted_in_both_splits(tmp_path: Path) -> None:
    found = summary(written(tmp_path))
    assert class_counts(found, "label") == {"cat": {"train": 6, "eval": 2}, "dog": {"train": 1}}
    assert class_counts(found, "none") == {}

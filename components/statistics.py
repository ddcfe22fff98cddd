"""TFDV's statistics of each column as plain values that a page can show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2

SPLITS = ("train", "eval")
_STANDARD = statistics_pb2.Histogram.STANDARD
_Feature = statistics_pb2.FeatureNameStatistics
_KINDS = {_Feature.INT: "integer", _Feature.FLOAT: "number", _Feature.STRING: "text", _Feature.BYTES: "bytes"}
_UNREADABLE = ("__BYTES_VALUE__", "__LARGE_BYTES__")
"""What TFDV puts in the place of values that are no text."""

Summary = dict[str, dict[str, dict[str, Any]]]
"""Column -> split -> what is known of it."""


def summary(statistics: Path) -> Summary:
    """Of an ExampleStatistics artifact.

    Of every column `kind`, `count` and `missing`; of numbers also mean, deviation, min, median, max, zeros and
    `histogram` (low, high, count of each stretch); of texts `unique`, `length` (mean, in characters) and `top`
    (value, count), the most frequent first. Files, such as pictures, are counted only.
    """
    columns: Summary = {}
    for split in SPLITS:
        [found] = tfdv.load_stats_binary(str(statistics / f"Split-{split}" / "FeatureStats.pb")).datasets
        for feature in found.features:
            columns.setdefault(feature.path.step[0], {})[split] = _of(feature)
    return columns


def class_counts(columns: Summary, label: str) -> dict[str, dict[str, int]]:
    """Class -> split -> examples, of a column of class names: the most frequent ones, as the statistics list them."""
    counts: dict[str, dict[str, int]] = {}
    for split, found in columns.get(label, {}).items():
        for name, count in found.get("top", []):
            counts.setdefault(name, {})[split] = count
    return counts


def _of(feature: Any) -> dict[str, Any]:
    values = getattr(feature, feature.WhichOneof("stats"))
    shown = {
        "kind": _KINDS[feature.type],
        "count": int(values.common_stats.num_non_missing),
        "missing": int(values.common_stats.num_missing),
    }
    match feature.WhichOneof("stats"):
        case "num_stats":
            return shown | _of_numbers(values)
        case "string_stats":
            return shown | _of_texts(values)
    return shown


def _of_numbers(values: Any) -> dict[str, Any]:
    stretches = [h.buckets for h in values.histograms if h.type == _STANDARD]
    return {
        "mean": values.mean,
        "deviation": values.std_dev,
        "min": values.min,
        "median": values.median,
        "max": values.max,
        "zeros": int(values.num_zeros),
        "histogram": [[b.low_value, b.high_value, b.sample_count] for b in (stretches[0] if stretches else [])],
    }


def _of_texts(values: Any) -> dict[str, Any]:
    ranked = [[top.value, int(top.frequency)] for top in values.top_values if top.value not in _UNREADABLE]
    return {"unique": int(values.unique), "length": values.avg_length, "top": ranked}

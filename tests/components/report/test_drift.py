"""How far train and eval lie apart: beside TFDV's own measure, and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from components.report.drift import Drift, Histograms, Shares, common_edges, drifts, jensen_shannon, rebinned

EDGES = (0.0, 1.0, 2.0, 3.0, 4.0)
Counts = Sequence[float]


def numbers(counts: Counts, edges: Sequence[float] = EDGES, **more: Any) -> dict[str, Any]:
    stretches = [[*pair] for pair in zip(edges, edges[1:], counts, strict=False)]
    return {"kind": "number", "count": sum(counts), "missing": 0, "median": 2.0, "histogram": stretches} | more


def texts(counts: Mapping[str, int], **more: Any) -> dict[str, Any]:
    top = [[value, count] for value, count in counts.items()]
    return {"kind": "text", "count": sum(counts.values()), "missing": 0, "unique": len(counts), "top": top} | more


def drift(train: Mapping[str, Any], held: Mapping[str, Any], bound: float | None = None) -> Drift:
    [found] = drifts({"x": {"train": train, "eval": held}}, {} if bound is None else {"x": bound})
    return found


def measured_by_tfdv(train: Mapping[str, Any], held: Mapping[str, Any]) -> float:
    """The distance that TFDV's own validation measures between these statistics."""
    import tensorflow_data_validation as tfdv
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

    def statistics(side: Mapping[str, Any]) -> Any:
        common = f"common_stats {{ num_non_missing: {side['count']} }}"
        buckets = [
            f"buckets {{ low_value: {a} high_value: {b} sample_count: {n} }}" for a, b, n in side.get("histogram", ())
        ]
        ranked = [f'buckets {{ label: "{value}" sample_count: {n} }}' for value, n in side.get("top", ())]
        found = (
            f"type: STRING string_stats {{ {common} unique: {side['unique']} rank_histogram {{ {' '.join(ranked)} }} }}"
            if ranked
            else f"type: FLOAT num_stats {{ {common} histograms {{ type: STANDARD {' '.join(buckets)} }} }}"
        )
        text = f'datasets {{ num_examples: {side["count"]} features {{ path {{ step: "x" }} {found} }} }}'
        return text_format.Parse(text, statistics_pb2.DatasetFeatureStatisticsList())

    kind = ("BYTES", "infinity_norm") if train.get("top") else ("FLOAT", "jensen_shannon_divergence")
    schema = text_format.Parse(
        f'feature {{ name: "x" type: {kind[0]} skew_comparator {{ {kind[1]} {{ threshold: 0 }} }} }}',
        schema_pb2.Schema(),
    )
    found = tfdv.validate_statistics(statistics(train), schema, serving_statistics=statistics(held))
    [info] = found.drift_skew_info
    [measured] = info.skew_measurements
    return float(measured.value)


@pytest.mark.parametrize(
    ("train", "held"),
    [
        (numbers([10, 20, 30, 40]), numbers([40, 30, 20, 10])),
        (numbers([100, 0, 0, 0]), numbers([0, 0, 0, 7])),
        (texts({"cat": 80, "dog": 20}), texts({"cat": 3, "dog": 7})),
        (texts({"cat": 80, "dog": 20}), texts({"cow": 10})),
    ],
)
def test_distances_are_those_of_tfdv(train: Mapping[str, Any], held: Mapping[str, Any]) -> None:
    if "histogram" in train:
        mine = jensen_shannon([n for *_, n in train["histogram"]], [n for *_, n in held["histogram"]])
    else:
        mine = drift(train, held).distance
    assert mine == pytest.approx(measured_by_tfdv(train, held), abs=1e-6)


def test_histograms_of_different_edges_are_brought_to_the_same() -> None:
    found = drift(numbers([50, 50], (0.0, 5.0, 10.0)), numbers([10], (5.0, 10.0)))
    assert isinstance(found.shape, Histograms)
    assert found.shape.edges[0] == 0 and found.shape.edges[-1] == 10 and len(found.shape.edges) == 11
    assert found.shape.train == [10] * 10 and found.shape.eval == [0] * 5 + [2] * 5
    assert found.distance == pytest.approx(jensen_shannon([10] * 10, [0] * 5 + [2] * 5))


def test_what_is_drawn_adds_up_to_all_examples() -> None:
    found = drift(numbers([7, 5, 8], (0.0, 3.1, 6.7, 10.0)), numbers([3, 1, 3], (1.0, 4.3, 7.9, 9.7)))
    assert isinstance(found.shape, Histograms)
    assert (sum(found.shape.train), sum(found.shape.eval)) == (20, 7)


def test_no_example_is_lost_between_edges() -> None:
    stretches = [(0.0, 0.3, 7.0), (0.3, 0.3, 2.0), (0.3, 1.0, 5.0), (1.0, 1.0, 1.0)]
    for edges in (common_edges(0, 1, False), common_edges(0, 1, True), common_edges(-3, 9, False)):
        assert sum(rebinned(stretches, edges)) == pytest.approx(15)


def test_whole_numbers_are_alike_though_their_stretches_are_not() -> None:
    """As TFDV leaves them: 1 to 3 and 1 to 4 in stretches of their own widths."""
    train = numbers([20, 40, 20], (1.0, 1.67, 2.33, 3.0), kind="integer")
    held = numbers([10, 20, 10, 0.1], (1.0, 1.5, 2.4, 3.1, 4.0), kind="integer")
    found = drift(train, held)
    assert isinstance(found.shape, Histograms) and found.shape.edges == [0.5, 1.5, 2.5, 3.5, 4.5]
    assert found.distance < 0.01


def test_one_value_everywhere_is_drawn_and_no_distance() -> None:
    found = drift(numbers([9], (3.0, 3.0)), numbers([2], (3.0, 3.0)))
    assert found.distance == 0 and found.words == "The same in both."


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_what_has_no_place_on_an_axis_is_left_out(broken: float) -> None:
    assert drifts({"x": {"train": numbers([1], (0.0, broken)), "eval": numbers([1], (0.0, 1.0))}}) == []


def test_what_one_split_lacks_is_left_out() -> None:
    image = {"kind": "bytes", "count": 9, "missing": 0}
    found = drifts({"x": {"train": numbers([1, 1, 1, 1])}, "image": {"train": image, "eval": image}, "y": {}})
    assert found == []


def test_a_large_distance_is_told_with_what_it_means() -> None:
    found = drift(numbers([500, 500, 0, 0], median=1.0), numbers([0, 50, 50, 0], median=2.5))
    assert found.is_large
    assert (
        "half of train lies below 1, half of eval below 2.5, and 50% of eval lies where train has nothing"
        in found.words
    )
    classes = drift(texts({"cat": 900, "dog": 100}), texts({"cat": 100, "dog": 900}), bound=0.25)
    assert classes.is_large and classes.bound == 0.25
    assert "“cat” is 90.0% of train and 10.0% of eval" in classes.words


def test_small_splits_differ_by_chance() -> None:
    few = drift(texts({"cat": 6, "dog": 4}), texts({"cat": 2, "dog": 4}))
    assert few.distance > 0.25 and not few.is_large and "by chance" in few.words
    many = drift(texts({"cat": 6000, "dog": 4000}), texts({"cat": 2000, "dog": 4000}))
    assert many.distance == few.distance and many.is_large


def test_chance_is_what_splits_of_one_distribution_come_to() -> None:
    """A hundred splits at random of one distribution, of ten stretches."""
    import numpy as np

    rng, found, edges = np.random.default_rng(7), [], [float(i) for i in range(11)]
    for _ in range(100):
        train, held = rng.multinomial(900, [0.1] * 10), rng.multinomial(60, [0.1] * 10)
        found.append(drift(numbers(train.tolist(), edges), numbers(held.tolist(), edges)))
    assert not any(one.is_large for one in found)
    assert sum(one.distance <= one.by_chance for one in found) >= 97
    assert np.mean([one.distance for one in found]) > found[0].by_chance / 4


def test_a_list_that_is_cut_off_says_nothing_of_what_it_lacks() -> None:
    """Of a million words TFDV lists the most frequent: that "b" is not among those of eval does not make it none."""
    train, held = texts({"a": 50, "b": 40}, count=1000, unique=500), texts({"a": 5, "c": 4}, count=100, unique=60)
    found = drift(train, held)
    assert isinstance(found.shape, Shares) and found.shape.values == ["a"] and found.distance == 0
    assert found.shape.others == 499


def test_missing_values_are_said() -> None:
    found = drift(numbers([10, 10, 10, 10]), numbers([10, 10, 10, 10], missing=40))
    assert found.words == "The same in both. It is missing in 0% of train and in 50% of eval."


def test_large_ones_come_first() -> None:
    few = (texts({"cat": 6, "dog": 4}), texts({"cat": 1, "dog": 4}))
    many = (texts({"cat": 6000, "dog": 4000}), texts({"cat": 2000, "dog": 4000}))
    same = (texts({"cat": 1}), texts({"cat": 1}))
    statistics = {name: {"train": a, "eval": b} for name, (a, b) in {"same": same, "few": few, "many": many}.items()}
    found = drifts(statistics)
    assert [one.column for one in found] == ["many", "few", "same"]
    assert found[1].distance > found[0].distance

"""Metrics that follow from counts which add up."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.metrics import metric_types

from trainer.metrics.counts import CountsMetric, text_of


class ShareEqual(CountsMetric):
    usual_name = "share_equal"

    @classmethod
    def counts(cls, label: Any, prediction: Any) -> Any:
        return np.array([text_of(label) == text_of(prediction), True], np.int64)

    @classmethod
    def value(cls, counts: Any) -> float:
        return float(counts[0] / counts[1])


class ShareEqualBeside(ShareEqual):
    """Of one tensor among several."""

    @classmethod
    def counts(cls, label: Any, prediction: Any) -> Any:
        assert prediction["other"].shape == (1, 3)
        return super().counts(label, prediction["answer"])


def combiner(metric: CountsMetric) -> Any:
    [computation] = metric.computations()
    return pickle.loads(pickle.dumps(computation.combiner))  # as Beam hands it to its workers


def element(label: str, prediction: Any) -> metric_types.StandardMetricInputs:
    return metric_types.StandardMetricInputs(
        {
            constants.LABELS_KEY: np.array([label.encode()], object),
            constants.PREDICTIONS_KEY: prediction,
            constants.EXAMPLE_WEIGHTS_KEY: np.array([1.0]),
        }
    )


def one(text: str) -> Any:
    return np.array([text.encode()], object)


def test_parts_of_a_set_add_up_and_a_part_may_be_empty() -> None:
    combine = combiner(ShareEqual())
    parts = [combine.create_accumulator() for _ in range(3)]
    parts[0] = combine.add_input(parts[0], element("a", one("a")))
    for answer in ("b", "c", "d"):
        parts[2] = combine.add_input(parts[2], element("b", one(answer)))
    [(key, value)] = combine.extract_output(combine.merge_accumulators(parts)).items()
    assert (key.name, value) == ("share_equal", 0.5)


def test_of_nothing_there_is_no_value() -> None:
    combine = combiner(ShareEqual())
    [value] = combine.extract_output(combine.create_accumulator()).values()
    assert math.isnan(value)


def test_several_tensors_reach_a_metric_under_their_names() -> None:
    combine = combiner(ShareEqualBeside(name="share"))
    accumulator = combine.add_input(
        combine.create_accumulator(), element("a", {"answer": one("a"), "other": np.zeros((1, 3))})
    )
    [(key, value)] = combine.extract_output(accumulator).items()
    assert (key.name, value) == ("share", 1.0)


def test_a_metric_comes_back_from_what_tfma_saves_of_it() -> None:
    saved = ShareEqual(name="share").get_config()
    assert ShareEqual(**saved).name == "share" and ShareEqual().name == "share_equal"


class ShareOfEach(ShareEqual):
    """Of two classes, by the first letter of the label."""

    @classmethod
    def counts(cls, label: Any, prediction: Any) -> Any:
        which = "ab".index(text_of(label)[0])
        return np.eye(2, dtype=np.int64)[which][:, None] * super().counts(label, prediction)

    @classmethod
    def value(cls, counts: Any) -> float:
        return super().value(counts.sum(axis=0))

    @classmethod
    def of_classes(cls, counts: Any) -> dict[int, tuple[float, float]]:
        return {i: (right / all_, float(all_)) for i, (right, all_) in enumerate(counts.tolist()) if all_}


def test_a_metric_may_tell_classes_apart() -> None:
    combine = combiner(ShareOfEach())
    accumulator = combine.create_accumulator()
    for label, answer in (("b1", "b1"), ("b2", "x"), ("a", "a"), ("b3", "x")):
        accumulator = combine.add_input(accumulator, element(label, one(answer)))
    found = {
        (key.name, key.sub_key.class_id if key.sub_key else None): value
        for key, value in combine.extract_output(accumulator).items()
    }
    assert found == {
        ("share_equal", None): 0.5,
        ("share_equal", 0): 1.0,
        ("example_count", 0): 1.0,
        ("share_equal", 1): 1 / 3,
        ("example_count", 1): 3.0,
    }

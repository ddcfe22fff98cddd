"""F1 of exact passages, held against seqeval, which computes what the CoNLL script does."""

from __future__ import annotations

import numpy as np
import pytest
from seqeval.metrics import f1_score

from trainer.metrics import spans as metric
from trainer.metrics.counts import CountsMetric

NAMES = ("area", "name")


def tagged(rng: np.random.Generator, words: int) -> list[str]:
    """Tags as they come, I that nothing began among them."""
    tags = ["O", *(f"{part}-{name}" for name in NAMES for part in "BI")]
    return [tags[i] for i in rng.integers(len(tags), size=words)]


def passages(tags: list[str]) -> list[list[int]]:
    """By the CoNLL script's rule, word by word."""
    found: list[list[int]] = []
    before = "O"
    for place, tag in enumerate(tags):
        name = tag[2:]
        if tag != "O":
            if tag[0] == "I" and before[2:] == name and before != "O":
                found[-1][1] = place + 1
            else:
                found.append([place, place + 1, NAMES.index(name)])
        before = tag
    return found


def padded(rows: list[list[int]], length: int = 20) -> np.ndarray:
    return np.array(rows + [[-1, -1, -1]] * (length - len(rows)))


def test_it_comes_to_what_seqeval_says() -> None:
    rng = np.random.default_rng(0)
    truths = [tagged(rng, words) for words in rng.integers(1, 12, size=60)]
    others = [tagged(rng, len(truth)) for truth in truths]
    answers = [
        [tag if rng.random() < 0.7 else other for tag, other in zip(*pair, strict=True)]
        for pair in zip(truths, others, strict=True)
    ]
    counts = [
        metric.SpanF1.counts(padded(passages(truth)), padded(passages(answer)))
        for truth, answer in zip(truths, answers, strict=True)
    ]
    ours = metric.SpanF1.value(np.sum(counts, axis=0))
    assert ours == pytest.approx(f1_score(truths, answers)) and 0.2 < ours < 0.9
    in_memory = ([{tuple(one) for one in passages(tags)} for tags in side] for side in (truths, answers))
    assert metric.score(*in_memory) == pytest.approx(ours)


def test_a_passage_is_right_if_place_and_name_are() -> None:
    truth = padded([[0, 4, 0], [5, 9, 1]])
    for found, right in (([[0, 4, 0]], 1), ([[0, 4, 1]], 0), ([[0, 5, 0]], 0), ([], 0)):
        assert metric.SpanF1.counts(truth, padded(found, 2)).tolist() == [right, len(found), 2]


def test_a_name_that_training_lacks_is_there_and_cannot_be_found() -> None:
    assert metric.SpanF1.counts(padded([[0, 4, -1]]), padded([[0, 4, 0]])).tolist() == [0, 1, 1]


def test_texts_of_unknown_intents_are_not_judged() -> None:
    label = np.full((20, 3), metric.NOT_JUDGED)
    assert metric.SpanF1.counts(label, padded([[0, 4, 0]])).tolist() == [0, 0, 0]


def test_where_nothing_is_to_be_found_nothing_is_right() -> None:
    assert metric.f1(np.zeros(3, int)) == 1.0 and metric.f1(np.array([0, 1, 0])) == 0.0
    assert issubclass(metric.SpanF1, CountsMetric) and metric.SpanF1.constant_value == 0.0

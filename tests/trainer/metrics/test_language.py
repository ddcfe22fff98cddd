"""What a language model's bits come to over a set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trainer.metrics.language import BitsPerCharacter, Perplexity, PromptBitsPerCharacter, ShareUnknown


@pytest.mark.parametrize(
    ("metric", "number", "of", "expected"),
    [
        (BitsPerCharacter, "bits", "characters", 16 / 8),
        (PromptBitsPerCharacter, "prompt_bits", "prompt_characters", 16 / 8),
        (ShareUnknown, "unknown_characters", "characters", 16 / 8),
        (Perplexity, "bits", "tokens", 2 ** (16 / 8)),
    ],
)
def test_it_is_of_all_that_is_judged_not_the_mean_over_examples(
    metric: Any, number: str, of: str, expected: float
) -> None:
    examples = [{number: np.array([15.0]), of: np.array([3])}, {number: np.array([1.0]), of: np.array([5])}]
    counts = sum(metric.counts(np.array([b""]), example) for example in examples)
    assert metric.value(counts) == pytest.approx(expected)

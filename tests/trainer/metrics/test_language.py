"""What language models foresee, over examples of different lengths."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.metrics import language


@pytest.mark.parametrize(
    ("metric", "names"),
    [
        (language.BitsPerCharacter, ("bits", "characters")),
        (language.PromptBitsPerCharacter, ("prompt_bits", "prompt_characters")),
        (language.ShareUnknown, ("unknown_characters", "characters")),
        (language.BitsPerToken, ("bits", "tokens")),
        (language.ShareUnknownTokens, ("unknown_tokens", "tokens")),
    ],
)
def test_each_character_or_token_counts_alike_whatever_example_it_stands_in(
    metric: type[language._OfEach], names: tuple[str, str]
) -> None:
    examples = [dict(zip(names, map(np.float32, values), strict=True)) for values in ((6.0, 2.0), (2.0, 6.0))]
    counts = np.sum([metric.counts(np.zeros(0), example) for example in examples], axis=0)
    assert metric.value(counts) == 1.0


def test_perplexity_is_two_to_the_power_of_the_bits_of_a_token() -> None:
    counts = language.Perplexity.counts(np.zeros(0), {"bits": np.float32(12.0), "tokens": np.float32(4.0)})
    assert language.Perplexity.value(counts) == 8.0

"""Copies beside a search for each stretch."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.networks.suffixes import LONGEST, Suffixes, rejoined, suffix_array

TEXT = np.random.default_rng(0).integers(2, 5, 2_000)


def longest_by_search(other: np.ndarray) -> int:
    text, found = "".join(map(chr, TEXT)), "".join(map(chr, other))
    lengths = (j - i for i in range(len(found)) for j in range(i + 1, len(found) + 1) if found[i:j] in text)
    return max(lengths, default=0)


@pytest.mark.parametrize("text", [TEXT[:300], np.zeros(40, int), np.arange(9)[::-1], np.array([7])])
def test_suffixes_are_in_their_order(text: np.ndarray) -> None:
    assert suffix_array(text).tolist() == sorted(range(len(text)), key=lambda i: text[i:].tolist())


def test_the_longest_copy_is_found_wherever_it_stands() -> None:
    others = np.random.default_rng(1).integers(2, 5, (5, 60))
    others[1, 10:40] = TEXT[500:530]
    others[2] = 99
    others[4, -20:] = TEXT[-20:]
    lengths = [60, 60, 60, 5, 60]
    found = Suffixes(TEXT).longest_copy(others, lengths).numpy().tolist()
    assert found == [longest_by_search(other[:length]) for other, length in zip(others, lengths, strict=True)]
    assert found[1] >= 30 and found[2] == 0 and found[3] == 5


def test_a_longer_copy_counts_as_the_longest() -> None:
    assert Suffixes(TEXT).longest_copy(TEXT[None, :400], [400]).numpy().tolist() == [LONGEST]


def test_texts_are_put_together_again_from_excerpts_in_any_order() -> None:
    rng, context, size = np.random.default_rng(2), 6, 10
    texts = [rng.integers(2, 50, length) for length in (100, 10, 55, 7)]
    excerpts = []
    for text in texts:
        for begin in range(0, len(text), size):
            before, here = text[max(0, begin - context) : begin], text[begin : begin + size]
            left, right = np.zeros(context - len(before), int), np.zeros(size - len(here), int)
            excerpts.append(np.concatenate([left, before, here, right]))
    found = rejoined(rng.permutation(np.array(excerpts)), context, 0)
    written = ",".join(map(str, found.tolist()))
    assert all(",".join(map(str, text.tolist())) + ",0" in written for text in texts)
    assert len(found) == sum(map(len, texts)) + len(texts)


def test_excerpts_without_the_one_before_them_are_kept_with_what_was_there() -> None:
    assert rejoined(np.array([[3, 4, 5, 6, 7]]), 2, 0).tolist() == [3, 4, 5, 6, 7, 0]

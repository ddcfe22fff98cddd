"""Which words of two texts differ."""

from __future__ import annotations

import random
import time

import pytest

from trainer.preview.differences import differences


def test_words_that_differ_in_capitals_only_are_marked_where_case_counts() -> None:
    assert differences("One two", "one three") == [("One two", True)]
    assert differences("One two", "one three", any_case=True) == [("One ", False), ("two", True)]


def test_words_that_differ_are_marked_in_both_texts() -> None:
    heard, said = "one two four", "one too three four"
    assert differences(heard, said) == [("one ", False), ("two", True), (" four", False)]
    assert differences(said, heard) == [("one ", False), ("too three", True), (" four", False)]


@pytest.mark.parametrize("seed", range(20))
def test_the_common_words_are_the_same_seen_from_either_text(seed: int) -> None:
    dice = random.Random(seed)
    one, other = (" ".join(dice.choices("abcd", k=40)) for _ in range(2))
    common = [
        "".join(text for text, marked in differences(*pair) if not marked) for pair in ((one, other), (other, one))
    ]
    assert common[0].split() == common[1].split()


@pytest.mark.parametrize("vocabulary", [5, 100_000])
def test_differences_of_long_texts_are_found_at_once(vocabulary: int) -> None:
    """5.8 s for 3,000 words before; words that occur once, and words that occur all the time."""
    dice = random.Random(3)
    words = [f"w{dice.randrange(vocabulary)}" for _ in range(10_000)]
    changed = list(words)
    for place in range(50, 10_000, 100):
        changed[place] = f"changed{place}"
    texts = " ".join(words), " ".join(changed)
    begun = time.process_time()
    one, other = differences(*texts), differences(*texts[::-1])
    assert time.process_time() - begun < 3
    assert "".join(text for text, _ in one) == texts[0]
    marked = [text for text, differs in other if differs]
    assert marked == [f"changed{place}" for place in range(50, 10_000, 100)]


def test_texts_without_a_word_in_common_are_marked_whole_at_once() -> None:
    one, other = (" ".join(f"{name}{i}" for i in range(10_000)) for name in "ab")
    begun = time.process_time()
    assert differences(one, other) == [(one, True)] and differences(other, one) == [(other, True)]
    assert time.process_time() - begun < 3

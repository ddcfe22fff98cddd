"""Words and their pairs in what a model writes."""

from __future__ import annotations

from trainer.metrics.diversity import distinct, words_of


def test_words_of_any_script() -> None:
    assert words_of("Who's there?") == ["who", "'", "s", "there", "?"]
    assert words_of("你好世界 ok") == ["你", "好", "世", "界", "ok"]
    assert words_of("Привет, мир") == ["привет", ",", "мир"]
    assert words_of("שלום 👋") == ["שלום", "👋"]
    assert words_of("  ") == []


def test_distinct_pairs_are_counted_over_all_texts_but_not_across_them() -> None:
    assert distinct(["a b a b", "a b"], 2) == 2 / 4
    assert distinct(["a b c d"], 2) == 1
    assert distinct(["a", ""], 2) == 0

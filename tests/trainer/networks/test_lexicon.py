"""Known words out of a recogniser's output: by hand, and against all texts there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks import ctc
from trainer.networks.lexicon import Lexicon

VOCABULARY = ["a", "b", "▁"]
BLANK = 3


def spelt(paths: list[list[int]], lexicon: Lexicon, sure: float = 6.0) -> list[str]:
    """What the best path spells where each step is nearly sure of its symbol."""
    logits = tf.nn.log_softmax(tf.one_hot(paths, len(VOCABULARY) + 1, sure, 0.0))
    found = lexicon.best_path(logits, tf.fill([len(paths)], len(paths[0])))
    return ["".join(VOCABULARY[symbol] for symbol in row).strip("▁") for row in found.to_list()]


def test_words_share_their_beginnings_and_what_cannot_be_spelt_is_left_out() -> None:
    lexicon = Lexicon(["ab", "aa", "abc", "", "ab"], VOCABULARY)
    assert lexicon.words == ("ab", "aa") and lexicon.is_usable
    assert len(lexicon.symbols) == 1 + 3  # root, a, ab, aa
    assert not Lexicon(["c"], VOCABULARY).is_usable


def test_a_word_that_is_nearly_said_is_spelt_as_it_is_known() -> None:
    lexicon = Lexicon(["aab", "bb"], VOCABULARY)
    assert spelt([[0, 3, 0, 1, 3, 3, 3], [3, 1, 3, 1, 3, 3, 3]], lexicon) == ["aab", "bb"]
    assert spelt([[0, 0, 0, 1, 3, 3, 3]], lexicon) == ["aab"]  # a blank must part the two
    assert spelt([[2, 3, 2, 1, 3, 1, 3]], lexicon) == ["bb"]
    assert spelt([[1, 3, 1, 2, 0, 3, 0, 1]], lexicon) == ["bb▁aab"]
    assert spelt([[1, 3, 1, 3, 2, 2, 3, 0, 3, 0, 3, 1, 3]], lexicon) == ["bb▁aab"]


@pytest.mark.parametrize("seed", range(3))
def test_no_text_of_known_words_has_a_better_path(seed: int) -> None:
    steps, words = 5, ["a", "ab", "bb"]
    lexicon = Lexicon(words, VOCABULARY)
    logits = np.log(np.random.default_rng(seed).dirichlet(np.full(4, 0.4), steps)).astype(np.float32)

    def score(path: tuple[int, ...]) -> float:
        kept = [s for s, run in itertools.groupby(path) if s != BLANK]
        said = "".join(VOCABULARY[s] for s in kept).replace("▁", " ").split()
        if not said or kept[-1] == VOCABULARY.index("▁") or any(word not in words for word in said):
            return -np.inf
        return float(sum(logits[place, s] for place, s in enumerate(path))) - len(said) * lexicon.word_cost

    best = max(itertools.product(range(4), repeat=steps), key=score)
    expected = [s for s, _ in itertools.groupby(best) if s != BLANK]
    short = np.concatenate([logits, logits], axis=0)[np.newaxis]  # what lies after the end is not heard
    [found] = lexicon.best_path(tf.constant(short), tf.constant([steps])).to_list()
    assert "".join(VOCABULARY[s] for s in found).strip("▁") == "".join(VOCABULARY[s] for s in expected).strip("▁")


@pytest.mark.parametrize(("unknown_word", "text"), [(0.1, b"ab"), (50.0, b"aa")])
def test_an_unknown_word_is_written_where_it_is_heard_clearly_enough(unknown_word: float, text: bytes) -> None:
    logits = tf.one_hot([[0, 3, 1]], 4, 5.0, 0.0)
    got = ctc.decode(logits, tf.constant([3]), VOCABULARY, 4, Lexicon(["aa", "bb"], VOCABULARY), unknown_word)
    assert got["transcript"].numpy().tolist() == [text]
    assert 0 < got["confidence"].numpy()[0] < 1


@pytest.mark.parametrize(("sure", "text"), [(1.5, b"bb"), (9.0, b"")])
def test_nothing_is_written_where_it_is_clear_that_nothing_is_said(sure: float, text: bytes) -> None:
    logits = tf.one_hot([[3, 3, 3, 3]], 4, sure, 0.0) + 0.1 * tf.one_hot([[1, 3, 1, 3]], 4)
    got = ctc.decode(logits, tf.constant([4]), VOCABULARY, 4, Lexicon(["aa", "bb"], VOCABULARY), 8.0)
    assert got["transcript"].numpy().tolist() == [text]


def test_a_lexicon_that_cannot_be_used_changes_nothing() -> None:
    logits = tf.one_hot([[0, 3, 1]], 4, 5.0, 0.0)
    got = ctc.decode(logits, tf.constant([3]), VOCABULARY, 1, Lexicon(["c"], VOCABULARY), 50.0)
    assert got["transcript"].numpy().tolist() == [b"ab"]

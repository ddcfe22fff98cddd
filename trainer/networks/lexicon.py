"""Writing in known words: the best path through a recogniser's output that spells nothing but words of a lexicon.

The words stand in a prefix tree. Tokens pass through it, one to each state, step by step of the sound (token passing,
Young et al. 1989, over the topology of CTC): a Viterbi search, exact, without a beam, inside the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.features.texts import SPACE

MAX_NODES = 20_000
"""Of the tree: the search's memory is two bytes a node, a step and a sound."""

_ROOT = 0
_STAYS, _FROM_BLANK, _FROM_SYMBOL = 0, 1, 2
_IMPOSSIBLE = -1e9


class Lexicon:
    """A prefix tree of words, its nodes numbered: the root, 0, stands for the space between words.

    Attributes:
      words: those that can be spelt with the vocabulary, as rows of its symbols joined.
      symbols: int32 `[nodes]`, what is written on the way to each node.
      parents: int32 `[nodes]`, of the root itself.
      ends: int32 `[words]`, the node at which each word is complete.
    """

    def __init__(self, words: Sequence[str], vocabulary: Sequence[str]) -> None:
        numbers = {symbol: number for number, symbol in enumerate(vocabulary)}
        nothing = len(vocabulary)  # the blank: without a space in the alphabet only one word can be written
        symbols, parents, places = [numbers.get(SPACE, nothing)], [_ROOT], {}
        ends = {}
        for word in words:
            if not word or any(character not in numbers for character in word):
                continue
            node = _ROOT
            for character in word:
                if (node, character) not in places:
                    places[node, character] = len(symbols)
                    symbols.append(numbers[character])
                    parents.append(node)
                node = places[node, character]
            ends[word] = node
        self.words = tuple(ends)
        self.symbols, self.parents = np.array(symbols, np.int32), np.array(parents, np.int32)
        self.ends = np.array(list(ends.values()), np.int32)
        self._has_space = SPACE in numbers

    @property
    def is_usable(self) -> bool:
        """Whether there are words in it, and few enough to be searched."""
        return bool(self.words) and len(self.symbols) <= MAX_NODES

    @property
    def word_cost(self) -> float:
        """Nats, of each: all are equally probable."""
        return float(np.log(max(len(self.words), 1)))

    def best_path(self, log_probabilities: Any, steps: Any) -> Any:
        """What the most probable path of at least one word spells, each word as probable as any other: int64
        RaggedTensor `[batch, None]` of symbols, of which the first may be spaces. Where the steps are too few for any
        word it means nothing.

        Args:
          log_probabilities: float32 `[batch, steps, n + 1]`, of `n` symbols and the blank.
          steps: int32 `[batch]`, how many of them count.
        """
        scores, pointers = self._passed(log_probabilities, steps)
        return self._traced(scores, pointers, steps)

    def _passed(self, log_probabilities: Any, steps: Any) -> tuple[Any, Any]:
        """Tokens passed through all steps: the score of each state at the end, float32 `[batch, 2, nodes]`, where 0
        is after a blank and 1 after the node's symbol; and where each came from, of all steps: uint8
        `[steps, batch, 2, nodes]`, and for the root int32 `[steps, batch]` the word that was complete, or -1."""
        batch, longest, _ = tf.unstack(tf.shape(log_probabilities))
        nodes = len(self.symbols)
        repeated = tf.constant(self.symbols == self.symbols[self.parents])  # a blank must part two of the same
        at_start = tf.one_hot(tf.zeros([batch], tf.int32), nodes, 0.0, _IMPOSSIBLE)
        start = tf.stack([at_start, tf.fill([batch, nodes], _IMPOSSIBLE)], axis=1)

        def step(place: Any, scores: Any, came: Any, ended: Any) -> tuple[Any, Any, Any, Any]:
            now = log_probabilities[:, place]
            blank, symbol = scores[:, 0], scores[:, 1]
            best = tf.maximum(blank, symbol)
            before = tf.gather(scores, self.parents, axis=2)
            ways = tf.stack([symbol, before[:, 0], tf.where(repeated, _IMPOSSIBLE, before[:, 1])], axis=1)
            way, gained = tf.argmax(ways, axis=1, output_type=tf.int32), tf.reduce_max(ways, axis=1)
            complete = tf.gather(best, self.ends, axis=1)
            word, said = (
                tf.argmax(complete, axis=1, output_type=tf.int32),
                tf.reduce_max(complete, axis=1) - self.word_cost,
            )
            said = said if self._has_space else tf.fill([batch], _IMPOSSIBLE)
            ended_here = tf.where(said > gained[:, _ROOT], word, -1)
            at_root = tf.maximum(said, gained[:, _ROOT])
            gained = tf.concat([at_root[:, tf.newaxis], gained[:, 1:]], axis=1)
            new_symbol = gained + tf.gather(now, self.symbols, axis=1)
            new_blank = best + now[:, -1:]
            way = tf.stack([tf.cast(symbol > blank, tf.int32), way], axis=1)
            within = (place < steps)[:, tf.newaxis, tf.newaxis]
            new = tf.where(within, tf.stack([new_blank, new_symbol], axis=1), scores)
            came = came.write(place, tf.cast(way, tf.uint8))
            return place + 1, new, came, ended.write(place, ended_here)

        came = tf.TensorArray(tf.uint8, longest, element_shape=[None, 2, nodes])
        ended = tf.TensorArray(tf.int32, longest, element_shape=[None])
        _, scores, came, ended = tf.while_loop(
            lambda place, *_: place < longest, step, (0, start, came, ended), parallel_iterations=1
        )
        return scores, (came.stack(), ended.stack())

    def _traced(self, scores: Any, pointers: tuple[Any, Any], steps: Any) -> Any:
        """The symbols on the way to the best last state, which is a complete word's."""
        came, ended = pointers
        longest, batch = tf.shape(came)[0], tf.shape(came)[1]
        complete = tf.constant(self.ends)
        finals = tf.reshape(tf.gather(scores, complete, axis=2), [batch, -1])  # after a blank, then after a symbol
        best = tf.argmax(finals, axis=1, output_type=tf.int32)
        is_symbol, node = best // len(self.ends), tf.gather(complete, best % len(self.ends))

        def step(place: Any, node: Any, is_symbol: Any, written: Any) -> tuple[Any, Any, Any, Any]:
            state = tf.stack([tf.range(batch), is_symbol, node], axis=1)
            way = tf.cast(tf.gather_nd(came[place], state), tf.int32)
            word, within = ended[place], place < steps
            after_word = (node == _ROOT) & (is_symbol == 1) & (word >= 0)
            leaves = (is_symbol == 1) & (after_word | (way != _STAYS)) & within
            written = written.write(place, tf.where(leaves, tf.gather(self.symbols, node), -1))
            previous = tf.where(after_word, tf.gather(complete, tf.maximum(word, 0)), tf.gather(self.parents, node))
            # of a word's two states the better one was taken, as by the blank that might have followed
            of_word = tf.stack([tf.range(batch), tf.zeros_like(node), previous], axis=1)
            better = tf.cast(tf.gather_nd(came[place], of_word), tf.int32)
            was_symbol = tf.where(after_word, better, way - _FROM_BLANK)
            moved = tf.where(leaves, was_symbol, tf.where(is_symbol == 1, 1, way))
            return place - 1, tf.where(leaves, previous, node), tf.where(within, moved, is_symbol), written

        written = tf.TensorArray(tf.int32, longest, element_shape=[None])
        *_, written = tf.while_loop(
            lambda place, *_: place >= 0, step, (longest - 1, node, is_symbol, written), parallel_iterations=1
        )
        symbols = tf.transpose(written.stack())
        return tf.cast(tf.ragged.boolean_mask(symbols, symbols >= 0), tf.int64)

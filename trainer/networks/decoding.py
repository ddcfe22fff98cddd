"""Beam search: the most probable sequences under a model that gives the next token's probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trainer.backend import tf

IMPOSSIBLE = -1e9

Step = Callable[[Any, Any], tuple[Any, Any]]
"""Tokens int64 `[rows]` and the state before them (a nest of tensors `[rows, ...]`) to the next token's log
probabilities float32 `[rows, vocabulary]` and the state behind them."""


def beam_search(
    step: Step, state: Any, start: int, end: int, beam_width: int, max_steps: Any, length_penalty: float = 0.6
) -> tuple[Any, Any]:
    """The best sequences for a batch, searched for side by side in one `tf.while_loop`.

    In each step every hypothesis is continued with all tokens, and the `beam_width` most probable of the results are
    kept. A hypothesis that has reached `end` stays as it is; the search is over when all have, or after `max_steps`.
    Of those left the best is that of the highest log probability over `((5 + length) / 6) ** length_penalty`
    (Wu et al. 2016), which makes up for a long sequence's being the product of more factors; `end` counts.

    Args:
      state: of each example of the batch, before `start`: a nest of tensors `[batch, ...]`.
      max_steps: int32 scalar, tensor or number.

    Returns:
      tokens int64 `[batch, steps]`, the best sequence of each example, without `start` and filled up with `end`, and
      its log probability float32 `[batch]`.
    """
    nest = tf.nest
    batch = tf.shape(nest.flatten(state)[0])[0]
    rows = tf.repeat(tf.range(batch), beam_width)

    def search(i: Any, tokens: Any, scores: Any, state: Any) -> tuple[Any, ...]:
        last = tokens[:, :, i]
        log_probs, state = step(tf.reshape(last, [-1]), state)
        size = tf.shape(log_probs)[-1]
        log_probs = tf.reshape(log_probs, [batch, beam_width, size])
        stay = tf.one_hot(end, size, on_value=0.0, off_value=IMPOSSIBLE)
        log_probs = tf.where(_ended(tokens, i, end)[:, :, None], stay, log_probs)
        scores, best = tf.math.top_k(tf.reshape(scores[:, :, None] + log_probs, [batch, -1]), beam_width)
        parents = best // size
        state = nest.map_structure(lambda x: tf.gather(x, _flat(parents, beam_width)), state)
        chosen = tf.cast(best % size, tf.int64)
        tokens = tf.where(places == i + 1, chosen[:, :, None], tf.gather(tokens, parents, batch_dims=1))
        return i + 1, tokens, scores, state

    def unfinished(i: Any, tokens: Any, scores: Any, state: Any) -> Any:
        return (i < max_steps) & ~tf.reduce_all(_ended(tokens, i, end))

    state = nest.map_structure(lambda x: tf.gather(x, rows), state)
    places = tf.range(max_steps + 1)
    tokens = tf.fill([batch, beam_width, max_steps + 1], tf.constant(end, tf.int64))
    tokens = tf.where(places == 0, tf.constant(start, tf.int64), tokens)
    # All hypotheses of an example are the same at first; only one of them may be continued.
    scores = tf.tile([[0.0] + [IMPOSSIBLE] * (beam_width - 1)], [batch, 1])
    shapes = (
        tf.TensorShape([]),
        tf.TensorShape([None, beam_width, None]),
        tf.TensorShape([None, beam_width]),
        nest.map_structure(lambda x: tf.TensorShape([None, *x.shape[1:]]), state),
    )
    steps, tokens, scores, _ = tf.while_loop(unfinished, search, (0, tokens, scores, state), shape_invariants=shapes)
    tokens = tokens[:, :, 1 : steps + 1]
    length = tf.reduce_sum(tf.cast(tokens != end, tf.float32), -1) + 1
    best = tf.argmax(scores / ((5 + length) / 6) ** length_penalty, -1)
    return tf.gather(tokens, best, batch_dims=1), tf.gather(scores, best, batch_dims=1)


def _ended(tokens: Any, i: Any, end: int) -> Any:
    return (i > 0) & (tokens[:, :, i] == end)


def _flat(parents: Any, beam_width: int) -> Any:
    """Indices of beams within examples, `[batch, beam_width]`, as indices of rows, `[batch * beam_width]`."""
    first = tf.range(tf.shape(parents)[0])[:, None] * beam_width
    return tf.reshape(first + parents, [-1])

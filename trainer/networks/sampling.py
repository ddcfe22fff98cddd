"""Sampling: a sequence drawn token by token from a model that gives the next token's logits.

Temperature divides the logits; top-k keeps the k most probable tokens (Fan et al. 2018), top-p as few of the most
probable ones as together have the probability p (nucleus sampling, Holtzman et al. 2020). Each row has its own, and its
own seed: what it draws follows from these and its state alone, in whatever batch and chunks it is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from trainer.backend import tf

BLOCK = 64
"""Random numbers drawn by one operation."""

HEAD = 256
"""Tokens among which at first is looked for what may be drawn."""

Step = Callable[[Any, Any], tuple[Any, Any]]
"""Tokens int64 `[rows]` and the state before them (a nest of tensors `[rows, ...]`) to the next token's logits float32
`[rows, vocabulary]` and the state behind them."""


class Choice(NamedTuple):
    """How each row draws."""

    temperature: Any
    """float32 `[rows]`; 0 takes the most probable token, of equal ones the first."""
    top_k: Any
    """Whole numbers `[rows]`; 0 keeps all."""
    top_p: Any
    """float32 `[rows]`; 1 keeps all. The most probable token is always kept."""


def uniforms(seeds: Any, first: Any, steps: Any) -> Any:
    """Random numbers in [0, 1), float32 `[rows, steps]`, those of the steps `first`, `first + 1`, ...

    Args:
      seeds: int64 `[rows]`. Equal seeds give equal numbers at equal steps.
      first, steps: scalars, tensors or numbers; `first` is not negative.
    """
    first, steps = tf.cast(first, tf.int64), tf.cast(steps, tf.int64)
    block = first // BLOCK
    blocks = tf.range(block, (first + tf.maximum(steps, 1) - 1) // BLOCK + 1)
    pairs = tf.stack(tf.meshgrid(seeds, blocks, indexing="ij"), -1)
    drawn = tf.map_fn(
        lambda pair: tf.random.stateless_uniform([BLOCK], pair),
        tf.reshape(pairs, [-1, 2]),
        fn_output_signature=tf.TensorSpec([BLOCK], tf.float32),
    )
    drawn = tf.reshape(drawn, [tf.shape(seeds)[0], -1])
    begin = first - block * BLOCK
    return drawn[:, begin : begin + steps]


def draw(logits: Any, uniform: Any, choice: Choice) -> Any:
    """One token of each row, int64 `[rows]`.

    The HEAD most probable tokens of each row are put in order, and all of them only of rows of which more may be drawn.

    Args:
      logits: float32 `[rows, vocabulary]`; -inf where a token may not be drawn, but not all of a row.
      uniform: float32 `[rows]` in [0, 1), one of `uniforms`.
    """
    size = tf.shape(logits)[-1]
    drawn, is_sure = _among_most_probable(tf.minimum(HEAD, size), logits, uniform, choice)
    unsure = tf.where(~is_sure)[:, 0]
    logits, uniform = tf.gather(logits, unsure), tf.gather(uniform, unsure)
    of_all, _ = _among_most_probable(size, logits, uniform, _choice_of(unsure, choice))
    return tf.tensor_scatter_nd_update(drawn, unsure[:, None], of_all)


def _among_most_probable(count: Any, logits: Any, uniform: Any, choice: Choice) -> tuple[Any, Any]:
    """One of the `count` most probable tokens of each row, int64 `[rows]`, and whether it is what would be drawn from
    all, bool `[rows]`."""
    greedy = choice.temperature <= 0
    temperature = tf.where(greedy, 1.0, tf.maximum(choice.temperature, 1e-6))[:, None]
    ordered, tokens = tf.math.top_k(logits, count)
    best, place = ordered[:, :1], tf.range(count)[None]
    total = tf.reduce_sum(tf.exp((logits - best) / temperature), -1, keepdims=True)
    probabilities = tf.exp((ordered - best) / temperature) / total
    size = tf.shape(logits)[-1]
    top_k = tf.cast(choice.top_k, tf.int32)
    top_k = tf.where(greedy, 1, tf.where(top_k <= 0, size, top_k))
    before = tf.cumsum(probabilities, axis=-1, exclusive=True)
    top_p = tf.where(choice.top_p >= 1, 2.0, choice.top_p)  # a sum of probabilities may be above 1
    is_kept = (place < top_k[:, None]) & ((before < top_p[:, None]) | (place == 0))
    probabilities = tf.where(is_kept, probabilities, 0.0)
    reached = tf.cumsum(probabilities, axis=-1)
    passed = reached <= uniform[:, None] * reached[:, -1:]
    last = tf.reduce_sum(tf.cast(probabilities > 0, tf.int32), -1) - 1  # where rounding passes even this one
    chosen = tf.minimum(tf.reduce_sum(tf.cast(passed, tf.int32), -1), last)
    drawn = tf.cast(tf.gather(tokens, chosen, batch_dims=1), tf.int64)
    return drawn, ~is_kept[:, -1] | (count == size)


def _choice_of(rows: Any, choice: Choice) -> Choice:
    return Choice(*(tf.gather(of_each, rows) for of_each in choice))


def generate(step: Step, tokens: Any, state: Any, choice: Choice, uniform: Any) -> tuple[Any, Any]:
    """The continuation of each row, in one `tf.while_loop` whose tokens lie in an array of fixed size.

    Args:
      tokens: int64 `[rows]`, the last of what is continued, which `step` has not been given.
      state: of each row before that token: a nest of tensors `[rows, ...]`.
      uniform: float32 `[rows, steps]`, of `uniforms`: as many tokens are drawn.

    Returns:
      tokens int64 `[rows, steps]`, and the state before the last of them: what goes on from the last token and this
      state draws as one call of more steps would.
    """
    steps = tf.shape(uniform)[1]

    def once(i: Any, tokens: Any, state: Any, drawn: Any) -> tuple[Any, ...]:
        logits, state = step(tokens, state)
        following = draw(logits, uniform[:, i], choice)
        return i + 1, following, state, drawn.write(i, following)

    drawn = tf.TensorArray(tf.int64, steps, element_shape=[None])
    _, _, state, drawn = tf.while_loop(lambda i, *_: i < steps, once, (0, tokens, state, drawn))
    return tf.transpose(drawn.stack()), state


def generate_until(end: int, step: Step, tokens: Any, state: Any, choice: Choice, uniform: Any) -> Any:
    """As `generate`, but a row is over when it has drawn `end`, and costs nothing from then on: `step` is given those
    alone that are not. Of each row `state` says all that `step` goes by.

    Returns:
      tokens int64 `[rows, steps]`, filled up with `end`.
    """
    rows, steps = tf.unstack(tf.shape(uniform))
    nest = tf.nest

    def once(i: Any, row: Any, tokens: Any, state: Any, drawn: Any) -> tuple[Any, ...]:
        logits, state = step(tokens, state)
        following = draw(logits, tf.gather(uniform[:, i], row), _choice_of(row, choice))
        drawn = tf.tensor_scatter_nd_update(drawn, tf.stack([row, tf.fill(tf.shape(row), i)], 1), following)
        left = tf.where(following != end)[:, 0]
        row, following, state = nest.map_structure(lambda x: tf.gather(x, left), (row, following, state))
        return i + 1, row, following, state, drawn

    begun = (tf.range(rows), tokens, state, tf.fill([rows, steps], tf.constant(end, tf.int64)))
    shapes = nest.map_structure(lambda x: tf.TensorShape([None, *x.shape[1:]]), begun)
    # Where the number of rows is known, graphs are optimised as if it stayed the same, whatever the invariants say.
    begun = nest.map_structure(lambda x, shape: tf.raw_ops.PlaceholderWithDefault(input=x, shape=shape), begun, shapes)
    *_, drawn = tf.while_loop(
        lambda i, row, *_: (i < steps) & (tf.size(row) > 0), once, (0, *begun), (tf.TensorShape([]), *shapes)
    )
    return drawn

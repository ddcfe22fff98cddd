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

    Args:
      logits: float32 `[rows, vocabulary]`; -inf where a token may not be drawn, but not all of a row.
      uniform: float32 `[rows]` in [0, 1), one of `uniforms`.
    """
    size = tf.shape(logits)[-1]
    ordered, tokens = tf.math.top_k(logits, size)
    greedy = choice.temperature <= 0
    temperature = tf.where(greedy, 1.0, tf.maximum(choice.temperature, 1e-6))
    probabilities = tf.nn.softmax((ordered - ordered[:, :1]) / temperature[:, None])
    top_k = tf.cast(choice.top_k, tf.int32)
    top_k = tf.where(greedy, 1, tf.where(top_k <= 0, size, top_k))
    before = tf.cumsum(probabilities, axis=-1, exclusive=True)
    top_p = tf.where(choice.top_p >= 1, 2.0, choice.top_p)  # a sum of probabilities may be above 1
    kept = (tf.range(size)[None] < top_k[:, None]) & ((before < top_p[:, None]) | (tf.range(size)[None] == 0))
    probabilities = tf.where(kept, probabilities, 0.0)
    reached = tf.cumsum(probabilities, axis=-1)
    passed = reached <= uniform[:, None] * reached[:, -1:]
    last = tf.reduce_sum(tf.cast(probabilities > 0, tf.int32), -1) - 1  # where rounding passes even this one
    chosen = tf.minimum(tf.reduce_sum(tf.cast(passed, tf.int32), -1), last)
    return tf.cast(tf.gather(tokens, chosen, batch_dims=1), tf.int64)


def generate(
    step: Step, tokens: Any, state: Any, choice: Choice, uniform: Any, end: int | None = None
) -> tuple[Any, Any]:
    """The continuation of each row, in one `tf.while_loop` whose tokens lie in an array of fixed size.

    A row that has drawn `end` goes on with it; the loop is over when all have.

    Args:
      tokens: int64 `[rows]`, the last of what is continued, which `step` has not been given.
      state: of each row before that token: a nest of tensors `[rows, ...]`.
      uniform: float32 `[rows, steps]`, of `uniforms`: as many tokens are drawn at most.

    Returns:
      tokens int64 `[rows, steps]`, filled up with `end`, and the state before the last of them: what goes on from the
      last token and this state draws as one call of more steps would.
    """
    rows, steps = tf.unstack(tf.shape(uniform))
    fill = tf.zeros([rows], tf.int64) if end is None else tf.fill([rows], tf.constant(end, tf.int64))
    drawn = tf.TensorArray(tf.int64, steps, element_shape=[None])

    def unfinished(i: Any, tokens: Any, state: Any, drawn: Any) -> Any:
        return i < steps if end is None else (i < steps) & ~tf.reduce_all((i > 0) & (tokens == end))

    def once(i: Any, tokens: Any, state: Any, drawn: Any) -> tuple[Any, ...]:
        logits, state = step(tokens, state)
        following = draw(logits, uniform[:, i], choice)
        if end is not None:
            following = tf.where((i > 0) & (tokens == end), fill, following)
        return i + 1, following, state, drawn.write(i, following)

    def fill_up(i: Any, drawn: Any) -> tuple[Any, Any]:
        return i + 1, drawn.write(i, fill)

    reached, _, state, drawn = tf.while_loop(unfinished, once, (0, tokens, state, drawn))
    _, drawn = tf.while_loop(lambda i, _: i < steps, fill_up, (reached, drawn))
    return tf.transpose(drawn.stack()), state

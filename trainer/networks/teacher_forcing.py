"""Models that write a text token by token: how they are trained, and how the best text is searched for.

Imports TensorFlow; import it where it is used.
"""

from __future__ import annotations

from typing import Any, ClassVar

from trainer.backend import tf
from trainer.features.texts import END, PAD, START
from trainer.networks import decoding, sampling


class TeacherForced(tf.keras.Model):
    """Trained on the logits of each token of a target by the true ones before it (Williams & Zipser 1989).

    A subclass has

    - `call(features, training)`: the logits `[batch, steps, tokens]` of the tokens after each of `features["given"]`,
      int64 `[batch, steps]` with START first;
    - `encode(...)`: what of its features it decodes by, name -> tensor `[batch, ...]`;
    - `decode(tokens, encoded)`, which reads further tokens, int64 `[batch, steps]`, and returns the logits of the token
      after each, and `encoded` brought forward;
    - where it does not learn by cross-entropy alone, `costs`.

    Targets are int64 `[batch, tokens]`, padded with PAD, without START and END.
    """

    TARGET: ClassVar[str]
    """Name of the target."""
    STATE: tuple[str, ...]
    """What `decode` changes of what it is given; all else stays as `encode` made it."""

    def __init__(self, label_smoothing: float) -> None:
        """
        Args:
          label_smoothing: share of the probability that training spreads evenly (Szegedy et al. 2016).
        """
        super().__init__()
        self._label_smoothing = label_smoothing
        self._mean_loss = tf.keras.metrics.Mean(name="loss")
        self._mean_accuracy = tf.keras.metrics.Mean(name="token_accuracy")

    def search(
        self, encoded: dict[str, Any], beam_width: int, max_steps: Any, length_penalty: float
    ) -> tuple[Any, Any]:
        """The best target of each example by beam search, as `decoding.beam_search` returns it.

        Args:
          encoded: what `decode` takes at first, tensors `[batch, ...]`.
        """
        state = {name: encoded[name] for name in self.STATE}
        beams = {name: tf.repeat(value, beam_width, 0) for name, value in encoded.items() if name not in state}

        def step(tokens: Any, state: Any) -> tuple[Any, Any]:
            logits, after = self._continued(tokens, beams, state)
            return tf.nn.log_softmax(logits), after

        return decoding.beam_search(step, state, START, END, beam_width, max_steps, length_penalty)

    def sample(self, encoded: dict[str, Any], choice: sampling.Choice, uniform: Any) -> Any:
        """A target of each example, drawn token by token as `sampling.generate_until` does: int64 `[batch, tokens]`,
        filled up with END."""
        start = tf.fill([tf.shape(uniform)[0]], tf.constant(START, tf.int64))

        def step(tokens: Any, state: Any) -> tuple[Any, Any]:
            return self._continued(tokens, {}, state)

        return sampling.generate_until(END, step, start, encoded, choice, uniform)

    def _continued(self, tokens: Any, fixed: dict[str, Any], state: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The logits `[rows, tokens]` of what follows one more token, `[rows]`, and the state behind it."""
        logits, after = self.decode(tokens[:, None], fixed | state)
        return logits[:, 0], {name: after[name] for name in state}

    def answers(self, features: Any, targets: Any) -> Any:
        """Logits of each token of the target by those before it: what training health looks at."""
        return self({**features, "given": given_and_wanted(targets[self.TARGET])[0]})

    def costs(self, features: Any, wanted: Any, training: bool) -> tuple[Any, Any, Any]:
        """Of each token of `wanted`, which stand behind `features["given"]`, what is to be lowered, and what is told as
        the loss, both float32 `[batch, steps]`, and the logits by which it was guessed."""
        logits = self(features, training=training)
        sure = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)
        if not training:
            return sure, sure, logits
        even = tf.reduce_logsumexp(logits, -1) - tf.reduce_mean(logits, -1)
        smooth = (1 - self._label_smoothing) * sure + self._label_smoothing * even
        return smooth, smooth, logits

    def train_step(self, data: Any) -> dict[str, Any]:
        with tf.GradientTape() as tape:
            loss, losses, hits, tokens = self._judge(data, training=True)
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self._log(losses, hits, tokens)

    def test_step(self, data: Any) -> dict[str, Any]:
        _, losses, hits, tokens = self._judge(data, training=False)
        return self._log(losses, hits, tokens)

    @property
    def metrics(self) -> list[Any]:
        return [self._mean_loss, self._mean_accuracy]

    def _judge(self, data: Any, training: bool) -> tuple[Any, Any, Any, Any]:
        """The loss to lower; for this replica's batch the sums of losses and of right guesses, and the tokens."""
        features, target = data[0], data[1][self.TARGET]
        given, wanted = given_and_wanted(target)
        lowered, told, logits = self.costs({**features, "given": given}, wanted, training)
        present = tf.cast(wanted != PAD, tf.float32)
        hits = tf.reduce_sum(tf.cast(tf.argmax(logits, -1) == wanted, tf.float32) * present)
        losses, tokens = tf.reduce_sum(told * present), tf.reduce_sum(present)
        # Gradients are summed over replicas, whose batches differ in tokens.
        total = tf.distribute.get_replica_context().all_reduce("sum", tokens)
        return tf.reduce_sum(lowered * present) / total, losses, hits, tokens

    def _log(self, losses: Any, hits: Any, tokens: Any) -> dict[str, Any]:
        self._mean_loss.update_state(losses / tokens, tokens)
        self._mean_accuracy.update_state(hits / tokens, tokens)
        return {metric.name: metric.result() for metric in self.metrics}


def given_and_wanted(target: Any) -> tuple[Any, Any]:
    """What the decoder reads in training, START, then the true tokens, and what is to follow each of these, END last:
    int64 `[batch, tokens + 1]` each, padded with PAD."""
    given = tf.pad(target, [[0, 0], [1, 0]], constant_values=START)
    length = tf.reduce_sum(tf.cast(target != PAD, tf.int64), 1)
    wanted = tf.pad(target, [[0, 0], [0, 1]]) + END * tf.one_hot(length, tf.shape(given)[1], dtype=tf.int64)
    return given, wanted

"""A smoothed n-gram model as weights of a network, inside the graph. Imports TensorFlow; import it where it is used."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.backend import tf
from trainer.references.kneser_ney import KneserNey

FIRST_GATE = 2.0
"""Logit of the n-gram's share at first: 0.88, since the network knows nothing yet."""

PAD = 0
"""Stands before the first number of a sequence, in the windows that are counted, too."""

_TINY = 1e-30


class NGrams(tf.keras.layers.Layer):
    """The probabilities of a `KneserNey` model, in weights that are not trained: some 12 bytes for each n-gram."""

    def __init__(self, model: KneserNey) -> None:
        super().__init__(trainable=False)
        self._size = model.size

        def weight(name: str, values: Any, dtype: Any) -> Any:
            initial = tf.constant_initializer(np.asarray(values, dtype.as_numpy_dtype))
            return self.add_weight(name, [len(values)], dtype, initial, trainable=False)

        self._tables = [
            {
                "histories": weight(f"histories_{n}", table.histories, tf.int64),
                "keys": weight(f"keys_{n}", table.keys, tf.int64),
                "counts": weight(f"counts_{n}", table.counts, tf.float32),
                "totals": weight(f"totals_{n}", table.totals, tf.float32),
                "left": weight(f"left_{n}", table.left, tf.float32),
                "discounts": weight(f"discounts_{n}", table.discounts, tf.float32),
            }
            for n, table in enumerate(model.tables)
        ]

    @property
    def order(self) -> int:
        return len(self._tables)

    def probabilities(self, windows: Any, leave_one_out: bool = False) -> Any:
        """float32 `[n]` of the last number of each window, int64 `[n, order]`, by those before it.

        With `leave_one_out`, for windows of the train text, as if each had not been counted: what was seen once only is
        new then, also to the shorter order.
        """
        places = self._places(windows)
        counts = [tf.where(at >= 0, tf.gather(t["counts"], tf.maximum(at, 0)), 0.0) for t, (_, at) in places]
        left_out = [tf.zeros_like(counts[-1])] * len(counts)
        if leave_one_out:
            left_out[-1] = tf.minimum(counts[-1], 1.0)
            for length in reversed(range(len(counts) - 1)):
                gone = tf.cast(counts[length + 1] <= 1.0, tf.float32)
                left_out[length] = tf.minimum(counts[length], left_out[length + 1] * gone)
        found = tf.fill(tf.shape(counts[0]), 1.0 / self._size)
        for (table, (history, _)), count, out in zip(places, counts, left_out, strict=True):
            known = tf.maximum(history, 0)
            before, after = _discount(table, count), _discount(table, count - out)
            left = tf.gather(table["left"], known) - before + after
            total = tf.gather(table["totals"], known) - out
            mixed = tf.math.divide_no_nan(count - out - after + left * found, total)
            found = tf.where((history >= 0) & (total > 0), mixed, found)
        return found

    def _places(self, windows: Any) -> list[Any]:
        """Of each order its table, and where the history and the n-gram of each window stand in it."""
        history, found = tf.zeros_like(windows[:, -1]), []
        for length, table in enumerate(self._tables):
            if length:
                history = _find(table["histories"], history * self._size + windows[:, -1 - length])
            found.append((table, (history, _find(table["keys"], history * self._size + windows[:, -1]))))
        return found

    def following(self, before: Any) -> Any:
        """float32 `[batch, size]`: the probability of each number behind some, int64 `[batch, order - 1]`."""
        history = tf.zeros([1], tf.int64)  # the empty one, which all share
        found = tf.fill([1, self._size], 1.0 / self._size)
        for length, table in enumerate(self._tables):
            if length:
                history = _find(table["histories"], history * self._size + before[:, -length])
            known = tf.maximum(history, 0)
            keys = tf.convert_to_tensor(table["keys"])
            begins, ends = (tf.searchsorted(keys, at * self._size, out_type=tf.int64) for at in (known, known + 1))
            seen = tf.ragged.range(begins, tf.where(history >= 0, ends, begins))
            rows, numbers = seen.value_rowids(), tf.gather(keys, seen.flat_values) % self._size
            counts = tf.gather(table["counts"], seen.flat_values)
            kept = tf.scatter_nd(
                tf.stack([rows, numbers], 1),
                counts - _discount(table, counts),
                [tf.size(history, tf.int64), tf.constant(self._size, tf.int64)],
            )
            left, total = (tf.gather(table[name], known)[:, None] for name in ("left", "totals"))
            found = tf.where((history >= 0)[:, None], (kept + left * found) / total, found)
        return found


class NGramMixture(tf.keras.layers.Layer):
    """A network's probabilities of what follows, mixed with those of a smoothed n-gram of the same train text (as with
    Mikolov et al. 2010): what that has seen it knows at once, what goes further back only the network does.

    A gate, which reads what the network's output layer does, says for each number how much either counts (a mixture of
    experts, Jacobs et al. 1991). In training the n-gram answers as if the number asked for had not been counted, so
    that the gate trusts it as much as on new texts.
    """

    def __init__(self, ngrams: KneserNey, units: int) -> None:
        """
        Args:
          ngrams: counted with PAD before the first number of each sequence.
          units: of what the gate reads.
        """
        super().__init__()
        self.ngrams = NGrams(ngrams)
        self.gate = tf.keras.layers.Dense(1, bias_initializer=tf.constant_initializer(FIRST_GATE), dtype="float32")
        self.gate.build((None, None, units))
        self.built = True

    def nothing_before(self, batch: Any) -> Any:
        """What `following` takes before the first of so many sequences, without that: int64 `[batch, order - 2]`."""
        return tf.fill([batch, self.ngrams.order - 2], tf.constant(PAD, tf.int64))

    def costs(self, numbers: Any, alone: Any, read: Any, leave_one_out: bool) -> Any:
        """What each number but the first costs, in nats: float32 `[batch, steps - 1]`.

        Args:
          numbers: int64 `[batch, steps]`.
          alone: what each but the first costs by the network.
          read: what the output layer read for it, `[batch, steps - 1, units]`.
          leave_one_out: for sequences of the train text.
        """
        order = self.ngrams.order
        before = self.nothing_before(tf.shape(numbers)[0])
        windows = tf.signal.frame(tf.concat([before, numbers], 1), order, 1)
        counted = self.ngrams.probabilities(tf.reshape(windows, [-1, order]), leave_one_out)
        counted = tf.reshape(counted, tf.shape(alone))
        return -tf.math.log(_mix(tf.exp(-alone), counted, tf.sigmoid(self.gate(read))[..., 0]) + _TINY)

    def following(self, own: Any, before: Any, read: Any) -> Any:
        """The mixed probabilities float32 `[batch, size]` of what follows some numbers, int64 `[batch, order - 1]`.

        Args:
          own: those of the network.
          read: what its output layer read, `[batch, units]`.
        """
        return _mix(own, self.ngrams.following(before), tf.sigmoid(self.gate(read)))


def _mix(own: Any, counted: Any, share: Any) -> Any:
    return (1 - share) * own + share * counted


def _find(ordered: Any, wanted: Any) -> Any:
    """The place of each wanted key, -1 where it is not there."""
    ordered = tf.convert_to_tensor(ordered)
    place = tf.minimum(tf.searchsorted(ordered, wanted, out_type=tf.int64), tf.shape(ordered, tf.int64)[0] - 1)
    return tf.where(tf.gather(ordered, place) == wanted, place, tf.constant(-1, tf.int64))


def _discount(table: Any, counts: Any) -> Any:
    return tf.gather(table["discounts"], tf.cast(tf.minimum(counts, 3.0), tf.int32))

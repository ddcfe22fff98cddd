"""Loss and decoding of CTC by hand, and a network that is blind to padding and learns."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.backend import tf
from trainer.networks import ctc

VOCABULARY = ["a", "b", "▁"]


def logits(*steps: tuple[float, ...]) -> tf.Tensor:
    """One example of a step's probabilities of a, b, space and blank each."""
    return tf.math.log(tf.constant([steps], tf.float32) + 1e-9)


def test_loss_sums_over_all_alignments() -> None:
    # "a" in two steps: a a, a blank, blank a
    steps = logits((0.5, 0.2, 0.1, 0.2), (0.3, 0.1, 0.2, 0.4))
    expected = -np.log(0.5 * 0.3 + 0.5 * 0.4 + 0.2 * 0.3)
    assert ctc.loss(tf.constant([[0, -1]], tf.int64), steps, tf.constant([2])).numpy() == pytest.approx([expected])


def test_what_cannot_be_said_in_so_few_steps_costs_nothing() -> None:
    steps = tf.zeros([3, 4, 4])
    # two of the same need a blank between
    symbols = tf.constant([[0, 0, 0], [0, 1, 0], [-1, -1, -1]], tf.int64)
    losses = ctc.loss(symbols, steps, tf.constant([4, 4, 4])).numpy()
    assert losses[0] == 0
    assert losses[1] > 0
    assert losses[2] == pytest.approx(4 * np.log(4))  # nothing is said: blanks


def test_best_path_and_beam_search_differ_where_a_text_has_many_paths() -> None:
    # the best path is blank blank, 0.36; "a" is 0.4 * 0.4 + 2 * 0.4 * 0.6 = 0.64
    steps = logits((0.4, 0.0, 0.0, 0.6), (0.4, 0.0, 0.0, 0.6))
    greedy, beam = (ctc.decode(steps, tf.constant([2]), VOCABULARY, width) for width in (1, 4))
    assert greedy["transcript"].numpy().tolist() == [b""]
    assert greedy["confidence"].numpy() == pytest.approx([0.36], abs=1e-4)
    assert beam["transcript"].numpy().tolist() == [b"a"]
    assert beam["confidence"].numpy() == pytest.approx([0.64], abs=1e-4)


@pytest.mark.parametrize("beam_width", [1, 3])
def test_transcripts_of_a_batch_end_where_each_sound_ends(beam_width: int) -> None:
    path = [2, 0, 3, 0, 2, 1, 2]  # space a blank a space b space
    one = tf.one_hot([path, path], 4, 12.0, 0.0)
    got = ctc.decode(one, tf.constant([7, 2]), VOCABULARY, beam_width)
    assert [text.decode() for text in got["transcript"].numpy()] == ["aa b", "a"]


def test_transcripts_that_do_not_fit_are_counted_and_are_no_success() -> None:
    model = network()
    model.compile("sgd")
    sounds = tf.cast(np.random.default_rng(0).integers(0, 255, (4, 8, 12, 1)), tf.uint8)
    features = {"log_mel": sounds, "frames": tf.fill([4], tf.constant(8, tf.int64))}  # 4 steps
    short, long = [0, 1, -1, -1, -1], [0, 1, 0, 1, 0]
    texts = tf.constant([short, short, long, long], tf.int64)
    alone = model.evaluate({n: v[:2] for n, v in features.items()}, {"text": texts[:2]}, verbose=0, return_dict=True)
    mixed = model.evaluate(features, {"text": texts}, verbose=0, return_dict=True)
    assert mixed["too_long"] == 0.5
    assert mixed["loss"] > 1 and alone["loss"] > 1
    assert model.complaint(features, {"text": texts}) == ("", "")
    finding, advice = model.complaint(features, {"text": tf.constant([long] * 4, tf.int64)})
    assert finding.startswith("can learn nothing: each of 4 held-out transcripts has more characters")
    assert "transcript" in advice


def network(**changes: int) -> ctc.Crnn:
    sizes = {"symbols": 3, "filters": 4, "units": 16, "layers": 1, "global_batch_size": 4}
    model = ctc.Crnn(**(sizes | changes), dropout=0.0)
    model({"log_mel": tf.zeros([1, 8, 12, 1], tf.uint8), "frames": tf.ones([1], tf.int64)})
    return model


def test_padding_and_company_change_nothing() -> None:
    tf.keras.utils.set_random_seed(0)
    model = network(layers=2)
    sound = tf.cast(tf.random.stateless_uniform([1, 21, 12, 1], [0, 1], 0, 256, tf.int32), tf.uint8)
    other = tf.cast(tf.random.stateless_uniform([1, 60, 12, 1], [0, 2], 0, 256, tf.int32), tf.uint8)
    alone = model({"log_mel": sound, "frames": tf.constant([21], tf.int64)})
    padded = tf.concat([sound, tf.zeros([1, 39, 12, 1], tf.uint8)], axis=1)
    beside = model({"log_mel": tf.concat([padded, other], 0), "frames": tf.constant([21, 60], tf.int64)})
    assert alone["steps"].numpy().tolist() == [11]
    assert beside["steps"].numpy().tolist() == [11, 30]
    assert beside["logits"][0, :11].numpy() == pytest.approx(alone["logits"][0].numpy(), abs=1e-5)


def test_it_learns_which_sound_is_which_letter() -> None:
    tf.keras.utils.set_random_seed(0)
    model = network()
    model.compile(optimizer=tf.keras.optimizers.Adam(1e-2))
    rng = np.random.default_rng(0)
    said = rng.integers(0, 2, (16, 3))
    sounds = np.full((16, 30, 12, 1), 128, np.uint8)
    for row, symbols in zip(sounds, said, strict=True):
        for place, symbol in enumerate(symbols):
            row[10 * place + 2 : 10 * place + 7, 6 * symbol : 6 * symbol + 6] = 220
    x = {"log_mel": sounds, "frames": np.full(16, 30)}
    history = model.fit(x, {"text": said}, batch_size=4, epochs=30, verbose=0).history["loss"]
    assert history[-1] < 0.5 < history[0]
    outputs = model.predict(x, verbose=0)
    got = ctc.decode(outputs["logits"], outputs["steps"], VOCABULARY, beam_width=4)
    expected = ["".join(VOCABULARY[s] for s in row) for row in said]
    assert [text.decode() for text in got["transcript"].numpy()] == expected

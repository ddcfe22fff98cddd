"""Characters of any script as numbers and back."""

from __future__ import annotations

from trainer.backend import tf
from trainer.features import characters

SAID = ["naïve café", "שלום עולם", "日本語の文", "👩‍🚀 ok\n", "कि e\u0301"]
POINTS = sorted({ord(c) for text in SAID for c in text}, key=lambda point: hash(point) % 97)


def test_texts_come_back_as_they_were_whatever_the_script() -> None:
    numbers = characters.index_texts(tf.constant(SAID), POINTS).numpy()
    lengths = [len(text) for text in SAID]
    for row, text in zip(numbers, SAID, strict=True):
        assert (row[: len(row) - len(text)] == characters.PAD).all()
        assert (row[len(row) - len(text) :] >= characters.NUM_SPECIAL).all()
    left = [
        row[len(row) - n :].tolist() + [characters.PAD] * (len(row) - n)
        for row, n in zip(numbers, lengths, strict=True)
    ]
    joined = characters.join_characters(tf.constant(left), POINTS, lengths)
    assert [text.decode() for text in joined.numpy()] == SAID


def test_a_character_that_is_not_known_is_told_and_an_empty_text_has_none() -> None:
    numbers = characters.index_texts(tf.constant(["naz", ""]), sorted(map(ord, "an"))).numpy()
    assert numbers[0].tolist() == [3, 2, characters.UNKNOWN]
    assert numbers[1].tolist() == [characters.PAD] * 3
    assert characters.index_texts(tf.constant([""]), [97]).shape == (1, 0)

"""A tune as a picture."""

from __future__ import annotations

import numpy as np

from trainer.preview.piano_roll import MARGIN, NOTE_HEIGHT, WIDTH, piano_roll, seconds_of

INK = (31, 90, 150)


def inked(picture: np.ndarray) -> np.ndarray:
    return (picture == INK).all(axis=-1)


def test_time_goes_to_the_right_and_pitch_upwards() -> None:
    notes = np.array([[60, 0.0, 1.0], [64, 1.0, 1.0]])
    picture = piano_roll(notes)
    assert picture.shape == ((64 - 60 + 1 + 2 * MARGIN) * NOTE_HEIGHT, WIDTH, 3) and seconds_of(notes) == 2
    (low_rows, low_columns), (high_rows, high_columns) = (
        np.nonzero(inked(picture[:, half])) for half in (slice(0, WIDTH // 2), slice(WIDTH // 2, None))
    )
    assert low_rows.min() > high_rows.max()
    assert low_columns.max() >= WIDTH // 2 - 3 and high_columns.min() <= 1


def test_a_note_of_no_length_is_seen_and_no_notes_are_an_empty_picture() -> None:
    assert inked(piano_roll(np.array([[60, 0.5, 0.0]]))).any()
    empty = np.zeros((0, 3))
    assert not inked(piano_roll(empty)).any() and seconds_of(empty) == 1

"""A tune as a picture: time from left to right, pitch from bottom to top."""

from __future__ import annotations

from typing import Any

import numpy as np

WIDTH, NOTE_HEIGHT = 720, 6
MARGIN = 2
"""Semitones above and below."""
_NOTE, _LINE, _PAPER = (31, 90, 150), (228, 228, 228), (255, 255, 255)
_BLACK_KEYS = (1, 3, 6, 8, 10)


def seconds_of(notes: np.ndarray[Any, Any]) -> float:
    """How long the picture of these notes is."""
    return max(1.0, float((notes[:, 1] + notes[:, 2]).max())) if len(notes) else 1.0


def piano_roll(notes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """uint8 `[height, width, 3]`; black keys have grey rows.

    Args:
      notes: float `[n, 3]`: pitch as MIDI has it, beginning and length in seconds.
    """
    low, high = (60, 72) if len(notes) == 0 else (int(notes[:, 0].min()), int(notes[:, 0].max()))
    low, high = low - MARGIN, high + MARGIN
    seconds = seconds_of(notes)
    pixels = np.empty(((high - low + 1) * NOTE_HEIGHT, WIDTH, 3), np.uint8)
    for pitch in range(low, high + 1):
        top = (high - pitch) * NOTE_HEIGHT
        pixels[top : top + NOTE_HEIGHT] = _LINE if pitch % 12 in _BLACK_KEYS else _PAPER
    for pitch, begin, lasting in notes:
        top = (high - int(pitch)) * NOTE_HEIGHT
        left, right = (int(WIDTH * time / seconds) for time in (begin, begin + lasting))
        pixels[top : top + NOTE_HEIGHT - 1, left : max(left + 1, right - 1)] = _NOTE
    return pixels

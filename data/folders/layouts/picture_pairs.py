"""Pictures in one folder, and in another how each should have been."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from data.columns import Column, Derived
from data.folders.layouts.base import required
from data.folders.layouts.two_folders import TwoFolders


class PicturePairs(TwoFolders):
    """`input/` and `target/`, for tasks that make their inputs of the targets where a folder holds the targets only."""

    known: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = (
        ("input", "inputs", "low", "noisy", "degraded"),
        ("target", "targets", "high", "clean", "gt", "groundtruth"),
    )
    nouns: ClassVar[tuple[str, str]] = ("picture", "target")

    @classmethod
    def columns_of(cls, columns: Mapping[str, Column]) -> tuple[str, str] | None:
        made = [name for name, column in columns.items() if isinstance(column, Derived) and column.pairs]
        targets = [column.of for column in columns.values() if isinstance(column, Derived) and column.pairs]
        if len(made) == 1 and columns[targets[0]].is_picture and required(columns) <= {targets[0]}:
            return made[0], targets[0]
        return None

    @classmethod
    def example_tree(cls, columns: Mapping[str, Column]) -> str:
        if not cls.columns_of(columns):
            return ""
        return (
            "  train/input/1.jpg\n"
            "  train/target/1.jpg   of equal size: as it should have been\n"
            "  eval/                the same"
        )

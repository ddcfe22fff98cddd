"""Faces drawn in colour, unsplit, some people with two pictures; and signatures, split, strangers in `eval/` alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.foreign_sets import _people as people


def drawn_faces(folder: Path, count: int = 80) -> None:
    """Unsplit, a folder a person."""
    made = people.faces(count, 10, np.random.default_rng(13))
    few = {name: those[:2] if place % 10 == 9 else those for place, (name, those) in enumerate(made.items())}
    people.into_people_folders(folder, few)


def signatures(folder: Path, count: int = 60) -> None:
    """`train/` and `eval/`: of every sixth person there is nothing to train on."""
    made = people.signatures(count, 12, np.random.default_rng(14))
    strangers = set(list(made)[::6])
    train = {name: those[:9] for name, those in made.items() if name not in strangers}
    held_out = {name: those if name in strangers else those[9:] for name, those in made.items()}
    people.into_people_folders(folder / "train", train)
    people.into_people_folders(folder / "eval", held_out)


SETS = {"drawn_faces": drawn_faces, "signatures": signatures}

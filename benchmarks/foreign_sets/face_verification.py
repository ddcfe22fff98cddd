"""Faces drawn in colour, a folder a person, some of whom have one picture; and signatures, paired by `pairs.txt`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.foreign_sets import _people as people


def drawn_faces(folder: Path, count: int = 80) -> None:
    """Unsplit; of every tenth person one picture only."""
    made = people.faces(count, 8, np.random.default_rng(11))
    people.into_people_folders(
        folder, {n: those[:1] if i % 10 == 9 else those for i, (n, those) in enumerate(made.items())}
    )


def signatures(folder: Path, count: int = 60) -> None:
    """`train/` and `eval/`, each of other people, as Labelled Faces in the Wild lays out its pictures and pairs."""
    rng = np.random.default_rng(12)
    made = people.signatures(count, 10, rng)
    in_eval = set(list(made)[::5])
    for split, there in (("train", made.keys() - in_eval), ("eval", in_eval)):
        mine = {name: those for name, those in made.items() if name in there}
        people.into_people_folders(folder / split, mine)
        lines = [line for _ in range(25) for line in _pairs(list(mine), rng)]
        (folder / split / "pairs.txt").write_text(f"{len(lines)}\n" + "\n".join(lines) + "\n", encoding="utf-8")


def _pairs(names: list[str], rng: np.random.Generator) -> list[str]:
    """Two of each person, and each beside another."""
    lines = []
    for place, name in enumerate(names):
        first, second, third = (int(n) for n in rng.permutation(10)[:3] + 1)
        other = names[(place + int(rng.integers(1, len(names)))) % len(names)]
        lines += [f"{name}\t{first}\t{second}", f"{name}\t{third}\t{other}\t{int(rng.integers(1, 11))}"]
    return lines


SETS = {"drawn_faces": drawn_faces, "signatures": signatures}

"""Tables of ratings by latent factors: names and a scale of 1 to 10; and numbers, few items, a scale of 0 to 100."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

FACTORS = 4


def names(folder: Path) -> None:
    _write(folder, 400, 300, 30, (1.0, 10.0), "reader-{}", "ISBN {}", np.random.default_rng(7))


def numbers(folder: Path) -> None:
    _write(folder, 800, 80, 15, (0.0, 100.0), "{}", "{}", np.random.default_rng(8))


def _write(
    folder: Path,
    users: int,
    items: int,
    rated: int,
    scale: tuple[float, float],
    user_name: str,
    item_name: str,
    rng: np.random.Generator,
) -> None:
    """One table. Who likes an item takes it up sooner and rates it higher; the last fifth in time is evaluated."""
    of_users, of_items = rng.normal(size=(users, FACTORS)), rng.normal(size=(items, FACTORS))
    liking = of_users @ of_items.T / FACTORS**0.5
    wish = 1.5 * liking + rng.gumbel(size=liking.shape) - np.log1p(np.arange(items))[None] * 0.5
    low, high = scale
    rows = []
    for user in range(users):
        for item in np.argsort(-wish[user])[:rated]:
            share = 1 / (1 + np.exp(-liking[user, item] - rng.normal(0, 0.3)))
            rating = round(low + (high - low) * float(share), 1)
            when = int(1_700_000_000 + rng.integers(0, 10_000_000))
            rows.append((user_name.format(user), item_name.format(item), rating, when))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "ratings.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("user", "item", "rating", "timestamp"))
        writer.writerows(rows)


SETS = {"names": names, "numbers": numbers}

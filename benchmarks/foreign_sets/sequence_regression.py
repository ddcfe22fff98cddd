"""Series in time: weeks with trend and season; months of three shops of very different size, beside their prices."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np


def weeks(folder: Path) -> None:
    """As carbon dioxide over Hawaii: 2,284 weeks that rise ever faster, around which a year swings."""
    rng = np.random.default_rng(11)
    week = np.arange(2284)
    level = 315 + 0.024 * week + 3e-6 * week**2 + 3 * np.sin(2 * np.pi * week / 52.18)
    measured = level + rng.normal(0, 0.35, len(week))
    days = (date(1958, 3, 29) + timedelta(weeks=int(number)) for number in week)
    _write(
        folder,
        ("day", "co2"),
        ((day.strftime("%Y%m%d"), f"{value:.2f}") for day, value in zip(days, measured, strict=True)),
    )


def months(folder: Path) -> None:
    """Sales of three shops of very different size in 300 months, and a price that moves them."""
    rng = np.random.default_rng(12)
    month = np.arange(300)
    rows = []
    for shop, size in (("North", 100.0), ("South", 3000.0), ("East", 20.0)):
        price = 10 + np.cumsum(rng.normal(0, 0.1, len(month)))
        season = 1 + 0.2 * np.sin(2 * np.pi * month / 12)
        value = size * (1 + 0.004 * month) * season * np.exp(-0.05 * (price - 10) + rng.normal(0, 0.05, len(month)))
        rows += [
            (shop, f"{1990 + m // 12}-{m % 12 + 1:02}", f"{v:.1f}", f"{p:.2f}")
            for m, v, p in zip(month, value, price, strict=True)
        ]
    _write(folder, ("shop", "month", "value", "price"), rows)


def _write(folder: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "series.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)


SETS = {"months": months, "weeks": weeks}

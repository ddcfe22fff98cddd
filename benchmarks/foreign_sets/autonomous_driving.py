"""A perspective road drawn by a few lines, as Udacity's simulator records its drives; CarRacing in other colours and at
another size, without a lidar.

None is like the default set in look, size or senses, and the first has neither lidar nor path.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from data.sets import driving

WIDTH, HEIGHT, HORIZON = 320, 160, 62
FOCAL = 190.0
"""Pixels."""
CAMERA_HEIGHT = 1.4
ASIDE = {"center": 0.0, "left": -0.9, "right": 0.9}
"""Metres of each camera from the middle of the car."""
LANE = 3.6
"""Half the road's width, metres."""
RATE = 10.0
SPEED = 13.0
ROWS = 600
GRAINS = 8
"""Pictures of a camera's noise, of which each picture has one."""
PREFIX = "C:\\Users\\driver\\Desktop\\track 1\\IMG\\"
FULL_TURN = 0.06
"""Curvature, 1 / metres, of a steering of 1."""

Array = Any


def drawn_road(folder: Path) -> None:
    """Unsplit: `driving_log.csv` without a header, three cameras, paths of a Windows machine. A driver follows a
    winding road in changing light, is often a little beside the middle and steers back."""
    rng = np.random.default_rng(31)
    grain = rng.normal(0, 7, (GRAINS, HEIGHT, WIDTH, 3)).astype(np.float32)
    (folder / "IMG").mkdir()
    lines = []
    aside, turned, curvature, wanted, push = 0.0, 0.0, 0.0, 0.0, 0.0
    for number in range(ROWS):
        if number % 25 == 0:
            wanted = rng.uniform(-0.028, 0.028)
        curvature += 0.12 * (wanted - curvature)
        push = 0.9 * push + rng.normal(0, 0.06)
        steering = float(np.clip((curvature - 0.05 * aside - 0.45 * turned) / FULL_TURN, -1, 1))
        pictures = []
        for view, from_middle in ASIDE.items():
            name = f"{view}_2026_03_01_12_{number // 600:02}_{number // 10 % 60:02}_{100 * (number % 10):03}.jpg"
            seen = _road(aside + from_middle, turned, curvature, number) + grain[rng.integers(GRAINS)]
            Image.fromarray(seen.clip(0, 255).astype(np.uint8)).save(folder / "IMG" / name, quality=88)
            pictures.append(PREFIX + name)
        throttle = round(float(np.clip(0.9 - 12 * abs(curvature), 0, 1)), 3)
        lines.append(f"{', '.join(pictures)}, {steering:.5f}, {throttle}, 0, {SPEED * 2.24 + rng.normal(0, 0.5):.3f}")
        moved = SPEED / RATE
        turned += moved * (FULL_TURN * steering - curvature) + 0.02 * push
        aside += moved * math.sin(turned) + 0.1 * push
    (folder / "driving_log.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _road(aside: float, turned: float, curvature: float, number: int) -> Array:
    """float32 `[HEIGHT, WIDTH, 3]`: what a camera sees that is `aside` metres to the right of the middle of the road,
    turned by `turned` radians to the right, where the road bends to the right with `curvature`."""
    ahead = CAMERA_HEIGHT * FOCAL / np.arange(1, HEIGHT - HORIZON, dtype=np.float32)[:, None]
    across = (np.arange(WIDTH, dtype=np.float32) - WIDTH / 2) * ahead / FOCAL
    middle = -aside - ahead * math.tan(turned) + curvature * ahead**2 / 2
    away = np.abs(across - middle)
    light = 0.75 + 0.25 * math.cos(number / 150)
    ground = np.empty((*away.shape, 3), np.float32)
    ground[:] = (150, 125, 85)
    ground[away < LANE] = (88, 84, 90)
    ground[(away > LANE - 0.2) & (away < LANE)] = (235, 225, 120)
    dashes = ((ahead + SPEED * number / RATE) % 6 < 3) & (away < 0.1)
    ground[dashes] = (240, 240, 240)
    picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
    picture[: HORIZON + 1] = (120, 165, 215)
    picture[HORIZON + 1 :] = ground
    picture[-22:, 60:260] = (40, 30, 90)  # the bonnet
    return light * picture


def coloured_tracks(folder: Path) -> None:
    """`train/` and `eval/`: CarRacing in colours that differ from track to track, 128 x 112 pixels, without a lidar."""
    look = driving.Look(colours=True, width=128, height=112, lidar=False)
    driving.write(folder, {"train": range(7_000, 7_020), "eval": range(8_000, 8_004)}, look)


SETS = {"drawn_road": drawn_road, "coloured_tracks": coloured_tracks}

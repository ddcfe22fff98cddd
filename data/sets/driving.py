"""Drives in a simulator: what the car of CarRacing sees and measures, and what an expert does then.

Nobody drove: the expert is a rule that looks at the track itself (`data.simulators.car_racing.expert`). Each track has
`DRIVES` drives from places spread over it, of which a record is kept every 0.4 seconds. The first is the expert's own,
in the middle of the road. In the others something goes wrong, and the expert finds back: the car starts beside the
middle or the road, turned, at any speed, and the hand on the wheel is pushed by noise (Laskey et al. 2017). What is
recorded is always what the expert would do there. A drive ends where the car has come to face back: nothing that it
sees tells then which way is right. Without such recoveries a model never sees how to come back from its own small
errors, which then add up (Ross et al. 2011); `python -m benchmarks.recovery` is there to measure by how much on these
tracks.

Each track is wholly in `train/` or in `eval/`. A lap that a model is later judged by is on neither
(`trainer.metrics.laps`). Tracks are driven in as many processes as there are cores, each from its seed alone.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.sources.catalogue import DataSet, Source

DATA_SET = DataSet(
    name="driving",
    title="Drives in the simulator CarRacing by a rule: camera 96x96, lidar, speed; steering, pedals and way-points",
    licence="MIT (gymnasium, of which CarRacing is a part)",
    credit="CarRacing by Oleg Klimov; Gymnasium by the Farama Foundation",
    sources=(
        (
            Source(
                client="installed",
                package="gymnasium",
                version="",
                filename="gymnasium/envs/box2d/car_racing.py",
                sha256="da04adfcf9077f9c6d42cfc761c7ca48a5e45632a8991515add44732e9140631",
                size_bytes=0,
                holds="random tracks and a car",
            ),
        ),
    ),
)

TRACKS = {"train": range(1_000, 1_040), "eval": range(2_000, 2_008)}
"""Seeds."""
DRIVES = 5
RECORDS = 40
"""Of a drive, at most."""
ACTIONS_PER_RECORD = 4
MOST_ASIDE = 9.0
"""Metres from the middle; the road ends at 6.7."""
MOST_TURNED = 0.6
"""Radians."""
MOST_SPEED = 40.0
HAND_NOISE = 0.35
"""Standard deviation of what is added to the steering that is carried out."""
HAND_MEMORY = 0.9
"""How much of the noise is left at the next action (Uhlenbeck & Ornstein 1930)."""


@dataclass(frozen=True)
class Look:
    """How the simulator looks: random `colours`, the size of the camera's picture, whether there is a lidar."""

    colours: bool = False
    width: int = 96
    height: int = 96
    lidar: bool = True


USUAL = Look()


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/{train,eval}/metadata.jsonl`, a row for each record, and beside it the pictures as PNG."""
    del archives, sources
    write(target, TRACKS)


def write(target: Path, tracks: Mapping[str, Sequence[int]], look: Look = USUAL, recovery: bool = True) -> None:
    """Drives on `tracks`, split -> seeds. Without `recovery` nothing goes wrong in any drive."""
    jobs = [(target / split, seed, look, recovery) for split, seeds in tracks.items() for seed in seeds]
    for split in tracks:
        (target / split).mkdir(parents=True)
    context = multiprocessing.get_context("spawn")  # a fork would inherit the locks of TensorFlow's threads
    with ProcessPoolExecutor(os.cpu_count(), context) as pool:
        rows = list(pool.map(_drive_track, *zip(*jobs, strict=True)))
    for split in tracks:
        mine = [one for (folder, *_), found in zip(jobs, rows, strict=True) for one in found if folder.name == split]
        text = "".join(json.dumps(row) + "\n" for row in mine)
        (target / split / "metadata.jsonl").write_text(text, encoding="utf-8")


def _drive_track(folder: Path, seed: int, look: Look, recovery: bool) -> list[dict[str, Any]]:
    """All drives on one track; pictures are written to `folder`."""
    from PIL import Image

    rows = []
    for drive in range(DRIVES):
        for number, (camera, row) in enumerate(_drive(seed, drive, look, recovery and drive > 0)):
            name = f"{seed}-{drive}-{number:02}.png"
            Image.fromarray(camera).save(folder / name)
            rows.append({"file_name": name, **row, "episode": f"track {seed}"})
    return rows


def _drive(seed: int, drive: int, look: Look, recovery: bool) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The camera's pictures, uint8 `[height, width, 3]`, and what else is recorded beside each."""
    import numpy as np

    from data.simulators import car_racing, senses

    rng = np.random.default_rng([seed, drive])
    world = car_racing.World(seed, look.colours, (look.width, look.height))
    start = (drive * len(world.middle) // DRIVES + int(rng.integers(8))) % len(world.middle)
    if recovery:
        aside, turned = rng.uniform(-MOST_ASIDE, MOST_ASIDE), rng.uniform(-MOST_TURNED, MOST_TURNED)
        world.place(start, aside, turned, rng.uniform(0, MOST_SPEED))
    else:
        world.place(start)
    noise, before = 0.0, None
    for number in range(RECORDS * ACTIONS_PER_RECORD):
        if world.faces_back:
            return
        wanted = car_racing.expert(world)
        if number % ACTIONS_PER_RECORD == 0:
            sensed = world.senses()
            row: dict[str, Any] = {
                "lidar": [round(float(metres), 2) for metres in sensed.lidar] if look.lidar else None,
                "speed": round(sensed.speed, 2),
                **{name: round(float(value), 4) for name, value in wanted._asdict().items()},
                "path": [round(float(metres), 2) for metres in world.path().ravel()],
                "simulator": senses.CAR_RACING_COLOURS if look.colours else senses.CAR_RACING,
            }
            yield sensed.camera, row if before is None else row | {"last_steering": before}
            before = row["steering"]
        if recovery:
            noise = HAND_MEMORY * noise + rng.normal(0, HAND_NOISE * (1 - HAND_MEMORY**2) ** 0.5)
        world.act(wanted._replace(steering=float(np.clip(wanted.steering + noise, -1, 1))))
        if world.ended:
            return

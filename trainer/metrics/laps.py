"""How well a model drives in the closed loop: laps in the simulator, where each answer decides what is seen next.

Small errors in the open loop tell little of it (Codevilla et al. 2018). The functions `reward_share`, `on_road` and
`times_left` are metrics that run the model; they drive where the train split was recorded, and nowhere if that was no
simulator. Knows no TFMA.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.simulators.senses import CAR_RACING_COLOURS, NAMES, Action

if TYPE_CHECKING:
    from data.simulators.car_racing import Senses, World

Array = np.ndarray[Any, Any]

SIMULATOR = "simulator"
"""Vocabulary of a model: the simulators that its train split came from."""


@dataclass(frozen=True)
class Lap:
    """What a drive on one track came to.

    Attributes:
      reward: the simulator's.
      places: of the car after each action, float64 `[actions, 2]`.
      on_road: whether it was between the edges of the road then, bool `[actions]`.
    """

    reward: float
    places: Array
    on_road: Array

    @property
    def share_on_road(self) -> float:
        return float(self.on_road.mean())

    @property
    def times_left(self) -> int:
        """How often it left the road."""
        return int((~self.on_road[1:] & self.on_road[:-1]).sum())


@dataclass(frozen=True)
class Laps:
    """Which laps are driven: on the tracks of seeds from `seed` on, at most `actions` long."""

    laps: int
    actions: int
    seed: int

    def worlds(self, simulators: Sequence[str]) -> Iterator[World]:
        """The tracks, in each of the simulators in turn."""
        from data.simulators.car_racing import World

        for lap in range(self.laps if simulators else 0):
            yield World(self.seed + lap, simulators[lap % len(simulators)] == CAR_RACING_COLOURS)

    def by_expert(self, simulators: Sequence[str]) -> tuple[Lap, ...]:
        from data.simulators.car_racing import expert

        return tuple(lap_of(world, expert, self.actions) for world in self.worlds(simulators))


def reward_share(model: Path, **laps: int) -> Iterator[float]:
    """Of each lap the reward as a share of the expert's on the same track."""
    for driven, by_expert in _driven(str(model), Laps(**laps)):
        yield driven.reward / by_expert.reward


def on_road(model: Path, **laps: int) -> Iterator[float]:
    """Of each lap the share of the time in which the car was on the road."""
    for driven, _ in _driven(str(model), Laps(**laps)):
        yield driven.share_on_road


def times_left(model: Path, **laps: int) -> Iterator[float]:
    """Of each lap how often the car left the road."""
    for driven, _ in _driven(str(model), Laps(**laps)):
        yield driven.times_left


def scores(simulators: Sequence[str], laps: Laps) -> dict[str, float]:
    """What the expert comes to by these metrics; empty where there is no simulator."""
    found = laps.by_expert(simulators)
    if not found:
        return {}
    return {
        "reward_share": 1.0,
        "on_road": float(np.mean([lap.share_on_road for lap in found])),
        "times_left": float(np.mean([lap.times_left for lap in found])),
    }


@functools.lru_cache(maxsize=2)
def _driven(model: str, laps: Laps) -> tuple[tuple[Lap, Lap], ...]:
    """The model's laps, each beside the expert's. Driven once for all metrics that ask for them."""
    simulators = simulators_of(Path(model))
    if not simulators:
        return ()
    driver = ModelDriver(Path(model))
    driven = [lap_of(world, driver, laps.actions) for world in laps.worlds(simulators)]
    return tuple(zip(driven, laps.by_expert(simulators), strict=True))


def simulators_of(model: Path) -> list[str]:
    """Those from which the train split of a SavedModel came, as far as it says so."""
    file = model / "assets" / SIMULATOR
    words = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [name for name in words if name in NAMES]


def lap_of(world: World, driver: Callable[[World], Action], actions: int) -> Lap:
    """A lap, or as much of it as `actions` come to."""
    reward = 0.0
    places: list[Array] = []
    on: list[bool] = []
    while len(places) < actions and not world.ended:
        reward += world.act(driver(world))
        places.append(world.position)
        on.append(world.on_road)
    return Lap(reward, np.array(places), np.array(on))


class ModelDriver:
    """A SavedModel at the wheel. `seen` is what it was given last, `said` its answer to it, by output."""

    seen: Senses
    said: dict[str, Array]

    def __init__(self, model: Path) -> None:
        from trainer.backend import tf

        self._loaded = tf.saved_model.load(str(model))
        self._answer = self._loaded.signatures["raw"]

    def __call__(self, world: World) -> Action:
        from trainer.backend import tf

        self.seen = world.senses()
        given = {
            "camera": tf.io.encode_png(self.seen.camera)[None],
            "lidar": tf.constant(self.seen.lidar[None], tf.float32),
            "speed": tf.constant([self.seen.speed], tf.float32),
        }
        self.said = {name: output.numpy()[0] for name, output in self._answer(**given).items()}
        return Action(*(float(self.said[name]) for name in Action._fields))

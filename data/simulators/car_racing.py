"""Gymnasium's CarRacing with a driver's senses: a camera, a lidar and a speedometer, and an expert who sees the track.

The car drives on random closed tracks, seen from above (Klimov; Towers et al. 2023). A seed decides the track; nothing
else is random. A driver acts `RATE` times a second. Lengths are the simulator's own, in which the car is 5.2 long and
the road 13.3 wide; they are called metres. A simulator's car: nothing that was learnt here may steer one on a road.

What drivers sense and do is said in `data.simulators.senses`.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

# No window is opened, and no line of advertisement printed.
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

from gymnasium.envs.box2d import car_racing
from gymnasium.envs.box2d.car_dynamics import SIZE, Car

from data.simulators.senses import LIDAR_BEAMS, LIDAR_RANGE, WAY_POINTS, Action

Array = np.ndarray[Any, Any]

STEPS_PER_ACTION = 5
RATE = car_racing.FPS / STEPS_PER_ACTION
"""Actions a second."""
CAMERA_SIZE = 96
FULL_LOCK = 0.4
"""Radians to which the front wheels turn: a steering of 1."""
WHEEL_BASE = 162 * SIZE
REAR_AXLE = 82 * SIZE
"""Metres behind the car's middle."""


@dataclass(frozen=True)
class Senses:
    """What a driver gets. `camera`: uint8 `[height, width, 3]`; `lidar`: float64 `[LIDAR_BEAMS]`, metres to the edge of
    the road from left to right over the half circle ahead; `speed`: metres a second."""

    camera: Array
    lidar: Array
    speed: float


class _Quiet(car_racing.CarRacing):
    """Draws when it is asked to and not in every step, which takes most of a step's time."""

    def _render(self, mode: str) -> Any:
        return None

    def drawn(self, width: int, height: int) -> Array:
        """What the camera above the car sees: uint8 `[height, width, 3]`."""
        super()._render("state_pixels")
        pixels: Array = self._create_image_array(self.surf, (width, height))
        return pixels


class World:
    """One track with a car on it.

    Args:
      seed: decides the track.
      colours: whether the seed decides the colours of road and grass, too.
      camera: width and height of its picture, pixels.

    Attributes:
      middle: of the road, float64 `[tiles, 2]`, in the direction of travel.
      headings: radians at each tile, counter-clockwise; 0 is along y.
      edges: left and right edge of the road, float64 `[tiles, 2]` each.
      ended: whether the lap is finished, or the car has left the field on which the road lies.
    """

    def __init__(self, seed: int, colours: bool = False, camera: tuple[int, int] = (CAMERA_SIZE, CAMERA_SIZE)) -> None:
        self._env = _Quiet(domain_randomize=colours)
        self._camera = camera
        self._env.reset(seed=seed)
        track = np.array(self._env.track)
        self.middle = track[:, 2:]
        self.headings = track[:, 1]
        across = car_racing.TRACK_WIDTH * np.stack([np.cos(self.headings), np.sin(self.headings)], axis=1)
        self.edges = self.middle - across, self.middle + across
        steps = np.linalg.norm(np.roll(self.middle, -1, axis=0) - self.middle, axis=1)
        self._along = np.concatenate([[0.0], np.cumsum(steps)])
        turns = np.angle(np.exp(1j * (np.roll(self.headings, -1) - self.headings)))
        self._curvature = np.abs(turns) / steps
        self.ended = False
        self.place(0)

    def place(self, tile: int, aside: float = 0.0, turned: float = 0.0, speed: float = 0.0) -> None:
        """Puts the car on the track: `aside` metres to the right of the middle, `turned` radians to the left."""
        env = self._env
        heading = self.headings[tile] + turned
        x, y = self.middle[tile] + aside * np.array([math.cos(self.headings[tile]), math.sin(self.headings[tile])])
        assert env.car is not None
        env.car.destroy()
        env.car = Car(env.world, heading, x, y)
        ahead = -math.sin(heading) * speed, math.cos(heading) * speed
        for body in (env.car.hull, *env.car.wheels):
            body.linearVelocity = ahead
        for wheel in env.car.wheels:
            wheel.omega = speed / wheel.wheel_rad
        env.t = 1.0  # the camera comes down during the first second; a driver begins when it is there
        env.world.Step(0.0, 1, 1)  # finds the tiles that the wheels stand on

    def act(self, action: Action) -> float:
        """Drives for a moment; the reward: 1,000 for all tiles of the track together, less 0.1 a step."""
        reward = 0.0
        for _ in range(STEPS_PER_ACTION):
            if not self.ended:
                pressed = np.array([FULL_LOCK * action.steering, action.throttle, action.brake], np.float64)
                _, gained, crashed, finished, _ = self._env.step(pressed)
                reward += gained
                self.ended = crashed or finished
        return reward

    def senses(self) -> Senses:
        return Senses(self._env.drawn(*self._camera), self.lidar(), self.speed)

    @property
    def position(self) -> Array:
        """Of the car's middle, float64 `[2]`."""
        assert self._env.car is not None
        return np.array(self._env.car.hull.position)

    @property
    def heading(self) -> float:
        assert self._env.car is not None
        return float(self._env.car.hull.angle)

    @property
    def speed(self) -> float:
        assert self._env.car is not None
        return float(self._env.car.hull.linearVelocity.length)

    @property
    def on_road(self) -> bool:
        """Whether the car's middle is between the edges of the road."""
        _, away = self._nearest()
        return away <= car_racing.TRACK_WIDTH

    @property
    def faces_back(self) -> bool:
        """Whether the road goes on behind the car."""
        return bool(self.path([WAY_POINTS[-1]])[0, 1] < self.path([0.0])[0, 1])

    def from_car(self, points: Array) -> Array:
        """Points of the world, float64 `[n, 2]`, in the car's frame."""
        right = np.array([math.cos(self.heading), math.sin(self.heading)])
        away = points - self.position
        return np.stack([away @ right, away @ np.array([-right[1], right[0]])], axis=1)

    def _nearest(self) -> tuple[float, float]:
        """How far along the middle of the road the place lies that is nearest to the car, and how far from it."""
        starts, ends = self.middle, np.roll(self.middle, -1, axis=0)
        sides = ends - starts
        share = np.clip(((self.position - starts) * sides).sum(1) / (sides**2).sum(1), 0, 1)
        away = np.linalg.norm(starts + share[:, None] * sides - self.position, axis=1)
        tile = int(away.argmin())
        return float(self._along[tile] + share[tile] * np.linalg.norm(sides[tile])), float(away[tile])

    def path(self, distances: Any = WAY_POINTS) -> Array:
        """Way-points `distances` ahead along the middle of the road, float64 `[n, 2]` in the car's frame."""
        along, _ = self._nearest()
        places = (along + np.asarray(distances)) % self._along[-1]
        closed = np.concatenate([self.middle, self.middle[:1]])
        return self.from_car(np.stack([np.interp(places, self._along, closed[:, axis]) for axis in (0, 1)], axis=1))

    def lidar(self) -> Array:
        """Of `Senses`: rays that are cast in the track itself, until they meet an edge of the road."""
        angles = np.linspace(np.pi, 0, LIDAR_BEAMS)
        rays = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        starts = np.concatenate([self.from_car(edge) for edge in self.edges])
        sides = np.concatenate([np.roll(self.from_car(edge), -1, axis=0) for edge in self.edges]) - starts
        near = (np.abs(starts) < LIDAR_RANGE + car_racing.TRACK_WIDTH).all(axis=1)
        starts, sides = starts[near], sides[near]
        across = rays[:, :1] * sides[:, 1] - rays[:, 1:] * sides[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = (starts[:, 0] * sides[:, 1] - starts[:, 1] * sides[:, 0]) / across
            share = (starts[:, 0] * rays[:, 1:] - starts[:, 1] * rays[:, :1]) / across
        met = (reach > 0) & (share >= 0) & (share <= 1)
        return np.where(met, reach, LIDAR_RANGE).min(axis=1, initial=LIDAR_RANGE)

    def sharpest_turn(self, distance: float) -> float:
        """The highest curvature of the road, 1 / metres, from here to `distance` ahead, over some tiles each."""
        along, _ = self._nearest()
        smooth = np.convolve(np.concatenate([self._curvature, self._curvature[:3]]), np.full(4, 0.25), "valid")
        first = int(np.searchsorted(self._along, along)) - 1
        tiles = np.arange(first, first + max(1, round(distance / car_racing.TRACK_DETAIL_STEP))) % len(smooth)
        return float(smooth[tiles].max())


LATERAL = 40.0
"""Metres a second squared to the side that the expert's tyres bear."""
TOP_SPEED = 45.0


def expert(world: World) -> Action:
    """Pure pursuit (Coulter 1992) of the middle of the road, at a speed with which the next turns can be taken. It
    looks at the track itself, which no other driver sees."""
    speed = world.speed
    target = world.path([max(7.0, 0.35 * speed)])[0] + np.array([0.0, REAR_AXLE])
    turn = math.atan(2 * WHEEL_BASE * target[0] / float(target @ target))
    steering = float(np.clip(turn / FULL_LOCK, -1, 1))
    wanted = min(TOP_SPEED, math.sqrt(LATERAL / max(world.sharpest_turn(8 + 0.9 * speed), 1e-3)))
    error = wanted - speed
    throttle = float(np.clip(0.1 * error, 0, 1)) * (1 - 0.7 * abs(steering))
    return Action(steering, throttle, float(np.clip(-0.06 * error, 0, 0.6)))

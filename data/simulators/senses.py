"""What drivers in our simulators sense and do, without a simulator: names, units, and where the camera is.

Lengths are metres, places are in the car's frame: x to its right, y ahead, from its middle.
"""

from __future__ import annotations

from typing import Any, NamedTuple

CAR_RACING, CAR_RACING_COLOURS = "car_racing", "car_racing_colours"
NAMES = CAR_RACING, CAR_RACING_COLOURS
"""Of the simulators, as data name them: CarRacing on grass as green as ever, or in colours that differ from track to
track."""

LIDAR_BEAMS = 32
LIDAR_RANGE = 60.0
"""Metres behind which nothing is measured."""
WAY_POINTS = (5.0, 10.0, 15.0, 20.0, 25.0)
"""Metres along the middle of the road from where the car is nearest to it."""

PIXELS_PER_METRE = 16.2
"""In a picture of 1,000 x 800 pixels, taken from above with the car at half its width and three quarters of its height;
others are stretched."""


class Action(NamedTuple):
    """`steering` from -1, full lock to the left, to 1; `throttle` and `brake` from 0 to 1."""

    steering: float
    throttle: float
    brake: float


def in_picture(places: Any) -> Any:
    """Where places `[..., 2]` are in the camera's picture: shares of its width from the left and of its height from the
    top. For arrays and tensors alike."""
    return places * [PIXELS_PER_METRE / 1000, -PIXELS_PER_METRE / 800] + [0.5, 0.75]

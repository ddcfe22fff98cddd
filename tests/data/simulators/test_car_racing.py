"""The car's senses, and that the expert drives: on the road, and back to it."""

from __future__ import annotations

import numpy as np
import pytest

from data.simulators import car_racing
from data.simulators.senses import LIDAR_BEAMS, LIDAR_RANGE, WAY_POINTS, Action, in_picture

STRAIGHT = Action(0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def world() -> car_racing.World:
    return car_racing.World(5)


def test_the_path_is_along_the_road_in_the_cars_frame(world: car_racing.World) -> None:
    world.place(0)
    path = world.path()
    assert path.shape == (len(WAY_POINTS), 2)
    assert np.all(np.diff(path[:, 1]) > 0) and path[0] == pytest.approx([0, 5], abs=1)
    world.place(0, aside=3)
    assert world.path()[0, 0] == pytest.approx(path[0, 0] - 3, abs=0.7)  # the middle is to the left now
    world.place(0, turned=0.3)
    assert world.path()[0, 0] > 1  # turned to the left, it is to the right


def test_it_is_known_whether_the_car_faces_back(world: car_racing.World) -> None:
    for turned, back in ((0.0, False), (1.0, False), (-1.0, False), (2.2, True), (-2.2, True)):
        world.place(0, turned=turned)
        assert world.faces_back == back


def test_the_lidar_measures_to_the_edges_of_the_road(world: car_racing.World) -> None:
    world.place(0)
    sweep = world.lidar()
    assert sweep.shape == (LIDAR_BEAMS,) and sweep.max() <= LIDAR_RANGE
    assert sweep[[0, -1]] == pytest.approx([6.67, 6.67], abs=0.5)
    world.place(0, aside=3)
    left, right = world.lidar()[[0, -1]]
    assert (left, right) == pytest.approx((9.67, 3.67), abs=0.5)


def test_the_camera_sees_the_path_where_it_says(world: car_racing.World) -> None:
    world.place(0)
    camera = world.senses().camera
    assert camera.shape == (96, 96, 3) and camera.dtype == np.uint8
    for x, y in in_picture(world.path(WAY_POINTS[:3])) * 96:
        red, green, blue = camera[round(y), round(x)].astype(int)
        assert abs(red - green) < 12 and abs(red - blue) < 12  # grey road, not green grass


def test_a_seed_decides_the_track_and_its_colours() -> None:
    one, same, other = (car_racing.World(seed, colours=True) for seed in (1, 1, 2))
    assert np.array_equal(one.senses().camera, same.senses().camera) and np.array_equal(one.middle, same.middle)
    assert not np.array_equal(one.senses().camera, other.senses().camera)
    assert car_racing.World(1, camera=(60, 40)).senses().camera.shape == (40, 60, 3)


def test_the_expert_stays_on_the_road_and_gains() -> None:
    world = car_racing.World(6)
    rewards = [world.act(car_racing.expert(world)) for _ in range(60) if world.on_road]
    assert len(rewards) == 60 and sum(rewards) > 50 and world.speed > 15


@pytest.mark.parametrize("aside", [-8.0, 8.0])
def test_the_expert_comes_back_to_the_road(aside: float) -> None:
    world = car_racing.World(6)
    world.place(3, aside=aside, turned=0.3, speed=15)
    assert not world.on_road
    for _ in range(40):
        world.act(car_racing.expert(world))
    assert world.on_road and abs(world.path([0.0])[0, 0]) < 3


def test_steering_to_the_right_turns_to_the_right() -> None:
    world = car_racing.World(6)
    world.place(0, speed=10)
    before = world.heading
    for _ in range(5):
        world.act(STRAIGHT._replace(steering=1.0))
    assert world.heading < before  # counter-clockwise is to the left

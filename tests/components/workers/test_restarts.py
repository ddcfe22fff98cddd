"""When training is started again: by how far each attempt got, and whose fault its end was.

How a process's last words are read is tested through real processes, in `test_launchers`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from components.workers.restarts import Failure, reached_step, until_trained
from data.errors import BenisonError

FAULT, DISRUPTION = False, True


@pytest.fixture
def attempts(tmp_path: Path) -> Callable[..., int]:
    """Runs `until_trained` over attempts, each given as (step it reaches, disrupted), and then one that ends well.
    Returns how many there were."""

    def run(*ends: tuple[int, bool], max_restarts: int = 3) -> int:
        progress = tmp_path / "progress.json"
        made = 0

        def attempt(number: int) -> Failure | None:
            nonlocal made
            made += 1
            assert number == made
            if number > len(ends):
                return None
            step, disrupted = ends[number - 1]
            progress.write_text(json.dumps({"step": step}))
            return Failure("worker 1 of 2", 1, "a reason", "", tmp_path / "log", disrupted)

        until_trained(attempt, progress, max_restarts)
        return made

    return run


def test_the_last_step_is_that_of_the_progress_file(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    assert reached_step(file) == 0
    file.write_text('{"step": 7}')
    assert reached_step(file) == 7


def test_an_attempt_that_ends_well_is_the_last(attempts: Callable[..., int]) -> None:
    assert attempts() == 1


@pytest.mark.parametrize(
    "ends",
    [
        [(10, FAULT), (20, FAULT), (30, FAULT)],
        [(10, FAULT), (10, FAULT), (20, FAULT)],
        [(0, FAULT), (0, DISRUPTION), (10, FAULT)],
        [(10 * n, DISRUPTION) for n in range(1, 30)],
    ],
)
def test_it_is_started_again_as_long_as_it_gets_on(attempts: Callable[..., int], ends: list[tuple[int, bool]]) -> None:
    assert attempts(*ends) == len(ends) + 1


@pytest.mark.parametrize(
    ("ends", "last"),
    [
        ([(0, FAULT)] * 9, 2),
        ([(10, FAULT)] * 9, 3),
        ([(10 * n, FAULT) for n in range(1, 9)], 4),
        ([(0, DISRUPTION)] * 9, 4),
        ([(0, FAULT), (0, DISRUPTION), (0, FAULT), (0, FAULT)], 3),
        ([(10, DISRUPTION), *[(10, FAULT)] * 9], 3),
    ],
)
def test_it_is_given_up_where_it_does_not(
    attempts: Callable[..., int], ends: list[tuple[int, bool]], last: int
) -> None:
    with pytest.raises(BenisonError, match=rf"\(attempt {last}, the last\)"):
        attempts(*ends)


def test_no_restart_is_allowed_but_for_disruptions(attempts: Callable[..., int]) -> None:
    assert attempts((10, DISRUPTION), (20, DISRUPTION), max_restarts=0) == 3
    with pytest.raises(BenisonError, match="worker 1 of 2 ended with status 1: a reason"):
        attempts((30, FAULT), max_restarts=0)

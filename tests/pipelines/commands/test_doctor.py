from __future__ import annotations

from typing import Any

import pytest

from pipelines import machine
from tests.pipelines.command_line import Benison


@pytest.mark.parametrize(("states", "code"), [(["ok", "note"], 0), (["ok", "missing"], 1)])
def test_doctor_fails_only_for_what_is_essential(
    benison: Benison, monkeypatch: pytest.MonkeyPatch, states: list[Any], code: int
) -> None:
    found = [machine.Check(f"thing {i}", state, "found", "mend it") for i, state in enumerate(states)]
    monkeypatch.setattr(machine, "checks", lambda workspace: found)
    ended = benison("doctor")
    assert ended.code == code and "mend it" in ended.out
    assert [row["state"] for row in benison("doctor", "--json").json] == states

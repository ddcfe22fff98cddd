from __future__ import annotations

from pathlib import Path

from pipelines.records.workspace import task_space
from tests.pipelines.command_line import RESULT, Benison


def test_tasks_are_listed_with_their_last_score(benison: Benison, tmp_path: Path) -> None:
    task_space(tmp_path / "workspace", "letters").finish({"result": RESULT.to_dict()})
    rows = benison("tasks", "--json").json
    assert [row["task"] for row in rows] == ["digits", "letters"]
    assert rows[0] == {
        "task": "digits",
        "title": "Digits",
        "questions": [1, 4],
        "modality": "image",
        "data": "mnist",
        "metric": "accuracy",
        "gate": "accuracy ≥ 0.98, ≥ reference",
        "last": None,
    }
    assert rows[1]["last"] == 0.99
    heading, digits, letters = benison("tasks").out.splitlines()
    assert heading.index("last score") == letters.index("0.99")
    assert "1, 4" in digits

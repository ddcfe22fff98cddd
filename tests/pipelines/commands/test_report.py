from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipelines.records.workspace import task_space
from tests.pipelines.command_line import RESULT, Benison


def test_the_last_report_is_copied(benison: Benison, tmp_path: Path) -> None:
    ended = benison("report", "digits", "-o", tmp_path / "out" / "r.html")
    assert ended.code == 1 and "no finished run" in ended.err and "benison run digits" in ended.err
    page = tmp_path / "index.html"
    page.write_text("<html>")
    result = replace(RESULT, places={"report": str(page)})
    task_space(tmp_path / "workspace", "digits").finish({"result": result.to_dict()})
    assert benison("report", "digits", "-o", tmp_path / "out" / "r.html").code == 0
    assert (tmp_path / "out" / "r.html").read_text() == "<html>"

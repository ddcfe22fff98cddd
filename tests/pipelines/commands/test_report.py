from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

from pipelines.records.workspace import task_space
from tests.dashboard import stores
from tests.pipelines.command_line import RESULT, Benison


def leave(workspace: Path, run_id: str, page: str) -> Path:
    """A finished run with this page, the last one of all."""
    space = task_space(workspace, "digits")
    report = space.run(run_id) / "report" / "index.html"
    report.parent.mkdir(parents=True)
    report.write_text(page)
    space.finish({"result": replace(RESULT, run_id=run_id, places={"report": str(report)}).to_dict()})
    return report


def test_the_last_report_is_copied_or_that_of_any_run(benison: Benison, tmp_path: Path) -> None:
    written = tmp_path / "out" / "r.html"
    ended = benison("report", "digits", "-o", written)
    assert ended.code == 1 and "no finished run" in ended.err and "benison run digits" in ended.err
    leave(tmp_path / "workspace", "r1", "<p>first")
    leave(tmp_path / "workspace", "r2", "<p>second")
    assert benison("report", "digits", "-o", written).code == 0
    assert written.read_text() == "<p>second"
    assert benison("report", "digits", "--run", "r1", "-o", written).code == 0
    assert written.read_text() == "<p>first"


def test_a_report_at_a_threshold_is_made_anew(benison: Benison, tmp_path: Path) -> None:
    page = leave(tmp_path / "workspace", "r1", "<p>as it was")
    kept = {"task": "digits", "run_id": "r1", "thresholds": stores.thresholds()}
    page.with_name("report.json").write_text(json.dumps(kept))
    written = tmp_path / "r.html"
    assert benison("report", "digits", "--threshold", "0.73", "-o", written).code == 0
    assert "Threshold 0.73" in written.read_text() and page.read_text() == "<p>as it was"
    page.with_name("report.json").write_text(json.dumps(kept | {"thresholds": None}))
    ended = benison("report", "digits", "--threshold", "0.73", "-o", written)
    assert ended.code == 2 and "run r1 of digits has no figures by threshold" in ended.err


def test_a_run_that_is_not_there_or_left_no_report_is_said(benison: Benison, tmp_path: Path) -> None:
    leave(tmp_path / "workspace", "r1", "<p>")
    for name in ("r2", "../r1", ""):
        ended = benison("report", "digits", "--run", name, "-o", tmp_path / "r.html")
        assert ended.code == 2 and f"no run {name!r}" in ended.err and "benison dashboard" in ended.err
    task_space(tmp_path / "workspace", "digits").run("r3").mkdir()
    ended = benison("report", "digits", "--run", "r3", "-o", tmp_path / "r.html")
    assert ended.code == 1 and "run r3 left no report" in ended.err
    assert not (tmp_path / "r.html").exists()


def test_a_copied_workspace_gives_its_own_report(benison: Benison, tmp_path: Path) -> None:
    leave(tmp_path / "original", "r1", "<p>original")
    shutil.copytree(tmp_path / "original", tmp_path / "workspace")
    (tmp_path / "workspace" / "digits" / "runs" / "r1" / "report" / "index.html").write_text("<p>copy")
    assert benison("report", "digits", "-o", tmp_path / "r.html").code == 0
    assert (tmp_path / "r.html").read_text() == "<p>copy"


def test_no_file_from_elsewhere_becomes_the_report(benison: Benison, tmp_path: Path) -> None:
    """What a workspace that came from somebody else may hold."""
    page = leave(tmp_path / "workspace", "r1", "<p>")
    secret = tmp_path / "secret"
    secret.write_text("secret")
    record = tmp_path / "workspace" / "digits" / "last_run.json"
    kept = json.loads(record.read_text())
    assert kept["result"]["places"] == {"report": "runs/r1/report/index.html"}
    kept["result"]["places"]["report"] = str(secret)
    record.write_text(json.dumps(kept))
    assert benison("report", "digits", "-o", tmp_path / "r.html").code == 0
    assert (tmp_path / "r.html").read_text() == "<p>"
    page.unlink()
    page.symlink_to(secret)
    ended = benison("report", "digits", "-o", tmp_path / "out.html")
    assert ended.code == 1 and "link out of its run" in ended.err and not (tmp_path / "out.html").exists()
    kept["result"]["run_id"] = "../../../secret"
    record.write_text(json.dumps(kept))
    assert benison("report", "digits", "-o", tmp_path / "out.html").code == 2
    record.write_text(json.dumps({"result": 5}))
    ended = benison("report", "digits", "-o", tmp_path / "out.html")
    assert ended.code == 1 and "last_run.json is damaged: result should be an object" in ended.err

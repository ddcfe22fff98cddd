"""What people write of runs: kept beside the run, seen in the table, and not written where it is not allowed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard.app import create, page
from dashboard.sections import notes
from dashboard.security import Policy
from dashboard.store import Store
from tests.dashboard import stores
from tests.dashboard.conftest import until

TASK, TOKEN = "image_classification", "a token of some length"


def kept(workspace: Path, number: int) -> Path:
    return workspace / TASK / "runs" / stores.run_id(number) / "notes.json"


def test_a_run_is_named_and_put_away(tmp_path: Path, own_site: str, visit: Callable[..., Any]) -> None:
    for number in (1, 2):
        stores.finished(tmp_path, TASK, number, 0.9)
    run = visit(f"{own_site}/run/{TASK}/{stores.run_id(1)}")
    run.get_by_label("Name", exact=True).fill(stores.HOSTILE)
    run.get_by_label("Tags, with commas").fill("first, second, first")
    run.get_by_role("checkbox", name="Archived: not in the table").check()
    run.click("#notes-keep")
    run.wait_for_selector("#notes-told:has-text('✓ Kept.')")
    wanted = {"name": stores.HOSTILE, "note": "", "tags": ["first", "second"], "archived": True}
    assert json.loads(kept(tmp_path, 1).read_text(encoding="utf-8")) == wanted
    table = visit(own_site)
    rows = table.locator(".ag-center-cols-container .ag-row")
    until(table, lambda: rows.count() == 1)
    table.click("text=Show them, too")
    until(table, lambda: rows.count() == 2)
    assert stores.HOSTILE in table.locator(".ag-row [col-id=name]").all_inner_texts()
    assert "first, second" in table.locator(".ag-row [col-id=tags]").all_inner_texts()


def answer(workspace: Path, policy: Policy, allowed: bool | None) -> str:
    """What the dashboard says to a note, asked as its own page would ask."""
    form = {"notes-name": "x", "notes-note": "", "notes-tags": "", "notes-archived": []}
    asked = {
        "output": "notes-told.children",
        "outputs": {"id": "notes-told", "property": "children"},
        "inputs": [{"id": "notes-keep", "property": "n_clicks", "value": 1}],
        "changedPropIds": ["notes-keep.n_clicks"],
        "state": [
            {"id": "run-key", "property": "data", "value": f"{TASK}/{stores.run_id(1)}"},
            *({"id": name, "property": "value", "value": value} for name, value in form.items()),
        ],
    }
    client = create(workspace, policy, notes=allowed).server.test_client()
    token = {"Authorization": f"Bearer {TOKEN}", "Host": "127.0.0.1"}
    told = client.post("/_dash-update-component", json=asked, headers=token)
    return str(told.get_json()["response"]["notes-told"]["children"])


@pytest.mark.parametrize(
    ("policy", "allowed", "writes"),
    [
        (Policy(), None, True),
        (Policy(), False, False),
        (Policy(token=TOKEN), None, False),
        (Policy(token=TOKEN), True, True),
    ],
)
def test_who_may_write(tmp_path: Path, policy: Policy, allowed: bool | None, writes: bool) -> None:
    stores.finished(tmp_path, TASK, 1, 0.9)
    assert (answer(tmp_path, policy, allowed) == "✓ Kept.") == kept(tmp_path, 1).exists() == writes


def test_where_nothing_is_written_there_is_no_form(tmp_path: Path) -> None:
    stores.finished(tmp_path, TASK, 1, 0.9)
    place = f"/run/{TASK}/{stores.run_id(1)}"
    assert "notes-keep" not in str(page(Store(tmp_path), place, ""))
    kept(tmp_path, 1).write_text('{"note": "a good one"}', encoding="utf-8")
    shown = str(page(Store(tmp_path), place, ""))
    assert "a good one" in shown and "notes-keep" not in shown


def test_damaged_notes_are_said_to_be_so_and_hide_nothing(tmp_path: Path) -> None:
    stores.finished(tmp_path, TASK, 1, 0.9)
    kept(tmp_path, 1).write_text('{"tags": 5}', encoding="utf-8")
    [run] = Store(tmp_path).runs()
    assert run.outcome == "blessed" and "tags should be a list" in run.notes["note"]


def test_a_link_in_the_place_of_notes_is_not_followed(tmp_path: Path) -> None:
    workspace, outside = tmp_path / "workspace", tmp_path / "outside.json"
    stores.finished(workspace, TASK, 1, 0.9)
    outside.write_text('{"note": "of somebody else"}', encoding="utf-8")
    kept(workspace, 1).symlink_to(outside)
    store = Store(workspace)
    [run] = store.runs()
    assert "link out of the workspace" in run.notes["note"]
    store.annotate(run, {"note": "mine"})
    assert "of somebody else" in outside.read_text(encoding="utf-8") and not kept(workspace, 1).is_symlink()


def test_notes_have_their_bounds() -> None:
    with pytest.raises(ValueError, match=r"The name is longer than 100 letters"):
        notes.read("x" * 101, "", "", [])
    with pytest.raises(ValueError, match=r"20 tags of 40 letters"):
        notes.read("", "", ",".join(map(str, range(21))), [])
    with pytest.raises(ValueError, match=r"20 tags of 40 letters"):
        notes.read("", "", "x" * 41, [])

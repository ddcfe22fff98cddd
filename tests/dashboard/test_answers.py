"""The table of all answers of a run: what is chosen of it, and what is made of a file that is not what it should be."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from components.report.answer_table import COLUMNS, FILE, SLICE, AnswerTable
from dashboard import answers
from dashboard.address import query
from dashboard.answers import Choice
from dashboard.app import create, page
from dashboard.security import Policy
from dashboard.store import Damaged, Store
from tests.dashboard import stores
from tests.dashboard.conftest import shoot, until
from trainer.assessment import Assessment

TASK = "image_classification"
RUN = f"{TASK}/{stores.run_id(1)}"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = stores.finished(tmp_path, TASK, 1, 0.9, answers=stores.ANSWERS)
    stores.write_answers(folder)
    return tmp_path


def table_of(workspace: Path) -> Any:
    store = Store(workspace)
    return answers.read(store, store.run_of(RUN))


def places(table: Any, **choice: Any) -> list[int]:
    return [row["place"] for row in answers.chosen(table, Choice(**choice)).to_pylist()]


def test_what_is_chosen_is_shown_in_its_order(workspace: Path) -> None:
    table = table_of(workspace)
    assert places(table, sort="place") == list(range(stores.ANSWERED))
    assert places(table)[0] == 0, "the one that costs most"
    losses = [row["loss"] for row in answers.chosen(table, Choice()).to_pylist()]
    assert losses == sorted(losses, reverse=True)
    wrong = places(table, verdict="wrong", sort="place")
    assert wrong == [place for place in range(stores.ANSWERED) if place % 5 == 0]
    assert places(table, truth="1", answer="2", sort="place") == wrong[2::3]
    assert places(table, slice="label: 1", sort="place") == list(range(1, stores.ANSWERED, 3))
    assert places(table, slice="no such: 1") == places(table, verdict="unjudged") == []
    assert places(table, text="NUMBER 7 ") == [7]
    assert set(places(table, least=0.9)) | set(places(table, below=0.9)) == set(range(stores.ANSWERED))
    assert not set(places(table, least=0.9)) & set(places(table, below=0.9))
    assert places(table, least=0.0, below=1.0, sort="place") == list(range(stores.ANSWERED)), "1 is below the end"


def test_a_choice_stands_in_the_address_as_it_is() -> None:
    choice = Choice("a&b", "=c", "wrong", "label: d", "e f", 0.25, 0.5, "surest", 3)
    assert Choice.of(query(f"?{choice.query()}")) == choice
    assert Choice().query() == "" and Choice.of({}) == Choice()
    odd = query("?verdict=so&sort=by&least=nan&below=2&page=-1&page=²")
    assert Choice.of(odd) == Choice()


def test_a_spreadsheet_finds_no_formula(workspace: Path) -> None:
    client = create(workspace, Policy("127.0.0.1", None)).server.test_client()
    got = client.get(f"/answers-csv/{RUN}?truth=1", headers={"Host": "127.0.0.1"})
    assert got.status_code == 200 and got.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(got.text)))
    assert {row["truth"] for row in rows} == {"1"}
    assert {row["asked"][:2] for row in rows} == {"'="}
    got = client.get(f"/answers-parquet/{RUN}?verdict=wrong", headers={"Host": "127.0.0.1"})
    found = parquet.read_table(io.BytesIO(got.data))
    assert found.num_rows == stores.ANSWERED // 5 and {*found.column_names} == {*COLUMNS, f"{SLICE}label"}
    assert client.get("/answers-csv/no/run", headers={"Host": "127.0.0.1"}).status_code == 404


def wrong_type(file: Path) -> None:
    table = parquet.read_table(file)
    parquet.write_table(table.set_column(1, "place", pa.array(["x"] * table.num_rows)), file)


def many_rows(file: Path) -> None:
    fields = {name: pa.nulls(answers.MOST_ROWS + 1, getattr(pa, kind)()) for name, kind in COLUMNS.items()}
    parquet.write_table(pa.table(fields), file)


def lacking(file: Path) -> None:
    parquet.write_table(parquet.read_table(file).drop(["loss"]), file)


def no_text(file: Path) -> None:
    table = parquet.read_table(file)
    bad = pa.array([b"\xff\xfe"] * table.num_rows, pa.binary()).view(pa.string())
    parquet.write_table(table.set_column(2, "asked", bad), file)


def fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def link(file: Path) -> None:
    file.unlink()
    file.symlink_to("/etc/hostname")


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "empty of meaning": (lambda file: file.write_bytes(b"PAR1 and no more PAR1"), "cannot be read"),
    "truncated": (lambda file: file.write_bytes(file.read_bytes()[:-40]), "cannot be read"),
    "a byte is another": (lambda file: file.write_bytes(b"PAR1" + bytes(40) + file.read_bytes()[44:]), ""),
    "a column of another type": (wrong_type, "'place' is string, not int64"),
    "a column less": (lacking, "'loss' is lacking"),
    "too many rows": (many_rows, "more than 100,000 rows"),
    "no text": (no_text, "cannot be read"),
    "too large": (lambda file: os.truncate(file, answers.MOST_BYTES + 1), "more than 50,000,000 bytes"),
    "a pipe": (fifo, "it is no file"),
    "a link out": (link, "a link out of the workspace"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_file_that_is_not_what_it_should_be_is_said_to_be(how: str, workspace: Path) -> None:
    spoil, words = DAMAGE[how]
    spoil(workspace / TASK / "runs" / stores.run_id(1) / "report" / FILE)
    with pytest.raises(Damaged, match=words):
        table_of(workspace)
    shown = str(page(Store(workspace), f"/answers/{RUN}", None))
    assert "cannot be read" in shown and "Traceback" not in shown


def test_texts_are_not_trusted(tmp_path: Path) -> None:
    folder = stores.finished(tmp_path, TASK, 1, 0.9, answers=stores.ANSWERS)
    table = AnswerTable(folder / "report", [])
    table.add("0", 0, "gnp\u202eexe", Assessment("\0", stores.HOSTILE, loss=float("nan")), {})
    table.close()
    [row] = answers.page(table_of(tmp_path), 1)[2]
    assert (row["asked"], row["answer"], row["loss"]) == ("gnp[U+202E]exe", "[U+0000]", None)


def test_a_run_without_a_table_says_so(tmp_path: Path) -> None:
    stores.finished(tmp_path, TASK, 1, 0.9)
    assert "This run left no table of answers" in str(page(Store(tmp_path), f"/answers/{RUN}", None))


def test_answers_are_found_from_a_slice_a_cell_and_a_bar(
    workspace: Path, own_site: str, visit: Callable[..., Any]
) -> None:
    home = f"{own_site}/run/{RUN}"
    run = visit(home)
    run.click("#slices a:has-text('label: 1')")
    run.wait_for_selector("h1:has-text('Answers')")
    assert {*run.locator("#answers td:last-child").all_inner_texts()} == {"label: 1"}
    run.goto(home)
    run.click("#confusion .matrix td.wrong a")
    run.wait_for_selector("h2:has-text('answer')")
    assert "truth=" in run.url and "answer=" in run.url
    run.goto(home)
    run.click("#answers summary:has-text('behind each bar')")
    run.click("#answers details a:has-text('3 wrong')")
    run.wait_for_selector("h1:has-text('Answers')")
    assert run.get_by_label("Confidence from").input_value() == "0"
    run.goto(home)
    chart = run.locator("#answers figure:has(figcaption:text-is('Confidence')) .graph")
    chart.scroll_into_view_if_needed()
    bar = chart.locator(".barlayer .trace:nth-child(2) .point path").first
    until(run, lambda: bar.count() == 1)
    box = bar.bounding_box()
    run.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    run.wait_for_selector("h1:has-text('Answers')")
    assert "verdict=wrong" in run.url and "below=0.33" in run.url


def test_an_answer_without_a_model_to_ask_says_so(workspace: Path, own_site: str, visit: Callable[..., Any]) -> None:
    shown = visit(f"{own_site}/answers/{RUN}?text=number+7+")
    shown.click("#answers tbody a")
    shown.wait_for_selector("h1:has-text('Example 7')")
    shown.wait_for_selector("text=This run pushed no model")
    assert "0.9333" in shown.inner_text("#answer")
    missing = visit(f"{own_site}/answers/{RUN}/ffff")
    assert missing.inner_text("h1") == "Not there"


def test_a_choice_is_made_by_keyboard_and_its_address_shows_the_same(
    workspace: Path, own_site: str, visit: Callable[..., Any]
) -> None:
    shown = visit(f"{own_site}/answers/{RUN}")
    shoot(shown, "all-answers")
    shown.get_by_label("Text in example, truth or answer").fill("number 7 ")
    shown.keyboard.press("Enter")
    shown.wait_for_selector("h2:has-text('1 answer')")
    again = visit(shown.url)
    assert again.locator("#answers tbody tr").count() == 1
    assert again.get_by_label("Text in example, truth or answer").input_value() == "number 7 "
    again.click("text=Show all")
    until(again, lambda: again.locator("#answers tbody tr").count() == answers.PAGE_ROWS)
    again.click("a:has-text('last »')")
    until(again, lambda: "page=3" in again.url and again.locator("nav.pages a:has-text('next')").count() == 0)
    narrow = visit(shown.url.partition("?")[0], width=390, color_scheme="dark")
    shoot(narrow, "all-answers-narrow")
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 390

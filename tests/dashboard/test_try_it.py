"""The form that asks a pushed model: a picture and a text through the browser, and the limits that it is held to."""

from __future__ import annotations

import base64
import dataclasses
import io
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from components import manifest
from dashboard import answers as table_of
from dashboard.kept_model import KeptModel
from dashboard.pages.models import SHOWN_ANSWERS, _answer, _answers, _doubt, _input
from dashboard.store import Store
from dashboard.try_it import TABLE, Answer, Asked, Field, Refused, Trial, fields_of
from data.columns import FormField
from pipelines.console.progress import Listener
from pipelines.console.usage import inputs_of
from pipelines.local.run import run
from pipelines.settings import RunSettings
from tests.dashboard import stores
from tests.dashboard.conftest import ANSWERED_MS, answering, shoot, until
from tests.pipelines.local.test_run import QUICK, write_pictures
from trainer.backend import load_tensorflow
from trainer.task import load

PICTURES, TEXTS = "image_classification", "machine_translation"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of pictures as a pipeline made and pushed it, and one of texts that turns them round."""
    root = tmp_path_factory.mktemp("workspace")
    data = write_pictures(tmp_path_factory.mktemp("pictures"), 60)
    ended = run(RunSettings(task=PICTURES, data=str(data), overrides=QUICK, workspace=root), Listener())
    assert ended.pushed == "1", ended.verdict
    push_texts(root)
    return root


def push_texts(workspace: Path) -> None:
    tf = load_tensorflow()

    class Turned(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="source")])
        def raw(self, source: Any) -> dict[str, Any]:
            letters = tf.strings.unicode_split(source, "UTF-8")
            return {"translation": tf.strings.reduce_join(tf.reverse(letters.to_tensor(""), [1]), axis=1)}

    turned = Turned()
    model = workspace / TEXTS / "serving" / "1"
    tf.saved_model.save(turned, str(model), signatures={"raw": turned.raw})
    manifest.write(model, {"task": TEXTS, "hparams": {}})
    (workspace / TEXTS / "runs").mkdir()


@pytest.fixture
def own_texts(tmp_path: Path, workspace: Path) -> Path:
    """A workspace that a test may change, with the model of texts."""
    shutil.copytree(workspace / TEXTS, tmp_path / TEXTS)
    return tmp_path


@pytest.fixture(scope="module")
def site(workspace: Path) -> Iterator[str]:
    with answering(workspace) as address:
        yield address


def picture(colour: str = "red") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (48, 32), colour).save(stream, "PNG")
    return stream.getvalue()


def uri(content: bytes) -> str:
    return "data:application/octet-stream;base64," + base64.b64encode(content).decode()


def test_a_picture_is_uploaded_and_named(site: str, workspace: Path, visit: Callable[..., Any]) -> None:
    before = {path for path in workspace.rglob("*") if path.is_file()}
    page = visit(f"{site}/models/{PICTURES}")
    page.set_input_files("#try input[type=file]", {"name": "a <b>.png", "mimeType": "image/png", "buffer": picture()})
    page.wait_for_selector("#try >> text=a <b>.png")
    page.click("#try-ask")
    page.wait_for_selector("#try-ask:disabled")
    page.wait_for_selector(".answer", timeout=ANSWERED_MS)
    shown = page.locator(".answer .shares .name").all_inner_texts()
    assert page.inner_text(".answer-label") == shown[0] and len(shown) > 1
    assert page.locator(".answer .preview img").evaluate("one => one.naturalWidth")
    assert page.locator("#try-ask:disabled").count() == 0
    shoot(page, "try-picture")
    after = {path for path in workspace.rglob("*") if path.is_file()}
    assert after == before


def test_an_answer_is_told_as_the_table_of_predict_tells_it() -> None:
    given = {"label": "Ann", "embedding": [0.123456789] * 128, "score": 0.98765432}
    seen = {"title": "Ann: 0.988, threshold 0.5", "correct": None, "slice": {}, "parts": []}
    answer = Answer(given, {"score": 0.98765432, "nearest": "Ann 0.988"}, {}, seen, {})
    shown = str(_answer(answer).to_plotly_json())
    assert "Ann 0.988" in shown and "0.9877" in shown and "threshold 0.5" in shown
    assert "embedding" not in shown and "0.123456789" not in shown


def test_an_answer_without_a_likely_class_is_said_to_be_unsure() -> None:
    assert _doubt({"a": 0.4, "b": 0.35, "c": 0.25}) == "Unsure: the likeliest has 40%, less than all others together."
    assert _doubt({"a": 0.6, "b": 0.4}) == ""


def test_answers_to_several_rows_stand_in_a_table() -> None:
    seen = {"title": "x", "correct": None, "slice": {}, "parts": []}
    table, *shown = _answers([Answer({}, {"user": i, "items": ["a", "b"]}, {}, seen, {}) for i in range(20)])
    assert len(shown) == SHOWN_ANSWERS and str(table).count("Tr(") == 21


def test_a_text_is_typed_and_answered(site: str, visit: Callable[..., Any]) -> None:
    page = visit(f"{site}/models/{TEXTS}")
    page.fill("#try textarea", stores.HOSTILE)
    page.click("#try-ask")
    page.wait_for_selector(".answer", timeout=ANSWERED_MS)
    assert stores.HOSTILE[::-1] in page.inner_text(".answer dl")
    assert stores.HOSTILE in page.inner_text(".asked")
    shoot(page, "try-text")


def test_a_sound_is_recorded(tmp_path: Path, own_site: str, visit: Callable[..., Any]) -> None:
    stores.pushed(tmp_path, "speech_recognition", 1)
    (tmp_path / "speech_recognition" / "runs").mkdir()
    page = visit(f"{own_site}/models/speech_recognition")
    page.click("button.record")
    page.wait_for_selector("button.record:has-text('Stop')")
    page.wait_for_timeout(300)  # of the tone that the browser's stand-in for a microphone makes
    page.click("button.record")
    page.wait_for_selector("#try >> text=recording.wav")
    assert page.inner_text("button.record") == "● Record"


def test_a_question_that_changes_takes_its_answer_along(
    tmp_path: Path, own_site: str, visit: Callable[..., Any]
) -> None:
    stores.pushed(tmp_path, PICTURES, 1)
    (tmp_path / PICTURES / "runs").mkdir()
    page = visit(f"{own_site}/models/{PICTURES}")
    field = page.locator("#try input[type=file]")
    page.click("#try-ask")
    until(page, lambda: "Choose a file for image first." in page.inner_text("#try-answer"))
    field.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": picture()})
    page.wait_for_selector("#try >> text=: a.png")
    until(page, lambda: page.locator(".seen").evaluate("one => one.naturalWidth") == 48)
    assert not page.inner_text("#try-answer")
    field.set_input_files({"name": "b.exe", "mimeType": "application/x-msdownload", "buffer": b"MZ"})
    page.wait_for_selector("#try-status >> text=b.exe is not taken: give")
    assert page.inner_text("#try-status").endswith(". No file is chosen now.")
    until(page, lambda: page.locator(".seen").count() == 0)
    page.click("#try-ask")
    until(page, lambda: "Choose a file for image first." in page.inner_text("#try-answer"))


def test_what_is_typed_has_a_label(tmp_path: Path, own_site: str, visit: Callable[..., Any]) -> None:
    stores.pushed(tmp_path, TEXTS, 1)
    (tmp_path / TEXTS / "runs").mkdir()
    page = visit(f"{own_site}/models/{TEXTS}")
    page.locator("#try label").first.click()
    until(page, lambda: page.evaluate("document.activeElement.tagName") == "TEXTAREA")


def test_what_a_model_cannot_take_is_refused_in_words(site: str, visit: Callable[..., Any]) -> None:
    page = visit(f"{site}/models/{PICTURES}")
    page.click("#try-ask")
    until(page, lambda: "Choose a file for image first." in page.inner_text("#try-answer"))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (Asked(PICTURES, {}, {}), "Choose a file for image"),
        (Asked(PICTURES, {}, {"image": ("a.exe", uri(b"MZ"))}), "is of a kind that is not read"),
        (
            Asked(PICTURES, {}, {"image": ("../../a.png/", uri(b"MZ"))}),
            "did not|cannot|not an? picture|no picture|image",
        ),
        (Asked(PICTURES, {}, {"image": ("a.png", "data:image/png;base64,?")}), "did not arrive whole"),
        (Asked(PICTURES, {}, {"image": ("a.png", uri(bytes(Trial.MAX_BYTES + 1)))}), "a file may have 1 to"),
        (Asked(PICTURES, {}, {"image": ("a.png", uri(b""))}), "a file may have 1 to"),
        (Asked(TEXTS, {"source": ""}, {}), "Give source a value"),
        (Asked(TEXTS, {"source": "x" * (Trial.MAX_TEXT + 1)}, {}), "longer than"),
        (Asked("gan", {"seed": 1}, {}), "no pushed model"),
        (Asked("../../etc", {}, {}), "no such task"),
    ],
)
def test_what_is_too_much_or_of_no_use_is_refused(asked: Asked, reason: str, workspace: Path) -> None:
    with pytest.raises(Refused, match=reason):
        Trial().ask(Store(workspace), asked)


def test_a_model_has_so_much_time_and_no_more(workspace: Path) -> None:
    trial = Trial(seconds=0.6)
    with pytest.raises(Refused, match=r"not answered after 1 s"):
        trial.ask(Store(workspace), Asked(TEXTS, {"source": "a"}, {}))
    assert process_of(trial).ended


def test_an_example_of_the_eval_split_is_answered_anew(
    site: str, workspace: Path, visit: Callable[..., Any], trial: Trial
) -> None:
    """By the model that the run pushed; what the report kept is shown as it was. Nobody else is asked in its place."""
    store = Store(workspace)
    [run] = store.runs(PICTURES)
    table = table_of.read(store, run)
    kept = {preview["example"]: preview for preview in store.report(run)["previews"]}
    rows = [row for row in table.to_pylist() if row["example"] not in kept] or table.to_pylist()
    shown = trial.show(store, run, rows[0]["place"], rows[0]["example"])
    assert shown.preview["title"] == f"{rows[0]['truth']} → {rows[0]['answer']}"
    assert shown.preview["correct"] is rows[0]["correct"] and len(shown.shown) == 1
    with pytest.raises(Refused, match="does not hold this example any more"):
        trial.show(store, run, rows[0]["place"] + 1, rows[0]["example"])
    for pushed, words in ((None, "pushed no model"), ("7", "version 7, which is not there any more")):
        with pytest.raises(Refused, match=words):
            trial.show(store, dataclasses.replace(run, pushed=pushed), 0, rows[0]["example"])
    example = next(row["example"] for row in table.to_pylist() if row["example"] in kept)
    page = visit(f"{site}/answers/{run.key}/{example}")
    page.wait_for_selector("#preview figure.preview")
    shoot(page, "one-answer")


@pytest.fixture
def trial() -> Iterator[Trial]:
    asking = Trial(seconds=600)  # a machine that tests may be slow
    yield asking
    asking.close()


class process_of:
    """What became of the process that answered last."""

    def __init__(self, trial: Trial) -> None:
        self.pid = next(model.pid for _, model in [trial._loaded] if model)  # type: ignore[misc]

    @property
    def ended(self) -> bool:
        status = Path(f"/proc/{self.pid}/stat")
        deadline = time.monotonic() + 20
        while status.exists() and status.read_text(encoding="ascii").split()[2] != "Z":
            if time.monotonic() > deadline:
                return False
            threading.Event().wait(0.02)
        return True


def answer(trial: Trial, workspace: Path, text: str, task: str = TEXTS) -> Any:
    [answer] = trial.ask(Store(workspace), Asked(task, {"source": text}, {}))
    return answer.values["translation"]


def test_one_process_answers_question_after_question_until_another_version_is_there(
    trial: Trial, own_texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert answer(trial, own_texts, "ab") == "ba"
    first = process_of(trial)
    assert answer(trial, own_texts, stores.HOSTILE) == stores.HOSTILE[::-1]
    assert process_of(trial).pid == first.pid
    assert not list(tmp_path.glob("benison-try-*")), "what was given is not kept"
    with pytest.raises(Refused, match="longer than"):
        answer(trial, own_texts, "x" * (Trial.MAX_TEXT + 1))
    with pytest.raises(Refused, match="20000 characters; must be 1 to 2000"):
        answer(trial, own_texts, "x" * Trial.MAX_TEXT)
    assert answer(trial, own_texts, "ab") == "ba"
    assert process_of(trial).pid == first.pid, "a question that is refused costs no process"
    serving = own_texts / TEXTS / "serving"
    shutil.copytree(serving / "1", serving / "2")
    assert answer(trial, own_texts, "cd") == "dc"
    assert process_of(trial).pid != first.pid and first.ended


def test_what_is_changed_behind_a_kept_process_is_checked_anew(trial: Trial, own_texts: Path) -> None:
    assert answer(trial, own_texts, "ab") == "ba"
    (own_texts / TEXTS / "serving" / "1" / "more.txt").write_text("", encoding="utf-8")
    with pytest.raises(Refused, match=r"more.txt is not part of the model"):
        answer(trial, own_texts, "ab")


def test_after_a_crash_there_is_a_fresh_process(trial: Trial, own_texts: Path) -> None:
    assert answer(trial, own_texts, "ab") == "ba"
    assert trial._loaded
    trial._loaded[1].kill()
    trial._loaded[1]._process.wait()
    assert answer(trial, own_texts, "ab") == "ba"


@pytest.mark.parametrize(
    ("mebibytes", "said"),
    [(16, "process ended with"), (256, "failed to map|emory|cannot allocate|process ended with")],
)
def test_a_process_that_fails_says_so_and_the_next_is_fresh(
    trial: Trial, own_texts: Path, monkeypatch: pytest.MonkeyPatch, mebibytes: int, said: str
) -> None:
    """Too little memory for Python, or for what the model needs."""
    monkeypatch.setattr(KeptModel, "MEMORY_BYTES", mebibytes * 2**20)
    with pytest.raises(Refused, match=said):
        answer(trial, own_texts, "ab")
    monkeypatch.undo()
    assert answer(trial, own_texts, "ab") == "ba"


def test_a_process_that_nobody_asks_ends(own_texts: Path) -> None:
    trial = Trial(idle_seconds=0.2)
    assert answer(trial, own_texts, "ab") == "ba"
    deadline = time.monotonic() + 20
    while trial._loaded and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    assert trial._loaded is None


def test_a_process_ends_with_the_dashboard_that_started_it(own_texts: Path) -> None:
    """However that ended: it is killed here, and could say nothing to anyone."""
    code = f"""
import os, signal
from pathlib import Path
from dashboard.store import Store
from dashboard.try_it import Asked, Trial
trial = Trial()
trial.ask(Store(Path({str(own_texts)!r})), Asked({TEXTS!r}, {{"source": "a"}}, {{}}))
print(trial._loaded[1].pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = {**os.environ, "BENISON_DASHBOARD_TOKEN": "secret, and of no concern to a model"}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    orphan = process_of.__new__(process_of)
    orphan.pid = int(said.stdout)
    assert orphan.ended


def test_a_process_knows_no_token_and_has_its_limits(
    trial: Trial, own_texts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENISON_DASHBOARD_TOKEN", "a token that nobody guesses")
    assert answer(trial, own_texts, "ab") == "ba"
    pid = process_of(trial).pid
    known = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"BENISON_DASHBOARD_TOKEN" not in known and b"CUDA_VISIBLE_DEVICES=\0" in known
    assert resource.prlimit(pid, resource.RLIMIT_AS) == (KeptModel.MEMORY_BYTES,) * 2
    assert resource.prlimit(pid, resource.RLIMIT_FSIZE) == (KeptModel.WRITTEN_BYTES,) * 2


def test_a_form_asks_for_what_the_task_predicts_from() -> None:
    [table] = fields_of(load("sequence_regression")).values()
    assert table.asked.kind == TABLE and ".csv" in table.asked.suffixes
    assert all(name in table.said for name in inputs_of(load("sequence_regression")))
    [text] = fields_of(load(TEXTS)).values()
    assert (text.asked.kind, text.asked.multiline) == ("text", True)
    [seed] = fields_of(load("gan")).values()
    assert (seed.asked.kind, seed.asked.step) == ("number", 1)
    [sound] = fields_of(load("speech_recognition")).values()
    assert (sound.asked.kind, sound.asked.recordable) == ("file", True)


def test_a_field_is_shown_as_its_column_says() -> None:
    """A kind of column of tomorrow needs no line of the page."""

    def drawn(**asked: Any) -> dict[str, Any]:
        return _input("x", Field("what it is", FormField(**asked))).to_plotly_json()

    number = drawn(kind="number", minimum=0.0, maximum=2.0, default=0.7)
    assert number["type"] == "Input"
    expected = {"type": "number", "min": 0.0, "max": 2.0, "step": "any", "value": 0.7}
    assert {name: number["props"][name] for name in expected} == expected
    choice = drawn(kind="choice", choices=("major", "minor"), default="minor")
    assert (choice["type"], choice["props"]["options"]) == ("Dropdown", ["major", "minor"])
    assert drawn(kind="text", multiline=True)["type"] == "Textarea"
    assert drawn(kind="text", default="once")["props"]["value"] == "once"

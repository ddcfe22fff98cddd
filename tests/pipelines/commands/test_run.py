from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from data.errors import DataRefused
from pipelines.settings import RunSettings
from tests.pipelines.command_line import RESULT, Benison, Runs


def test_a_run_shows_its_nodes_and_how_it_ended(benison: Benison) -> None:
    ended = benison("run", "digits")
    assert (ended.code, ended.err) == (0, "")
    assert "✓ Trainer" in ended.out and "blessed: accuracy 0.99" in ended.out and "benison predict digits" in ended.out
    assert "\x1b" not in ended.out


def test_run_json_is_one_object_with_the_promised_keys(benison: Benison) -> None:
    assert benison("run", "digits", "--json").json == RESULT.to_json()


def test_options_become_settings(benison: Benison, runs: Runs, tmp_path: Path) -> None:
    options = ["--data", "d", "--set", "epochs=3", "--set", "dropout=0.1", "--steps", "5", "--limit", "6"]
    more = ["--workers", "2", "--from", "Transform", "--to", "Evaluator", "--fresh", "--workspace", tmp_path]
    assert benison("run", "digits", *options, *more).code == 0
    overrides = {"epochs": "3", "dropout": "0.1"}
    assert runs.asked == [RunSettings("digits", "d", overrides, 5, 6, 2, "Transform", "Evaluator", True, tmp_path)]


def test_without_options_the_defaults_hold(benison: Benison, runs: Runs, tmp_path: Path) -> None:
    benison("run", "digits")
    assert runs.asked == [RunSettings("digits", workspace=tmp_path / "workspace")]


def test_stored_settings_can_be_given_back_and_the_command_line_wins(
    benison: Benison, runs: Runs, tmp_path: Path
) -> None:
    stored = RunSettings("letters", "d", {"epochs": "3", "seed": "1"}, steps=5, workspace=tmp_path / "workspace")
    (tmp_path / "settings.yaml").write_text(stored.to_yaml())
    benison("run", "--config", tmp_path / "settings.yaml")
    benison("run", "digits", "--config", tmp_path / "settings.yaml", "--steps", "7", "--set", "seed=2")
    merged = replace(stored, task="digits", steps=7, overrides={"epochs": "3", "seed": "2"})
    assert runs.asked == [stored, merged]


def test_a_model_that_is_not_blessed_exits_3(benison: Benison, runs: Runs) -> None:
    runs.ends["digits"] = replace(RESULT, exit=3, blessed=False, pushed=None)
    assert benison("run", "digits").code == 3


def test_all_tasks_run_even_if_one_fails_and_the_worst_decides(benison: Benison, runs: Runs) -> None:
    runs.ends["digits"] = DataRefused("9% are bad", "mend them")
    runs.ends["letters"] = replace(RESULT, task="letters", exit=3, blessed=False, verdict="not blessed: accuracy 0.5")
    ended = benison("run", "--all")
    assert ended.code == 4 and "9% are bad" in ended.err
    digits, letters = ended.out.splitlines()[-2:]
    assert digits.split()[:2] == ["digits", "4"] and "9% are bad" in digits
    assert letters.split()[:2] == ["letters", "3"] and "not blessed" in letters
    first, second = benison("run", "digits", "letters", "--json").json
    assert first == {"task": "digits", "error": "9% are bad", "fix": "mend them", "exit": 4}
    assert (second["task"], second["exit"]) == ("letters", 3)

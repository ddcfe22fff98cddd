from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from data.errors import WrongUse
from pipelines.settings import RunSettings, apply_overrides, check_local, merge, parse_overrides, read_config
from trainer.task import HParams


@dataclass(frozen=True)
class Example(HParams):
    dropout: float = field(default=0.5, metadata={"min": 0.0, "max": 0.9})
    cell: Literal["lstm", "gru"] = "lstm"
    depth: int | None = None
    note: str | None = ""


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_stored_settings_can_be_given_back(tmp_path: Path) -> None:
    settings = RunSettings(
        task="image_classification",
        data="ö/digits",
        overrides={"epochs": "3", "xla": "true", "cell": "none"},
        steps=10,
        limit=20,
        workers=2,
        from_node="Trainer",
        to_node="Evaluator",
        fresh=True,
        workspace=tmp_path,
    )
    assert merge(read_config(config(tmp_path, settings.to_yaml())), {}) == settings


def test_default_settings_can_be_given_back(tmp_path: Path) -> None:
    settings = RunSettings(task="image_classification")
    assert merge(read_config(config(tmp_path, settings.to_yaml())), {}) == settings


def test_values_of_set_are_taken_as_the_command_line_would_have_them(tmp_path: Path) -> None:
    path = config(tmp_path, "set:\n  epochs: 3\n  learning_rate: 1e-3\n  dropout: 0.25\n  xla: yes\n  depth: null\n")
    hparams, _ = apply_overrides(Example, read_config(path)["overrides"])
    assert hparams == Example(epochs=3, learning_rate=0.001, dropout=0.25, xla=True, depth=None)


def test_command_line_wins_over_the_file_and_overrides_merge_by_name() -> None:
    stored = {"task": "a", "steps": 5, "workers": 2, "fresh": True, "overrides": {"epochs": "3", "seed": "1"}}
    given = {"task": "b", "steps": 7, "workers": None, "fresh": None, "data": None, "overrides": {"seed": "2"}}
    assert merge(stored, given) == RunSettings(
        task="b", steps=7, workers=2, fresh=True, overrides={"epochs": "3", "seed": "2"}
    )


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        ("stpes: 3", "no setting 'stpes'", "did you mean steps"),
        ("zzz: 3", "no setting 'zzz'", "there are: task, data, set, steps"),
        ("steps: many", "steps is 'many'; expected a whole number", ""),
        ("steps: true", "steps is True; expected a whole number", ""),
        ("workers: 0", "workers is 0; expected at least 1", ""),
        ("data: 2024", "data is 2024; expected a text", "quotes"),
        ("fresh: 1", "fresh is 1; expected true or false", ""),
        ("set: [epochs=3]", "expected a mapping of names to values", "set:"),
        ("set: {epochs: [3]}", "epochs is [3]; expected one value", ""),
        ("- task", "line 1: expected settings", ""),
        ("task: a\nsteps: 3\n  data: [", "line 3", ""),
        ("task: \x00", "is not YAML", ""),
    ],
)
def test_what_a_file_says_wrongly_is_named(tmp_path: Path, text: str, message: str, fix: str) -> None:
    with pytest.raises(WrongUse) as caught:
        read_config(config(tmp_path, text))
    assert message in caught.value.message and "run.yaml" in caught.value.message
    assert fix in caught.value.fix


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"data: caf\xe9")
    for name, message in {"none.yaml": "no such file", "latin.yaml": "not UTF-8", ".": "cannot be read"}.items():
        with pytest.raises(WrongUse, match=message):
            read_config(tmp_path / name)


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    assert read_config(config(tmp_path, "# nothing\n")) == {}


def test_pairs_are_split_at_the_first_equals_sign() -> None:
    assert parse_overrides(["a=1", "b=x=y", " c = 2", "a=3", "d="]) == {"a": "3", "b": "x=y", "c": "2", "d": ""}


@pytest.mark.parametrize("pair", ["epochs", "=3", " =3"])
def test_pairs_without_name_or_value_are_refused(pair: str) -> None:
    with pytest.raises(WrongUse, match="NAME=VALUE"):
        parse_overrides([pair])


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", "3", 3),
        ("learning_rate", "1e-4", 0.0001),
        ("learning_rate", "0", 0.0),
        ("mixed_precision", "True", True),
        ("xla", "false", False),
        ("cell", "gru", "gru"),
        ("depth", "none", None),
        ("depth", "4", 4),
        ("note", "none", None),
        ("note", "4", "4"),
    ],
)
def test_values_have_their_fields_types(name: str, text: str, value: object) -> None:
    found = getattr(apply_overrides(Example, {name: text})[0], name)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("epochs", "3.5", "a whole number, at least 1"),
        ("epochs", "0", "a whole number, at least 1"),
        ("dropout", "0.91", "a number, at least 0, at most 0.9"),
        ("learning_rate", "nan", "a number, at least 0"),
        ("learning_rate", "inf", "a number"),
        ("learning_rate", "", "a number"),
        ("xla", "maybe", "true or false"),
        ("cell", "rnn", "one of lstm, gru"),
        ("depth", "deep", "a whole number or none"),
        ("max_quarantined", "1.5", "a number, at least 0, at most 1"),
        ("gate", "high", "a number or none"),
    ],
)
def test_values_that_do_not_fit_are_refused_with_the_type(name: str, text: str, expected: str) -> None:
    with pytest.raises(WrongUse) as caught:
        apply_overrides(Example, {name: text})
    assert f"--set {name}={text}: expected {expected}" in caught.value.message
    assert "its default is" in caught.value.fix


def test_unknown_names_are_refused_with_the_closest() -> None:
    with pytest.raises(WrongUse) as caught:
        apply_overrides(Example, {"learning_rat": "1"})
    assert "did you mean learning_rate?" in caught.value.fix
    with pytest.raises(WrongUse) as caught:
        apply_overrides(Example, {"max_quarantine": "1"})
    assert "max_quarantined" in caught.value.fix


def test_options_beside_the_hyper_parameters() -> None:
    hparams, options = apply_overrides(Example, {"max_quarantined": "0.2", "gate": "0.9", "seed": "7"})
    assert (hparams.seed, options.max_quarantined, options.gate) == (7, 0.2, 0.9)
    assert apply_overrides(Example, {})[1].gate is None


def test_groups_of_options_have_names_with_a_dot() -> None:
    overrides = {"cluster.gpus": "2", "cluster.training": "tfjob", "beam.workers": "3", "gate": "0.5", "seed": "7"}
    hparams, options = apply_overrides(Example, overrides)
    assert (hparams.seed, options.gate) == (7, 0.5)
    assert (options.cluster.gpus, options.cluster.training, options.beam.workers) == (2, "tfjob", 3)
    assert options.cluster.namespace == "benison"


@pytest.mark.parametrize(
    ("name", "text", "message", "fix"),
    [
        ("cluster.gpu", "1", "there is no setting 'cluster.gpu'", "cluster.gpus"),
        ("gpus", "1", "there is no setting 'gpus'", "cluster.gpus"),
        ("cluster", "1", "there is no setting 'cluster'", ""),
        ("cluster.gpus", "-1", "--set cluster.gpus=-1: expected a whole number, at least 0", "its default is 0"),
        ("cluster.training", "pod", "expected one of job, tfjob, trainjob", "its default is job"),
        ("beam.runner", "storm", "--set beam.runner=storm: expected one of direct", "its default is direct"),
    ],
)
def test_groups_are_checked_as_the_others_are(name: str, text: str, message: str, fix: str) -> None:
    with pytest.raises(WrongUse) as caught:
        apply_overrides(Example, {name: text})
    assert message in caught.value.message and fix in caught.value.fix


def test_a_run_on_this_machine_has_no_cluster_settings() -> None:
    check_local(Example, {"seed": "1", "beam.workers": "2"})
    with pytest.raises(WrongUse, match="cluster.gpus"):
        check_local(Example, {"cluster.gpus": "1"})


def test_a_run_says_the_command_that_makes_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENISON_WORKSPACE", raising=False)
    assert RunSettings(task="gan", from_node="Trainer", fresh=True).command() == "benison run gan"
    told = RunSettings(
        task="gan", data="my photos", overrides={"epochs": "3"}, steps=9, limit=5, workers=2, workspace=Path("/w")
    )
    assert told.command() == (
        "benison run gan --data 'my photos' --set epochs=3 --steps 9 --limit 5 --workers 2 --workspace /w"
    )

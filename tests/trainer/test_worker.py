"""What a worker plans, writes and goes back to, without a training: whole ones are in tests/pipelines."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from data.errors import BenisonError
from trainer import inputs, worker
from trainer.backend import tf
from trainer.task import HParams
from trainer.worker import MIN_ROUND, TrainingSpec


def spec(folder: Path, **fields: Any) -> TrainingSpec:
    places = {name: str(folder / name) for name in ("transform_graph", "model_dir", "log_dir", "training_dir")}
    return TrainingSpec("image_classification", {}, [], **{**places, **fields})


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plan of a training on so many examples."""

    def planned(examples: int, replicas: int = 1, steps: int | None = None, **hparams: Any) -> Any:
        monkeypatch.setattr(inputs, "training_count", lambda _: examples)
        monkeypatch.setattr(inputs, "validation_plan", lambda *_: SimpleNamespace(steps=2))
        task: Any = SimpleNamespace(hparams=HParams(**{"global_batch_size": 10, **hparams}))
        return worker._plan(spec(tmp_path, steps=steps), task, replicas, None)  # type: ignore[arg-type]

    return planned


def test_a_round_is_a_pass_and_there_are_as_many_as_epochs(plan: Any) -> None:
    found = plan(5000, epochs=3, min_steps=1)
    assert (found.rounds, found.steps_per_round, found.steps, found.validation_steps) == (3, 500, 1500, 2)


def test_small_data_is_gone_through_until_the_least_steps_are_taken(plan: Any) -> None:
    found = plan(40, epochs=3, min_steps=1000)
    assert (found.rounds, found.steps_per_round) == (1000 // MIN_ROUND, MIN_ROUND)


@pytest.mark.parametrize("steps", [1, 7, MIN_ROUND + 1])
def test_no_more_steps_are_taken_than_are_asked_for(plan: Any, steps: int) -> None:
    assert 1 <= plan(40, min_steps=1000, steps=steps).steps <= steps
    assert plan(3, min_steps=1, epochs=1).steps == 1  # fewer examples than one batch


@pytest.mark.parametrize(("replicas", "who"), [(3, "3 GPUs of 1 workers"), (7, "7 GPUs of 1 workers")])
def test_a_batch_that_cannot_be_shared_is_refused_with_what_can(plan: Any, replicas: int, who: str) -> None:
    with pytest.raises(BenisonError, match=f"global_batch_size 10 cannot be shared by {who}") as caught:
        plan(100, replicas=replicas)
    assert f"a multiple of {replicas}" in caught.value.fix
    assert plan(100, replicas=5).steps


def test_a_spec_is_the_same_after_its_way_to_another_process(tmp_path: Path) -> None:
    told = spec(tmp_path, steps=5, assets={"backbone": None})
    assert TrainingSpec(**json.loads(json.dumps(worker.as_dict(told)))) == told


def progress(file: Path) -> Any:
    return worker._progress_callback(file, worker._Plan(rounds=4, steps_per_round=5, validation_steps=1))


def test_curves_go_on_where_an_interrupted_training_left_them(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    first = progress(file)
    for epoch, loss in enumerate((3.0, 2.0, 1.5)):
        first.on_epoch_begin(epoch)
        for batch in range(5):
            first.on_train_batch_end(batch, {"loss": loss})
        first.on_epoch_end(epoch, {"loss": loss, "val_loss": loss + 1})
    assert json.loads(file.read_text())["step"] == 15 and json.loads(file.read_text())["steps_total"] == 20
    again = progress(file)
    again.on_epoch_begin(2)  # the backup is of the end of the second round
    assert again.step == 10 and again.history == {"loss": [3.0, 2.0], "val_loss": [4.0, 3.0]}
    again.on_epoch_end(2, {"loss": 1.25, "val_loss": 2.0})
    again.on_train_end()
    told = json.loads(file.read_text())
    assert told["history"]["loss"] == [3.0, 2.0, 1.25] and told["stopped_early"] is True


def stopping(monitor: str, losses: list[float], patience: int) -> tuple[int, float]:
    """In which round a training of these losses ends, and which round's weight it has then."""
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, use_bias=False)])
    model.build([None, 1])
    model.stop_training = False
    callback = worker._early_stopping(monitor, patience)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        model.set_weights([tf.fill([1, 1], float(epoch)).numpy()])
        callback.on_epoch_end(epoch, {monitor: loss})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch, float(model.get_weights()[0][0, 0])


def test_a_training_that_is_stopped_goes_back_to_its_best_and_one_that_is_not_stays() -> None:
    assert stopping("val_loss", [3.0, 1.0, 2.0, 2.0, 2.0, 0.1], patience=3) == (4, 1.0)
    assert stopping("val_loss", [3.0, 1.0, 2.0, 2.0], patience=3) == (3, 3.0)


def test_a_loss_that_is_no_number_is_not_written_at_the_end(tmp_path: Path) -> None:
    made = progress(tmp_path / "progress.json")
    made.history = {"loss": [1.0, float("nan")]}
    made.on_train_end()
    assert not (tmp_path / "progress.json").exists()


def test_the_command_says_how_it_is_called_and_what_went_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["worker"])
    assert worker.main() == 2 and "usage" in capsys.readouterr().err
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(worker.as_dict(spec(tmp_path))))
    monkeypatch.setattr("sys.argv", ["worker", str(file)])

    def refusing(told: dict[str, Any]) -> None:
        assert TrainingSpec(**told) == spec(tmp_path)
        raise BenisonError("the loss is no number", "lower the learning rate")

    monkeypatch.setattr(worker, "train", refusing)
    assert worker.main() == BenisonError("").exit_code
    assert "the loss is no number" in capsys.readouterr().err

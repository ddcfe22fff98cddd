"""Which bounds hold on which data."""

from __future__ import annotations

from pipelines.dag import effective_evaluation
from trainer.evaluation import Evaluation, Gate

GATES = (
    Gate("accuracy", bound=0.9, slice_bound=0.5, reference_margin=0.15),
    Gate("loss", higher_is_better=False, reference_margin=None),
    Gate("recall", reference_margin=-0.02),
)
EVALUATION = Evaluation("probabilities", "label", metrics=(), gates=GATES)


def test_on_default_data_all_bounds_hold() -> None:
    assert effective_evaluation(EVALUATION, default_data=True, gate=None).gates == GATES


def test_on_other_data_neither_a_bound_nor_a_margin_over_the_references_holds() -> None:
    accuracy, loss, recall = effective_evaluation(EVALUATION, default_data=False, gate=None).gates
    assert accuracy == Gate("accuracy", reference_margin=0.0)
    assert loss.reference_margin is None, "what is not compared stays so"
    assert recall.reference_margin == -0.02, "what the task allows a model to be behind, it may be on all data"


def test_a_persons_bound_takes_the_place_of_the_tasks() -> None:
    for default_data in (True, False):
        [first, *_] = effective_evaluation(EVALUATION, default_data, gate=0.7).gates
        assert first.bound == 0.7

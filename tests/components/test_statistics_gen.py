"""StatisticsGen's batches do not depend on how long they take."""

from __future__ import annotations

from typing import Any

import pytest
from tfx.components.statistics_gen import executor
from tfx_bsl.coders import batch_util

from components.statistics_gen import BATCH, StatisticsExecutor


@pytest.mark.parametrize("fails", [False, True])
def test_batches_are_of_one_size_within_the_node_alone(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    seen = []

    def do(self: Any, *_: Any) -> None:
        seen.append(batch_util.GetBatchElementsKwargs(None, len))
        assert not fails

    monkeypatch.setattr(executor.Executor, "Do", do)
    before = batch_util.GetBatchElementsKwargs(None)
    if fails:
        with pytest.raises(AssertionError):
            StatisticsExecutor().Do({}, {}, {})
    else:
        StatisticsExecutor().Do({}, {}, {})
    assert seen == [{"min_batch_size": BATCH, "max_batch_size": BATCH}]
    assert batch_util.GetBatchElementsKwargs(None) == before != seen[0]

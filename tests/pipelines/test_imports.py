from __future__ import annotations

import sys

import pytest

from pipelines.imports import without


def test_modules_are_missing_within_and_there_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with without("colorsys"), pytest.raises(ImportError):
        import colorsys
    import colorsys

    assert colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)


def test_what_was_imported_before_stays() -> None:
    with without("sys"):
        import sys as again
    assert again is sys and sys.modules["sys"] is sys


def test_an_error_within_hides_nothing_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with pytest.raises(ValueError), without("colorsys"):
        raise ValueError
    assert "colorsys" not in sys.modules

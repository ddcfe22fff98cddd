"""The two sets of `gan`: coloured shapes of 32 x 24 pixels, and grey letters of 40 that nobody labelled."""

from __future__ import annotations

from benchmarks.foreign_sets.gan import SETS

__all__ = ["SETS"]

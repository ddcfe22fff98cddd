"""How much memory a run took."""

from __future__ import annotations

import resource


def peak_rss_mb() -> float:
    """Peak resident memory of this process or, if larger, of the largest of its children, in MB."""
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(peak * 1024 / 1e6, 1)

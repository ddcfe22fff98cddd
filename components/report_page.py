"""The one-file report: `report.json` and its previews as a page that needs no network, no script and no server."""

from __future__ import annotations

import base64
import json
import math
import mimetypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WIDTH, HEIGHT = 560, 180
"""Of charts, in SVG units."""


def render(report_dir: Path) -> Path:
    """Writes `index.html` from `report.json` (see `components.report`) and returns its path.

    All but `task` may be missing from the report: what a run did not come to is said in words.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    report = json.loads((report_dir / "report.json").read_text(encoding="utf-8"))
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["number"] = number
    templates.globals |= {"data_uri": lambda name: data_uri(report_dir, name)}
    page = report_dir / "index.html"
    html = templates.get_template("report.html.j2").render(
        report=_EMPTY | report, curves=curves(report.get("curves", {})), gantt=gantt(report.get("nodes", []))
    )
    page.write_text(html, encoding="utf-8")
    return page


_EMPTY: dict[str, Any] = {
    "title": "",
    "questions": [],
    "run_id": "",
    "created": "",
    "blessed": None,
    "verdict": "",
    "key_metric": "",
    "gates": [],
    "metrics": {},
    "reference": {},
    "baseline": {},
    "slices": [],
    "confusion": None,
    "examples": {},
    "quarantine": [],
    "previews": [],
    "hparams": {},
    "settings": {},
    "data": {},
    "code_digest": "",
    "versions": {},
    "pushed": None,
}


def number(value: Any) -> str:
    """Four significant digits; whole numbers in full; a dash for none."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        return "–" if not isinstance(value, str) else value
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) >= 10 else f"{value:.4g}"


def data_uri(report_dir: Path, name: str) -> str:
    """A file of the report inlined. Raises ValueError for a name that leaves the report's folder."""
    path = (report_dir / name).resolve()
    if not path.is_relative_to(report_dir.resolve()):
        raise ValueError(f"{name} is outside the report")
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def curves(history: dict[str, Sequence[float]]) -> list[dict[str, Any]]:
    """Charts of training curves: one a quantity, its training and validation values as polylines."""
    charts = []
    for name, train in history.items():
        if name.startswith("val_"):
            continue
        lines = {"training": train, "held out": history.get(f"val_{name}", [])}
        finite = [v for values in lines.values() for v in values if math.isfinite(v)]
        if finite:
            low, high = min(finite), max(finite)
            points = {who: _polyline(values, low, high) for who, values in lines.items() if values}
            charts.append({"name": name, "low": low, "high": high, "lines": points, "rounds": len(train)})
    return charts


def _polyline(values: Sequence[float], low: float, high: float) -> str:
    span = (high - low) or 1.0
    across = max(len(values) - 1, 1)
    return " ".join(
        f"{WIDTH * i / across:.1f},{HEIGHT * (1 - (v - low) / span):.1f}"
        for i, v in enumerate(values)
        if math.isfinite(v)
    )


def gantt(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Nodes with where their bar begins and how long it is, in percent of the run."""
    whole = max((node["start"] + node["seconds"] for node in nodes), default=0.0) or 1.0
    return [
        {**node, "left": 100 * node["start"] / whole, "width": max(100 * node["seconds"] / whole, 0.3)}
        for node in nodes
    ]

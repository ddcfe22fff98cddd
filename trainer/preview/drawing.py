"""A whole preview as one picture."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path

from trainer.preview.part import Preview


def render_png(preview: Preview, path: Path) -> None:
    """Its parts side by side under the title."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = max(1, min(len(preview.parts), 3))
    rows = max(1, math.ceil(len(preview.parts) / columns))
    figure = Figure(figsize=(max(3.6 * columns, 5.0), 3.3 * rows + 0.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    mark = "" if preview.correct is None else "✓ " if preview.correct else "✗ "
    title = textwrap.shorten(preview.title, 60 * columns, placeholder=" …")
    figure.suptitle(mark + title, fontweight="bold", parse_math=False, wrap=True)
    cells = figure.subplots(rows, columns, squeeze=False).flat
    for axes in cells:
        axes.axis("off")
    for axes, part in zip(figure.axes, preview.parts, strict=False):
        axes.set_title(textwrap.shorten(part.caption, 60, placeholder=" …"), fontsize=9, parse_math=False)
        part.draw(axes)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)

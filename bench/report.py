"""What a bench hands in: a JSON file, beside it an SVG plot, and some lines on the terminal.

Every bench measures into a plain `dict` and gives it to `write`. Beside what it likes, it may hold
`"rows"`, a list of `row(...)`: those are what `python -m bench.table` makes its table of.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pygal
from pygal.style import CleanStyle
from rich.console import Console
from rich.table import Table

from bench.machine import machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

RESULTS = Path(__file__).parent / "results"


class Plot(NamedTuple):
    """What is drawn: of each series a value for each of `x`, or None where there is none."""

    title: str
    x_title: str
    y_title: str
    x: Sequence[object]
    series: Mapping[str, Sequence[float | None]]
    bars: bool = False
    """Bars on top of each other; else lines."""


def percentiles(values: Iterable[float], *shares: float) -> dict[str, float]:
    """The values that these shares of all do not exceed, and the most: `p50`, `p99.9`, `max`.

    By nearest rank, so each is one that was measured. Empty if there are no values.
    """
    ordered = sorted(values)
    if not ordered:
        return {}
    most = len(ordered) - 1
    found = {
        f"p{100 * share:g}": ordered[min(int(share * len(ordered)), most)]
        for share in shares or (0.5, 0.99)
    }
    return {**found, "max": ordered[-1]}


def row(what: str, *, goal: str, reached: str) -> dict[str, str]:
    """A line of the table: what was measured, what it must reach, what it reached."""
    return {"what": what, "goal": goal, "reached": reached}


def write(
    name: str,
    result: Mapping[str, Any],
    *,
    settings: Mapping[str, Any],
    plot: Plot | None = None,
    folder: Path = RESULTS,
) -> Path:
    """Write `NAME.json`, and `NAME.svg` if there is something to draw; answers the former.

    `settings` is what the figures depend on: options, PostgreSQL's settings, versions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    told = {
        "bench": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "settings": settings,
        "result": result,
    }
    path.write_text(json.dumps(told, indent=2, default=str) + "\n", encoding="utf-8")
    if plot:
        path.with_suffix(".svg").write_bytes(_drawn(plot))
    return path


def show(title: str, lines: Mapping[str, object], path: Path | None = None) -> None:
    """Print a few lines of two columns, and where all of it is."""
    table = Table(title=title, title_justify="left", show_header=False, box=None, pad_edge=False)
    for what, value in lines.items():
        table.add_row(what, value if isinstance(value, str) else f"{value:,}")
    console = Console(highlight=False)
    console.print(table)
    if path:
        console.print(f"{path} and what is beside it", markup=False, soft_wrap=True)


def _drawn(plot: Plot) -> bytes:
    # Without the script that pygal would have a browser fetch from elsewhere.
    options = {"js": (), "style": CleanStyle, "legend_at_bottom": True, "truncate_legend": -1}
    kind = pygal.StackedBar if plot.bars else pygal.Line
    chart = kind(title=plot.title, x_title=plot.x_title, y_title=plot.y_title, **options)
    chart.x_labels = [str(one) for one in plot.x]
    if not plot.bars:
        chart.show_dots = False
        chart.x_labels_major_count = 10
        chart.show_minor_x_labels = False
    for name, values in plot.series.items():
        chart.add(name, list(values))
    drawn: bytes = chart.render()
    return drawn

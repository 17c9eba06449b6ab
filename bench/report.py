"""What a bench hands in: a JSON file, beside it an SVG plot, and some lines on the terminal.

Every bench measures into a plain `dict` and gives it to `write`. Beside what it likes, it may hold
`"rows"`, a list of `row(...)`: those are what `python -m bench.table` makes its table of.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib import color_sequences
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from bench.machine import machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

RESULTS = Path(__file__).parent / "results"
LABELS = 12
"""So many are written below a plot, as a rule."""


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
        _draw(plot, path.with_suffix(".svg"))
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


def _draw(plot: Plot, path: Path) -> None:
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=color_sequences["tab20"])
    places = range(len(plot.x))
    bottom = [0.0] * len(plot.x)
    for name, values in plot.series.items():
        known = [float("nan") if value is None else value for value in values]
        if plot.bars:
            axes.bar(places, known, bottom=bottom, label=name)
            bottom = [below + value for below, value in zip(bottom, known, strict=True)]
        else:
            axes.plot(places[: len(known)], known, label=name)
    every = max(1, len(plot.x) // LABELS)
    axes.set_xticks(places[::every], [str(one) for one in plot.x[::every]])
    axes.set(title=plot.title, xlabel=plot.x_title, ylabel=plot.y_title)
    drawn = bottom if plot.bars else [one for some in plot.series.values() for one in some if one]
    axes.set_ylim(0, 1.05 * max(drawn, default=0.0) or 1.0)
    if plot.series:
        figure.legend(loc="outside right upper")
    figure.savefig(path, format="svg")

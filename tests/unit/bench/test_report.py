"""What a bench hands in."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from bench import report, table


def test_percentiles_are_values_that_were_measured() -> None:
    """By nearest rank, whatever the order."""
    assert report.percentiles([3.0, 1.0, 2.0, 4.0], 0.5, 0.99) == {
        "p50": 3.0,
        "p99": 4.0,
        "max": 4.0,
    }
    assert report.percentiles([]) == {}


def test_a_result_is_json_beside_a_plot_and_names_its_machine(tmp_path: Path) -> None:
    """All that a figure depends on is beside it, and nothing is fetched to look at it."""
    plot = report.Plot("Lag", "s", "s", [0, 1], {"search": [0.5, None], "tables": [0.1, 0.2]})
    path = report.write("lag", {"p99": 1}, settings={"rate": 5}, plot=plot, folder=tmp_path)
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["result"] == {"p99": 1}
    assert told["settings"] == {"rate": 5}
    assert {"cpu", "cores", "memory_gb", "kernel", "python"} <= told["machine"].keys()
    drawn = path.with_suffix(".svg").read_text(encoding="utf-8")
    assert "<script" not in drawn
    assert "search" in drawn


def test_the_table_has_a_column_for_each_folder(tmp_path: Path) -> None:
    """Two folders are before and after; what was not measured is left empty."""
    for folder, reached in (("before", "9 s"), ("after", "2 s")):
        rows = [report.row("lag", goal="5 s", reached=reached)]
        rows += [report.row("new", goal="1", reached="1")] if folder == "after" else []
        report.write("one", {"rows": rows}, settings={}, folder=tmp_path / folder)
    folders = [str(tmp_path / name) for name in ("before", "after")]
    printed = CliRunner().invoke(table.main, folders).output
    assert "| bench | what | must reach | before | after |" in printed
    assert "| one | lag | 5 s | 9 s | 2 s |" in printed
    assert "| one | new | 1 |  | 1 |" in printed


def test_nothing_to_draw_is_drawn_as_nothing(tmp_path: Path) -> None:
    """A bench that was stopped early hands in what it has."""
    path = report.write(
        "none", {}, settings={}, plot=report.Plot("", "", "", [], {}), folder=tmp_path
    )
    assert path.with_suffix(".svg").exists()

"""`python -m bench.table [FOLDER…]`: what must be reached and what was, as Markdown.

Each folder is a column, so that two of them are before and after.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from bench.report import RESULTS


def rows_of(folder: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """What is to be reached and what was, by bench and line, of every result in a folder."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        for one in told["result"].get("rows", ()):
            found[told["bench"], one["what"]] = one["goal"], one["reached"]
    return found


@click.command()
@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(folders: tuple[Path, ...]) -> None:
    """Print the table."""
    columns = folders or (RESULTS,)
    by_folder = [rows_of(folder) for folder in columns]
    names = [folder.name for folder in columns] if len(columns) > 1 else ["reached"]
    click.echo(f"| bench | what | must reach | {' | '.join(names)} |")
    click.echo("|---" * (3 + len(columns)) + "|")
    for bench, what in dict.fromkeys(key for rows in by_folder for key in rows):
        told = [rows.get((bench, what)) for rows in by_folder]
        goal = next(one[0] for one in told if one)
        reached = " | ".join(one[1] if one else "" for one in told)
        click.echo(f"| {bench} | {what} | {goal} | {reached} |")


if __name__ == "__main__":
    main()

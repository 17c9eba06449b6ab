"""What the person in front of the terminal sees: the steps, how long each took, the address."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Terminal:
    """A calm overview; on something that is no terminal the same as plain lines."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show that a step is under way, and when it is done how long it took."""
        began = time.monotonic()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        quiet = not self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=quiet) as progress:
            progress.add_task(title)
            yield
        took_s = time.monotonic() - began
        self._console.print(f"[green]✓[/] {title}  [dim]{took_s:.1f} s[/]")

    def say(self, line: str) -> None:
        """Show one line as it is."""
        self._console.print(line, markup=False)

    def warn(self, line: str) -> None:
        """Show one line that wants attention."""
        self._console.print(line, markup=False, style="yellow")

    def fail(self, line: str) -> None:
        """Show the one sentence that says why it ends here."""
        self._console.print(line, markup=False, style="bold red")

"""Work in a process of its own that tells how far it is, and at the end what it found."""

from __future__ import annotations

from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from types import TracebackType


class Beside:
    """Runs `work(say, *arguments)` while the context is; what it said last is `told`.

    `work` is a function of a module; what it says and returns can be pickled.
    """

    def __init__(self, work: Callable[..., Any], *arguments: Any) -> None:
        context = get_context("spawn")
        self._heard, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_run, args=(theirs, work, arguments), daemon=True)
        self._theirs = theirs
        self.told: Any = None
        self.found: Any = None
        """What it returned, once it is `done`."""
        self.done = False

    def __enter__(self) -> Self:
        """It has begun when this returns."""
        self._process.start()
        self._theirs.close()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it, wherever it is."""
        self._process.terminate()
        self._process.join()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid or 0

    def listen(self, within_s: float = 0.0) -> None:
        """Hear what it has said so far. Errors: `EOFError` if it died."""
        while not self.done and self._heard.poll(within_s):
            self.done, said = self._heard.recv()
            if self.done:
                self.found = said
            else:
                self.told = said
            within_s = 0.0

    def wait(self) -> Any:
        """What it returned, as soon as it has."""
        while not self.done:
            self.listen(1.0)
        return self.found


def _run(told: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    told.send((True, work(lambda said: told.send((False, said)), *arguments)))

"""Work that goes on only while there is somebody to do it for."""

from __future__ import annotations

import time
from threading import Lock, Thread
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class Attended(Generic[T]):
    """A thread that begins with the first who joins and ends after the last who leaves.

    `work` gets those who are there, and says in how many seconds it wants to be called again.
    """

    def __init__(self, name: str, work: Callable[[Sequence[T]], float]) -> None:
        self._name = name
        self._work = work
        self._guard = Lock()
        self._present: dict[T, None] = {}
        self._working = False

    def __len__(self) -> int:
        """How many are there."""
        return len(self._present)

    def join(self, one: T) -> None:
        """Work for this one, too."""
        with self._guard:
            self._present[one] = None
            if not self._working:
                self._working = True
                Thread(target=self._run, name=self._name, daemon=True).start()

    def leave(self, one: T) -> bool:
        """Work for it no longer; whether it was there."""
        with self._guard:
            return self._present.pop(one, self) is None

    def present(self) -> list[T]:
        """Those who are there."""
        with self._guard:
            return list(self._present)

    def _run(self) -> None:
        while present := self._present_or_over():
            time.sleep(self._work(present))

    def _present_or_over(self) -> list[T]:
        with self._guard:
            self._working = bool(self._present)
            return list(self._present)

"""What many clients share, so that none can take it all.

Each may hold at most as much as is free: one alone gets half of it, two get a third each, and there
is always some left for who comes next. (Dynamic thresholds, as switches share their buffers:
Choudhury and Hahne, IEEE/ACM Transactions on Networking, 1998.)
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from vehicle_tracker.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


class FairShare:
    """An amount of something that is held for a while. Threads may share it."""

    def __init__(self, total: int, of_what: str) -> None:
        self._total = total
        self._of_what = of_what
        self._guard = Lock()
        self._of_each: dict[str, int] = {}
        self.held = 0
        """How much of it is held by all together: a gauge."""

    def take(self, client: str, amount: int) -> None:
        """Hold so much more, at least 1; `give_back` must follow. The first may hold any amount.

        Errors: `Unavailable` (`overloaded`); then nothing more is held.
        """
        with self._guard:
            own = self._of_each.get(client, 0) + amount
            if self.held and own > self._total - self.held:
                raise Unavailable("overloaded", f"More {self._of_what} wait than can be taken.")
            self._of_each[client] = own
            self.held += amount

    @contextmanager
    def holding(self, client: str, amount: int) -> Iterator[None]:
        """Hold so much more for the length of a block. Errors: as `take`."""
        self.take(client, amount)
        try:
            yield
        finally:
            self.give_back(client, amount)

    def give_back(self, client: str, amount: int) -> None:
        """Hold so much less."""
        with self._guard:
            self.held -= amount
            self._of_each[client] -= amount
            if not self._of_each[client]:
                del self._of_each[client]

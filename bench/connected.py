"""How many vehicles are connected, by the log: the monitor's rule, done again for numbers.

What the monitor judged is not looked at, but what the log says of who listened is.
"""

from __future__ import annotations

from array import array

from write_service.connection_rule import SECOND
from write_service.lateness import Lateness

NOTHING = -(2**63)


class Connected:
    """Of a fleet whose vehicles are numbered, all by one limit. Instants in microseconds.

    `heard` are their newest heartbeats. Who was not silent when nobody listened is not silent until
    a limit has passed since somebody does again.
    """

    def __init__(self, vehicles: int, limit_s: int) -> None:
        self.heard = array("q", [NOTHING]) * vehicles
        self._limit = limit_s * SECOND
        self._silent = bytearray(vehicles)
        self._listening = NOTHING
        self._lateness = Lateness()

    def hear(self, number: int, recorded: int, received: int) -> None:
        """The next heartbeat of the log."""
        newest = recorded > self.heard[number]
        self._lateness.heard(recorded, received, newest=newest)
        if newest:
            self.heard[number] = recorded
            self._silent[number] = False

    def resume(self, since: int, until: int) -> None:
        """Nobody may have listened in between."""
        judged = self._lateness.judged(since)
        for number in range(len(self.heard)):
            self._silent[number] = self._silent_after(number) < judged
        self._listening = until

    def by_heartbeats(self, at: int) -> int:
        """How many there are if nothing but heartbeats counts, as far as they were heard."""
        since = self._lateness.judged(at) - self._limit
        return sum(heard >= since for heard in self.heard)

    def by_verdicts(self, at: int) -> int:
        """How many the monitor holds for connected once it has judged at an instant."""
        judged = self._lateness.judged(at)
        return sum(self._silent_after(number) >= judged for number in range(len(self.heard)))

    def _silent_after(self, number: int) -> int:
        heard = self.heard[number]
        if heard == NOTHING or self._silent[number]:
            return heard + self._limit
        return max(heard, self._listening) + self._limit

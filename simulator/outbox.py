"""The heartbeats that a vehicle has recorded and that are still to be sent."""

from collections import deque
from typing import NamedTuple

from simulator.fleet import Heartbeat, Vehicle


class Report(NamedTuple):
    """A heartbeat to deliver, twice if `resent`.

    The plan is pure, so its instant is all that need be kept of it.
    """

    vehicle: Vehicle
    at: float
    resent: bool = False

    def heartbeat(self) -> Heartbeat:
        """Write it out."""
        return self.vehicle.heartbeat(self.at)


class Outbox:
    """A bounded buffer, first in, first out; when it is full the oldest report has to go."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._reports = deque[Report]()

    def __len__(self) -> int:
        return len(self._reports)

    def put(self, report: Report) -> Report | None:
        """Keep the report; give the one that had to go for it, if any."""
        self._reports.append(report)
        return self._reports.popleft() if len(self._reports) > self._capacity else None

    def take(self, most: int) -> list[Report]:
        """Take out the oldest reports, at most that many."""
        return [self._reports.popleft() for _ in range(min(most, len(self._reports)))]

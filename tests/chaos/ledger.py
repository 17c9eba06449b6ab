"""What devices have sent and what they were answered, and what dispatchers were promised."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Condition
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from vehicle_tracker.domain.heartbeat import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Iterable

START = datetime(2025, 1, 1, tzinfo=UTC)


class Said(NamedTuple):
    """Which heartbeat: a vehicle says one thing in one second, whichever gateway passes it on."""

    vin: str
    second: int

    def heartbeat(self) -> Heartbeat:
        """What the vehicle says then; a place only in two seconds of three."""
        vin, second = self
        placed = second % 3 > 0
        return Heartbeat(
            vin=vin,
            recorded_at=START + timedelta(seconds=second),
            speed_kmh=second % 97 / 2,
            latitude=50 + second % 1_000 / 100 if placed else None,
            longitude=10 + second % 700 / 100 if placed else None,
            ignition=second % 2 == 0,
            attributes={"second": second},
        )

    def message(self) -> dict[str, Any]:
        """The same as it is posted."""
        said = msgspec.structs.asdict(self.heartbeat())
        return {name: value for name, value in said.items() if value is not None}

    @classmethod
    def of(cls, heartbeat: Heartbeat) -> Said:
        """Which one this is."""
        return cls(heartbeat.vin, round(((heartbeat.recorded_at or START) - START).total_seconds()))


class Ledger:
    """Kept by all who send, read when they have finished."""

    def __init__(self) -> None:
        self.sent: set[Said] = set()
        self.answered: set[Said] = set()
        self.refused: set[Said] = set()
        self.decided: dict[int, tuple[str, str]] = {}
        """By position: the VIN and the topic of what a dispatcher was told is decided."""
        self.surprises: list[str] = []
        """Answers that nothing excuses."""
        self.deliveries = 0
        self.repeats = 0
        self._changed = Condition()

    @property
    def last_second(self) -> int:
        """The latest second of which anything was sent."""
        return max((one.second for one in self.sent), default=0)

    def send(self, heartbeats: Iterable[Said]) -> None:
        """These are about to be sent."""
        self.sent.update(heartbeats)

    def settle(self, answered: list[Said], refused: list[Said]) -> None:
        """These were answered 202, or refused in the same answer."""
        with self._changed:
            fresh = set(answered) - self.answered
            self.repeats += len(answered) - len(fresh)
            self.answered |= fresh
            self.refused.update(refused)
            self.deliveries += 1
            self._changed.notify_all()

    def await_deliveries(self, count: int, within_s: float = 40.0) -> None:
        """Wait until so many more requests with heartbeats were answered 202."""
        with self._changed:
            goal = self.deliveries + count
            came = self._changed.wait_for(lambda: self.deliveries >= goal, within_s)
        assert came, f"not {count} deliveries more within {within_s:g} s: {self.surprises}"

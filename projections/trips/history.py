"""A vehicle's heartbeats, read from the log again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from projections.trips.measure import Reading
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.values import heartbeat_stream, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from vehicle_tracker.event_log import EventLog

_AT_ONCE = 10_000


class History:
    """The log as it was at one position: what came later is not in it yet."""

    def __init__(self, log: EventLog, position: int) -> None:
        self._log = log
        self._position = position

    def during(self, vin: str, since: datetime, until: datetime) -> Iterator[Reading]:
        """The heartbeats of both instants and in between, by `recorded_at`."""
        return self._between(vin, to_microseconds(since) - 1, until)

    def after(self, vin: str, instant: datetime, until: datetime) -> Iterator[Reading]:
        """The heartbeats after an instant, up to another."""
        return self._between(vin, to_microseconds(instant), until)

    def _between(self, vin: str, after: int, until: datetime) -> Iterator[Reading]:
        stream, last = heartbeat_stream(vin), to_microseconds(until)
        while rows := self._log.rows.range_as_of(self._position, stream, after, last, _AT_ONCE):
            for _, state in rows:
                try:
                    yield Reading.of(heartbeat.decode(state))
                except msgspec.MsgspecError:
                    continue  # it is parked: nobody has folded it
            after, _ = rows[-1]

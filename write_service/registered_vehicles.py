"""Which VINs may send heartbeats: remembered, and never out of date where it counts.

Vehicles are registered and decommissioned by any write process. What is remembered here is true
as of a position; who is about to append holds the writers' lock, catches up, and asks again about
whatever was looked up before a vehicle was last decommissioned.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from vehicle_tracker.domain.values import heartbeat_stream, vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.recorder import Writing


class RegisteredVehicles:
    """The registered VINs of an event log, with the streams of their heartbeats."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._guard = Lock()
        self._streams: dict[str, UUID] = {}
        self.as_of = log.head()
        """No vehicle was decommissioned after this position, as far as we know."""

    def streams(self, vins: Iterable[str]) -> dict[str, UUID]:
        """The heartbeat streams of those of the VINs that are registered and in use."""
        remembered = self._streams
        found = {vin: remembered[vin] for vin in vins if vin in remembered}
        missing = [vin for vin in vins if vin not in found]
        return found | self._look_up(missing) if missing else found

    def catch_up(self, writing: Writing) -> None:
        """Forget everything if a vehicle was decommissioned since we last looked."""
        last = writing.last_decommission(self.as_of)
        if last is not None:
            with self._guard:
                self._streams = {}
                self.as_of = last

    def _look_up(self, vins: list[str]) -> dict[str, UUID]:
        as_of = self.as_of
        topics = self._log.rows.last_topics([vehicle_stream(vin) for vin in vins])
        found = {
            vin: heartbeat_stream(vin)
            for vin in vins
            if topics.get(vehicle_stream(vin), Vehicle.Decommissioned.TOPIC)
            != Vehicle.Decommissioned.TOPIC
        }
        with self._guard:
            if self.as_of == as_of:
                self._streams |= found
        return found

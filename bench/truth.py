"""Whether the read models are what the log says: the fold of it, done again in little memory.

The fleet's vehicles are numbered, so what is known of each is a few numbers in arrays: thirty bytes
a vehicle, however long the log is.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from bench.connected import NOTHING, Connected
from bench.fleet import number_of
from vehicle_tracker.domain.connection import ListeningResumed
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.values import to_microseconds
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Callable

    from vehicle_tracker.event_log import EventLog

PAGE = 20_000
_VEHICLES = """
SELECT vin, registered_at IS NOT NULL,
    coalesce((extract(epoch FROM last_heartbeat_at) * 1000000)::bigint, %(nothing)s),
    coalesce((extract(epoch FROM position_recorded_at) * 1000000)::bigint, %(nothing)s),
    latitude, longitude
FROM vehicle
"""


class Difference(NamedTuple):
    """A vehicle of which the read model says something else than the log."""

    vin: str
    log: tuple[object, ...]
    read_model: tuple[object, ...]


class Truth:
    """What a log comes to: by a vehicle's number, its newest heartbeat and its last known place.

    `connected` knows who is silent, by the limit that all of them have.
    """

    def __init__(self, vehicles: int, limit_s: int) -> None:
        self.registered = bytearray(vehicles)
        self.connected = Connected(vehicles, limit_s)
        self.placed = array("q", [NOTHING]) * vehicles
        self.latitude = array("d", [0.0]) * vehicles
        self.longitude = array("d", [0.0]) * vehicles
        self.counts: dict[str, int] = {}
        """How many events there are, by topic."""
        self.heartbeats = 0
        """How many heartbeats came after the position that was asked for."""

    def fold(self, log: EventLog, position: int, since: int, said: Callable[[int], None]) -> None:
        """All events up to a position, heartbeats counted since another; `said` hears how far."""
        after = 0
        while after < position and (page := log.read(after, PAGE)):
            for logged in page:
                if logged.position > position:
                    break
                self.counts[logged.topic] = self.counts.get(logged.topic, 0) + 1
                self._fold(log.event(logged))
                if logged.topic == HeartbeatRecorded.TOPIC and logged.position > since:
                    self.heartbeats += 1
            after = page[-1].position
            said(min(after, position))

    def differences(self, url: str, most: int = 5) -> list[Difference]:
        """Of the relational read model, which must be at the position that was folded."""
        found: list[Difference] = []
        seen = 0
        with (
            psycopg.connect(url, application_name="bench") as connection,
            connection.cursor(name="all_vehicles") as cursor,
        ):
            cursor.itersize = PAGE
            cursor.execute(_VEHICLES, {"nothing": NOTHING})
            for vin, *said in cursor:
                seen += 1
                known = self._known(number_of(vin))
                if known != tuple(said) and len(found) < most:
                    found.append(Difference(vin, known, tuple(said)))
        if seen != self.registered.count(1):
            found.append(Difference("all", (self.registered.count(1),), (seen,)))
        return found

    def _fold(self, event: Any) -> None:
        if isinstance(event, HeartbeatRecorded):
            number, at = number_of(event.vin), to_microseconds(event.recorded_at)
            self.connected.hear(number, at, to_microseconds(event.received_at))
            said = event.heartbeat
            if (
                said.latitude is not None
                and said.longitude is not None
                and at > self.placed[number]
            ):
                self.placed[number] = at
                self.latitude[number], self.longitude[number] = said.latitude, said.longitude
        elif isinstance(event, ListeningResumed):
            self.connected.resume(to_microseconds(event.since), to_microseconds(event.until))
        elif isinstance(event, Vehicle.Created):
            self.registered[number_of(event.vin)] = 1

    def _known(self, number: int) -> tuple[object, ...]:
        placed = self.placed[number]
        where = (self.latitude[number], self.longitude[number])
        return (
            bool(self.registered[number]),
            self.connected.heard[number],
            placed,
            *(where if placed != NOTHING else (None, None)),
        )

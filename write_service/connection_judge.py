"""What follows from the log about connection, appended to it: read on, fold, judge.

It judges only while it holds the writers' lock and has read all there is: so a verdict never
overlooks a heartbeat that is in the log before it, and whoever reads the log later comes to the
same verdicts.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from vehicle_tracker.collecting import nothing_collected
from vehicle_tracker.domain import connection, heartbeat
from vehicle_tracker.domain.connection import (
    LISTENING_STREAM,
    ListeningResumed,
    connection_stream,
)
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.values import from_microseconds, to_microseconds
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.logged_event import LoggedEvent
from vehicle_tracker.telemetry import log as logger
from vehicle_tracker.writing import NewEvent
from write_service.monitor_checkpoint import NEVER, Watching

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from threading import Event

    from vehicle_tracker.event_log import EventLog

PAGE = 5_000
MOST_VERDICTS = 5_000
"""So many are appended at once: writers wait for them."""


QUIET = timedelta(seconds=10)
"""Nothing heard of any vehicle for longer: maybe nobody could listen."""


_DECISIONS = frozenset(
    {
        Vehicle.Created.TOPIC,
        Vehicle.MovedToCustomer.TOPIC,
        Vehicle.Recommissioned.TOPIC,
        Vehicle.DisconnectAfterChanged.TOPIC,
        Customer.DisconnectAfterChanged.TOPIC,
    }
)
"""What is decided about vehicles and customers that bears on limits."""


class ConnectionJudge:
    """Follows a log from where a fleet was kept, and appends what follows.

    Whatever it raises, it is to be thrown away then, and another one made of what was kept.
    """

    def __init__(self, log: EventLog, watching: Watching) -> None:
        self._log = log
        self._fleet, self._position, self.received = watching

    @property
    def watching(self) -> Watching:
        """What may be kept between any two calls."""
        return Watching(self._fleet, self._position, self.received)

    @nothing_collected()
    def catch_up(self, stop: Event) -> bool:
        """Read on to the end of the log and append what follows; False if stopped on the way."""
        while not stop.is_set():
            page = self._log.read(self._position, PAGE)
            self.fold(page)
            if self._fleet.told:
                self._append(None)
            if len(page) < PAGE:
                return True
        return False

    def resume(self, now: datetime) -> None:
        """To be called once it has caught up and before it judges again after it was away.

        If the log has been quiet for a while, maybe all of the tracker was away, and vehicles are
        about to send what they kept. That is told in the log, so that every replay knows it, too.
        """
        if NEVER < self.received < now - QUIET:
            resumed = ListeningResumed(self.received, now)
            with self._log.writing() as writing:
                state = connection.encode(resumed)
                writing.insert([NewEvent(LISTENING_STREAM, resumed.version, resumed.TOPIC, state)])

    def judge(self, until: datetime) -> bool:
        """Append what follows from silence before `until`; True if it did not get to the end.

        All heartbeats received before `until` are in the log already.
        """
        instant = to_microseconds(until)
        return self._fleet.is_due(instant) and self._append(instant)

    def fold(self, page: Sequence[LoggedEvent]) -> None:
        """Take in the next page of the log, and append nothing yet."""
        fleet = self._fleet
        received = to_microseconds(self.received)
        for row in page:
            try:
                if row.topic == HeartbeatRecorded.TOPIC:
                    vin, at = heartbeat.heard(row.state)
                    received = max(received, at)
                    fleet.heard(vin, row.version, at)
                elif row.topic in connection.decoders:
                    event = connection.decoders[row.topic](row.state)
                    if isinstance(event, ListeningResumed):
                        fleet.resumed(event.since, event.until)
                    else:
                        fleet.noted(event)
                elif row.topic in _DECISIONS:
                    self._fold_decision(row)
            except (ValueError, LookupError, TypeError, AttributeError):
                # A row that makes no sense must not leave the whole fleet unwatched.
                logger.exception("event skipped", position=row.position, topic=row.topic)
        if page:
            self._position = page[-1].position
            self.received = from_microseconds(received)

    def _append(self, until: int | None) -> bool:
        """Append what follows from all there is to read and from silence before `until`.

        True if not all was read, or judged.
        """
        fleet = self._fleet
        with self._log.writing() as writing:
            rest = self._log.read(self._position, PAGE)
            self.fold(rest)
            if until is not None and len(rest) < PAGE:
                fleet.passed(until, MOST_VERDICTS)
            told = fleet.told
            writing.insert(
                [
                    NewEvent(connection_stream(e.vin), e.version, e.TOPIC, connection.encode(e))
                    for e in told
                ]
            )
        fleet.told = []
        return len(rest) == PAGE or len(told) >= MOST_VERDICTS

    def _fold_decision(self, row: LoggedEvent) -> None:
        match event := self._log.event(row):
            case Vehicle.Created():
                self._fleet.belongs(event.vin, event.customer_id, event.timestamp)
            case Vehicle.MovedToCustomer() | Vehicle.Recommissioned():
                vin = self._vin(event)
                self._fleet.belongs(vin, event.customer_id, event.timestamp)
            case Vehicle.DisconnectAfterChanged():
                vin = self._vin(event)
                self._fleet.limit_vehicle(vin, event.disconnect_after_s, event.timestamp)
            case Customer.DisconnectAfterChanged():
                limit_s = event.disconnect_after_s
                self._fleet.limit_customer(event.originator_id, limit_s, event.timestamp)

    def _vin(self, event: Vehicle.Event) -> str:
        """Read from the log: to remember it costs much for each vehicle, and this is rare."""
        vehicle: Vehicle = self._log.aggregates([event.originator_id])[event.originator_id]
        return vehicle.vin

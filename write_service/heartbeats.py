"""Recording heartbeats: each is committed once, counted a duplicate, or refused with a reason."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.recorder import NewEvent
from vehicle_tracker.telemetry import log
from write_service.group_commit import GroupCommit
from write_service.registered_vehicles import RegisteredVehicles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.recorder import Writing


class Outcome(Enum):
    """What became of a heartbeat."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    UNKNOWN_VEHICLE = "unknown_vehicle"


class Recording(NamedTuple):
    """The outcome of each heartbeat, in order, and a position at which all of them are visible."""

    outcomes: list[Outcome]
    position: int


class _Item(NamedTuple):
    vin: str
    as_of: int
    event: NewEvent


class _Committed(NamedTuple):
    outcome: Outcome
    position: int


class HeartbeatRecorder:
    """Appends heartbeats to the event log by group commit."""

    def __init__(self, log: EventLog, *, most_waiting: int) -> None:
        self._log = log
        self._registered = RegisteredVehicles(log)
        self._commits = GroupCommit(self._commit, most_waiting=most_waiting)

    def record(
        self, heartbeats: Sequence[Heartbeat], now: datetime, request_id: str | None = None
    ) -> Recording:
        """Record heartbeats received at `now`; returns once those accepted are durable.

        A `request_id` is kept with them and logged, here and wherever they are folded.

        Errors: `Unavailable`, or one of `LOG_UNREACHABLE`; then none of them is acknowledged,
        and sending them again stores each exactly once.
        """
        as_of = self._registered.as_of
        streams = self._registered.streams({one.vin for one in heartbeats})
        items: list[_Item] = []
        for one in heartbeats:
            if stream := streams.get(one.vin):
                event = HeartbeatRecorded(now, one, request_id)
                row = NewEvent(stream, event.version, event.TOPIC, heartbeat.encode(event))
                items.append(_Item(one.vin, as_of, row))
        committed = iter(self._commits.submit(items) if items else ())
        outcomes: list[Outcome] = []
        position = 0
        for one in heartbeats:
            if one.vin in streams:
                outcome, position = next(committed)
                outcomes.append(outcome)
            else:
                outcomes.append(Outcome.UNKNOWN_VEHICLE)
        recording = Recording(outcomes, position or self._log.head())
        if request_id:
            accepted = outcomes.count(Outcome.ACCEPTED)
            log.info("heartbeats recorded", accepted=accepted, position=recording.position)
        return recording

    def _commit(self, items: list[_Item]) -> list[_Committed]:
        with self._log.writing() as writing:
            gone = self._gone_since_looked_up(items, writing)
            new, position = writing.insert([item.event for item in items if item.vin not in gone])
        committed: list[_Committed] = []
        for vin, _, event in items:
            if vin in gone:
                outcome = Outcome.UNKNOWN_VEHICLE
            elif (event.stream, event.version) in new:
                new.discard((event.stream, event.version))
                outcome = Outcome.ACCEPTED
            else:
                outcome = Outcome.DUPLICATE
            committed.append(_Committed(outcome, position))
        return committed

    def _gone_since_looked_up(self, items: list[_Item], writing: Writing) -> set[str]:
        self._registered.catch_up(writing)
        doubtful = {item.vin for item in items if item.as_of < self._registered.as_of}
        return doubtful - self._registered.streams(doubtful).keys() if doubtful else set()

"""Recording heartbeats: each is committed once, counted a duplicate, or refused with a reason."""

from __future__ import annotations

from enum import Enum
from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from eventsourcing.persistence import IntegrityError

from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.telemetry import log
from write_service.group_commit import GroupCommit
from write_service.known_heartbeats import KnownHeartbeats
from write_service.registered_vehicles import RegisteredVehicles

if TYPE_CHECKING:
    from datetime import datetime

    from vehicle_tracker.event_log import EventLog


class Outcome(Enum):
    """What became of a heartbeat."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    UNKNOWN_VEHICLE = "unknown_vehicle"


class Recording(NamedTuple):
    """The outcome of each heartbeat, in order, and a position at which all of them are visible."""

    outcomes: list[Outcome]
    position: int


class EncodedHeartbeat(msgspec.Struct, gc=False):
    """All there is of a heartbeat while it waits for a commit: its row in the log, by VIN.

    Fifty thousand may wait. So it is small, and no object that the garbage collector looks at.
    """

    vin: str
    version: int
    state: bytes


def encoded(said: Heartbeat, received_at: datetime, request_id: str | None) -> EncodedHeartbeat:
    """A heartbeat received at an instant. If its request gave an id that is kept with it."""
    event = HeartbeatRecorded(received_at, said, request_id)
    return EncodedHeartbeat(said.vin, event.version, heartbeat.encode(event))


class _Committed(NamedTuple):
    outcome: Outcome
    position: int


class HeartbeatRecorder:
    """Appends heartbeats to the event log by group commit."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        head = log.head()
        self._registered = RegisteredVehicles(head)
        self._known = KnownHeartbeats(head)
        self._commits = GroupCommit(self._commit)

    def record(
        self,
        heartbeats: list[EncodedHeartbeat],
        client: str = "",
        request_id: str | None = None,
    ) -> Recording:
        """Record heartbeats; returns once those accepted are durable.

        A `request_id` is logged here. When more come than can be committed, each `client` has its
        share.

        Errors: one of `LOG_UNREACHABLE`; then none of them is acknowledged, and sending them again
        stores each exactly once.
        """
        if not heartbeats:
            return Recording([], self._log.head())
        committed = self._commits.submit(heartbeats, client)
        recording = Recording([one.outcome for one in committed], committed[-1].position)
        if request_id:
            accepted = recording.outcomes.count(Outcome.ACCEPTED)
            log.info("heartbeats recorded", accepted=accepted, position=recording.position)
        return recording

    def _commit(self, items: list[EncodedHeartbeat]) -> list[_Committed]:
        try:
            return self._append(items)
        except IntegrityError:  # the log is not the one that it was: it was restored
            self._known = KnownHeartbeats(self._log.head())
            raise

    def _append(self, items: list[EncodedHeartbeat]) -> list[_Committed]:
        with self._log.writing() as writing:
            stream_of = self._registered.streams([item.vin for item in items], writing)
            streams = [stream_of.get(item.vin) for item in items]
            found = [
                (stream, item.version, item.state)
                for stream, item in zip(streams, items, strict=True)
                if stream
            ]
            are_new = self._known.are_new([(one[0], one[1]) for one in found], writing)
            # In the order in which they came: followers find neighbours side by side (decision 31).
            rows = list(compress(found, are_new))
            columns = zip(*rows, strict=True) if rows else ((), (), ())
            position = writing.append(HeartbeatRecorded.TOPIC, *columns)
        self._known.as_of = position
        accepted, duplicate, unknown = (_Committed(one, position) for one in Outcome)
        is_new = iter(are_new)
        return [
            (accepted if next(is_new) else duplicate) if stream else unknown for stream in streams
        ]

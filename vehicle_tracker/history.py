"""What is asked of the past: of many streams in one round trip, by ranges of the primary key."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, LiteralString, NamedTuple

from psycopg.sql import SQL, Composed, Literal

from vehicle_tracker.domain import connection, heartbeat
from vehicle_tracker.domain.availability import Heard
from vehicle_tracker.domain.connection import ConnectionMended, connection_stream
from vehicle_tracker.domain.values import (
    from_microseconds,
    heartbeat_stream,
    heartbeat_streams,
    to_microseconds,
)
from vehicle_tracker.errors import too_much_to_read
from vehicle_tracker.newest import newest_places, newest_states, newest_times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from vehicle_tracker.domain.availability import Period
    from vehicle_tracker.domain.connection import ConnectionEvent
    from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
    from vehicle_tracker.recorder import EventLogRecorder

WITHIN_S = 10.0
"""So long may one question take; what needs longer is refused."""

_AT_ONCE = 10
"""So many vehicles' times are held at once: those of a year are five million numbers."""

MOST_JUDGED = 64
"""So many verdicts are looked through for the start of a connection."""


class Deadline:
    """The instant by which a question must be answered, `WITHIN_S` from now."""

    def __init__(self) -> None:
        self._ends = time.monotonic() + WITHIN_S

    def left_s(self) -> float:
        """How many seconds there are until then. Errors: `too_much_to_read` if there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise too_much_to_read()
        return left


class Place(NamedTuple):
    """Where a vehicle was, and when; all None if that is not known."""

    recorded_at: datetime | None
    latitude: float | None
    longitude: float | None


class History:
    """The past in an event log. Errors: `too_much_to_read`, and what the log raises."""

    def __init__(self, recorder: EventLogRecorder) -> None:
        self._recorder = recorder
        self._select_heard = self._sql(
            "SELECT least((SELECT min(originator_version) FROM {table}"
            " WHERE originator_id = stream), (SELECT versions[1] FROM {archived}"
            " WHERE originator_id = stream ORDER BY period, versions[1] LIMIT 1)),"
            " ARRAY(SELECT originator_version FROM {table} WHERE originator_id = stream"
            " AND originator_version > since AND originator_version < until"
            " ORDER BY originator_version),"
            " ARRAY(SELECT originator_version FROM {past_times} WHERE originator_id = stream"
            " AND period BETWEEN since / {period} AND until / {period}"
            " AND originator_version > since AND originator_version < until)"
            " FROM unnest(%b::uuid[], %b::bigint[], %b::bigint[])"
            " WITH ORDINALITY AS asked (stream, since, until, number) ORDER BY number"
        )
        self._select_newest = newest_states(recorder.names)
        self._select_newest_places = newest_places(recorder.names)
        self._select_newest_times = SQL(
            "SELECT ARRAY(SELECT originator_version FROM ({}) AS found ORDER BY number)::text"
        ).format(newest_times(recorder.names))
        self._select_arrays_of_places = SQL(
            "SELECT array_agg(originator_version ORDER BY number)::text,"
            " array_agg(latitude ORDER BY number)::text,"
            " array_agg(longitude ORDER BY number)::text FROM ({}) AS found"
        ).format(self._select_newest_places)
        self._select_connection = self._sql(
            "SELECT topic, state FROM {table} WHERE originator_id = %b AND originator_version >= %b"
            " AND (originator_version <= %b OR topic = {mended})"
        )

        self._select_connections = self._sql(
            "SELECT judged.topic, judged.state"
            " FROM unnest(%b::uuid[], %b::bigint[]) AS asked (stream, until),"
            " LATERAL ((SELECT topic, state FROM {table}"
            " WHERE originator_id = asked.stream AND originator_version <= asked.until"
            " ORDER BY originator_version DESC LIMIT {judged})"
            " UNION ALL (SELECT topic, state FROM {table} WHERE originator_id = asked.stream"
            " AND originator_version > asked.until AND topic = {mended})) AS judged"
        )

    def heard(self, periods: Sequence[Period]) -> Iterator[Heard]:
        """When vehicles were heard, period by period. All of it takes at most `WITHIN_S`.

        No state is read or decoded: the times are the versions, and those are in the index.
        """
        deadline = Deadline()
        for begin in range(0, len(periods), _AT_ONCE):
            few = periods[begin : begin + _AT_ONCE]
            rows = self._recorder.fetch(
                self._select_heard,
                [heartbeat_stream(one.vin) for one in few],
                [one.start - one.limit for one in few],
                [one.end for one in few],
                within_s=deadline.left_s(),
            )
            for first, recent, archived in rows:
                # What is being archived is in both.
                yield Heard(first, sorted({*recent, *archived}) if archived else recent)

    def newest_heartbeats(
        self, vins: Iterable[str], until: datetime, position: int, deadline: Deadline
    ) -> dict[str, HeartbeatRecorded]:
        """Of each vehicle the newest heartbeat by `until`, of those up to a position."""
        asked = (to_microseconds(until), position, _streams(vins))
        rows = self._recorder.fetch(self._select_newest, *asked, within_s=deadline.left_s())
        events = (heartbeat.decode(state) for _, state in rows if state is not None)
        return {event.vin: event for event in events}

    def newest_places(
        self, vins: Sequence[str], until: datetime, position: int, deadline: Deadline
    ) -> dict[str, Place]:
        """Where each vehicle was by its newest heartbeat with a place, if there is one lately."""
        asked = (to_microseconds(until), position, _streams(vins))
        left_s = deadline.left_s()
        rows = self._recorder.fetch(self._select_newest_places, *asked, within_s=left_s)
        return {vins[number - 1]: Place(_instant(at), *place) for number, at, *place in rows}

    def times_of_newest(
        self, vins: Iterable[str], until: datetime, position: int, deadline: Deadline
    ) -> str:
        """When the newest heartbeats were, in the order of the VINs; null where there is none.

        An array of microseconds as PostgreSQL writes it, for the one it is handed to: so a hundred
        thousand are no objects here. No state is read: the times are the versions.
        """
        asked = (to_microseconds(until), position, _streams(vins))
        left_s = deadline.left_s()
        return str(self._recorder.fetch(self._select_newest_times, *asked, within_s=left_s)[0][0])

    def places_of_newest(
        self, vins: Iterable[str], until: datetime, position: int, deadline: Deadline
    ) -> Sequence[str]:
        """The times, latitudes and longitudes of the newest places: three such arrays."""
        asked = (to_microseconds(until), position, _streams(vins))
        left_s = deadline.left_s()
        return self._recorder.fetch(self._select_arrays_of_places, *asked, within_s=left_s)[0]

    def connection_events(self, vin: str, since: int, until: int) -> list[ConnectionEvent]:
        """What was judged of a vehicle by heartbeats from `since` to `until`, in no order.

        Also what later heartbeats mended: they may have come in one crowd with much older ones.
        """
        asked = (connection_stream(vin), 2 * since, 2 * until + 1)
        rows = self._recorder.fetch(self._select_connection, *asked, within_s=WITHIN_S)
        return _decoded(rows)

    def connected_since(
        self, heard: Mapping[str, datetime], deadline: Deadline
    ) -> dict[str, datetime]:
        """By VIN the start of the connection that a heartbeat is in, if it was judged.

        What late heartbeats mended is counted. Where a connection reaches back beyond the newest
        `MOST_JUDGED` verdicts, since when is not known.
        """
        streams = [connection_stream(vin) for vin in heard]
        until = [2 * to_microseconds(at) + 1 for at in heard.values()]
        left_s = deadline.left_s()
        rows = self._recorder.fetch(self._select_connections, streams, until, within_s=left_s)
        events: dict[str, list[ConnectionEvent]] = {}
        for event in _decoded(rows):
            events.setdefault(event.vin, []).append(event)
        starts = ((vin, _connected_since(judged, heard[vin])) for vin, judged in events.items())
        return {vin: start for vin, start in starts if start}

    def _sql(self, statement: LiteralString) -> Composed:
        return SQL(statement).format(
            judged=Literal(MOST_JUDGED),
            mended=Literal(ConnectionMended.TOPIC),
            **self._recorder.names,
        )


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_microseconds(microseconds)


def _streams(vins: Iterable[str]) -> str:
    """One text, as PostgreSQL writes arrays: an array of parameters takes longer to be made."""
    return f"{{{','.join(heartbeat_streams(vins))}}}"


def _decoded(rows: Iterable[tuple[str, bytes]]) -> list[ConnectionEvent]:
    found = (connection.decoders[topic](state) for topic, state in rows)
    return [event for event in found if not isinstance(event, connection.ListeningResumed)]


def _connected_since(judged: list[ConnectionEvent], heard: datetime) -> datetime | None:
    stretches = connection.intervals(judged)
    start = next((s for s, e in stretches if s <= heard and (e is None or heard <= e)), None)
    if start is None or len(judged) < MOST_JUDGED:
        return start
    oldest = min(judged, key=lambda event: event.version)
    reached = oldest.recorded_at + timedelta(seconds=oldest.disconnect_after_s)
    return start if start > reached else None

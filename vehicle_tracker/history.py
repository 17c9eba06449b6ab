"""What is asked of the past: of many streams in one round trip, by ranges of the primary key."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, LiteralString, NamedTuple

from psycopg.sql import SQL, Composed, Identifier, Literal

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

MOST_WITHOUT_A_PLACE = 10_000
"""So many heartbeats are looked through for a vehicle's last place: a week at one a minute."""

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
        self._table = Identifier(recorder.datastore.schema, recorder.events_table_name)
        self._select_heard = self._sql(
            "SELECT (SELECT min(originator_version) FROM {table} WHERE originator_id = stream),"
            " ARRAY(SELECT originator_version FROM {table} WHERE originator_id = stream"
            " AND originator_version > since AND originator_version < until"
            " ORDER BY originator_version)"
            " FROM unnest(%b::uuid[], %b::bigint[], %b::bigint[])"
            " WITH ORDINALITY AS asked (stream, since, until, number) ORDER BY number"
        )
        self._select_newest = self._sql(
            "SELECT newest.state FROM unnest(%b::text::uuid[]) AS asked (stream),"
            " LATERAL (SELECT state FROM {table} WHERE originator_id = asked.stream"
            " AND originator_version <= %b AND notification_id <= %b"
            " ORDER BY originator_version DESC LIMIT 1) AS newest"
        )
        self._select_newest_times = self._sql(
            "SELECT ARRAY(SELECT (SELECT originator_version FROM {table}"
            " WHERE originator_id = asked.stream"
            " AND originator_version <= %b AND notification_id <= %b"
            " ORDER BY originator_version DESC LIMIT 1)"
            " FROM unnest(%b::text::uuid[]) WITH ORDINALITY AS asked (stream, number)"
            " ORDER BY number)::text"
        )
        self._select_newest_places = self._sql(
            "SELECT number, placed.version, placed.latitude, placed.longitude"
            " FROM unnest(%b::text::uuid[]) WITH ORDINALITY AS asked (stream, number)"
            " LEFT JOIN LATERAL (SELECT version, place.* FROM ("
            "SELECT originator_version AS version, state FROM {table}"
            " WHERE originator_id = asked.stream"
            " AND originator_version <= %b AND notification_id <= %b"
            " ORDER BY originator_version DESC LIMIT {most}) AS said,"
            " LATERAL (SELECT {latitude} AS latitude, {longitude} AS longitude"
            " FROM (SELECT convert_from(state, 'UTF8')::json AS state) AS read) AS place"
            " WHERE latitude IS NOT NULL ORDER BY version DESC LIMIT 1) AS placed ON true"
        )
        self._select_arrays_of_places = SQL(
            "SELECT array_agg(version ORDER BY number)::text,"
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
            yield from map(Heard._make, rows)

    def newest_heartbeats(
        self, vins: Iterable[str], until: datetime, position: int, deadline: Deadline
    ) -> dict[str, HeartbeatRecorded]:
        """Of each vehicle the newest heartbeat by `until`, of those up to a position."""
        asked = (_streams(vins), to_microseconds(until), position)
        rows = self._recorder.fetch(self._select_newest, *asked, within_s=deadline.left_s())
        events = (heartbeat.decode(state) for (state,) in rows)
        return {event.vin: event for event in events}

    def newest_places(
        self, vins: Sequence[str], until: datetime, position: int, deadline: Deadline
    ) -> dict[str, Place]:
        """Where each vehicle was by its newest heartbeat with a place, if there is one lately."""
        asked = (_streams(vins), to_microseconds(until), position)
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
        asked = (_streams(vins), to_microseconds(until), position)
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
            table=self._table,
            most=Literal(MOST_WITHOUT_A_PLACE),
            judged=Literal(MOST_JUDGED),
            mended=Literal(ConnectionMended.TOPIC),
            latitude=_number(heartbeat.LATITUDE),
            longitude=_number(heartbeat.LONGITUDE),
        )


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_microseconds(microseconds)


def _number(paths: Iterable[str]) -> Composed:
    """What a state has at the first of the paths that is there, which must be a number."""
    found = SQL(", ").join(SQL("state #>> {}").format(Literal(path)) for path in paths)
    return SQL("coalesce({})::float8").format(found)


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

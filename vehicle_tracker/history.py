"""What is asked of the past: of many streams in one round trip, by ranges of the primary key."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, LiteralString

from psycopg.sql import SQL, Composed, Identifier, Literal

from vehicle_tracker.domain import connection, heartbeat
from vehicle_tracker.domain.availability import Heard
from vehicle_tracker.domain.connection import ConnectionMended, connection_stream
from vehicle_tracker.domain.values import heartbeat_stream, to_microseconds

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

_LOOKED_UP_AT_ONCE = 10_000
"""So many vehicles' newest heartbeats are looked up in one statement."""

MOST_WITHOUT_A_PLACE = 10_000
"""So many heartbeats are looked through for a vehicle's last place: a week at one a minute."""

MOST_JUDGED = 64
"""So many verdicts are looked through for the start of a connection."""


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
            "SELECT newest.state FROM unnest(%b::uuid[]) AS asked (stream),"
            " LATERAL (SELECT state FROM {table} WHERE originator_id = asked.stream"
            " AND originator_version <= %b AND notification_id <= %b"
            " ORDER BY originator_version DESC LIMIT 1) AS newest"
        )
        self._select_newest_place = self._sql(
            "SELECT placed.state FROM unnest(%b::uuid[]) AS asked (stream),"
            " LATERAL (SELECT state FROM (SELECT originator_version, state FROM {table}"
            " WHERE originator_id = asked.stream"
            " AND originator_version <= %b AND notification_id <= %b"
            " ORDER BY originator_version DESC LIMIT {most}) AS said"
            " WHERE convert_from(state, 'UTF8')::json -> 'heartbeat' -> 'latitude' IS NOT NULL"
            " ORDER BY originator_version DESC LIMIT 1) AS placed"
        )
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
        deadline = time.monotonic() + WITHIN_S
        for begin in range(0, len(periods), _AT_ONCE):
            few = periods[begin : begin + _AT_ONCE]
            rows = self._recorder.fetch(
                self._select_heard,
                [heartbeat_stream(one.vin) for one in few],
                [one.start - one.limit for one in few],
                [one.end for one in few],
                within_s=deadline - time.monotonic(),
            )
            yield from map(Heard._make, rows)

    def newest_heartbeats(
        self, vins: Iterable[str], until: datetime, position: int
    ) -> dict[str, HeartbeatRecorded]:
        """Of each vehicle the newest heartbeat by `until`, of those up to a position."""
        return self._newest(self._select_newest, vins, until, position)

    def newest_places(
        self, vins: Iterable[str], until: datetime, position: int
    ) -> dict[str, HeartbeatRecorded]:
        """The same of the heartbeats that said a place, if there is one among the last."""
        return self._newest(self._select_newest_place, vins, until, position)

    def _newest(
        self, statement: Composed, vins: Iterable[str], until: datetime, position: int
    ) -> dict[str, HeartbeatRecorded]:
        streams = [heartbeat_stream(vin) for vin in vins]
        found: dict[str, HeartbeatRecorded] = {}
        for begin in range(0, len(streams), _LOOKED_UP_AT_ONCE):
            some = streams[begin : begin + _LOOKED_UP_AT_ONCE]
            asked = (some, to_microseconds(until), position)
            rows = self._recorder.fetch(statement, *asked, within_s=WITHIN_S)
            events = (heartbeat.decode(state) for (state,) in rows)
            found |= {event.vin: event for event in events}
        return found

    def connection_events(self, vin: str, since: int, until: int) -> list[ConnectionEvent]:
        """What was judged of a vehicle by heartbeats from `since` to `until`, in no order.

        Also what later heartbeats mended: they may have come in one crowd with much older ones.
        """
        asked = (connection_stream(vin), 2 * since, 2 * until + 1)
        rows = self._recorder.fetch(self._select_connection, *asked, within_s=WITHIN_S)
        return _decoded(rows)

    def connected_since(self, heard: Mapping[str, datetime]) -> dict[str, datetime]:
        """By VIN the start of the connection that a heartbeat is in, if it was judged.

        What late heartbeats mended is counted. Where a connection reaches back beyond the newest
        `MOST_JUDGED` verdicts, since when is not known.
        """
        streams = [connection_stream(vin) for vin in heard]
        until = [2 * to_microseconds(at) + 1 for at in heard.values()]
        rows = self._recorder.fetch(self._select_connections, streams, until, within_s=WITHIN_S)
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
        )


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

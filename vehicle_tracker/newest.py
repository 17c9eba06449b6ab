"""What was newest of many vehicles at an instant, as statements: in the log or, if not, archived.

Each takes an instant in microseconds, a position, and streams as one text. The archive is looked
into only for vehicles of which the log has nothing that is newer than all that is archived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from vehicle_tracker.domain import heartbeat
from vehicle_tracker.logged_event import LEAST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_WITHOUT_A_PLACE = 10_000
"""So many heartbeats are looked through for a vehicle's last place: a week at one a minute."""

_NEWEST = SQL(
    "SELECT number, {columns} FROM (SELECT %b::bigint AS until, %b::bigint AS position, given.*"
    " FROM unnest(%b::text::uuid[]) WITH ORDINALITY AS given (stream, number)) AS asked"
    " LEFT JOIN LATERAL ({recent}) AS recent ON true"
    " LEFT JOIN LATERAL ({older}) AS older ON true"
)
_BY_THEN = SQL(
    "originator_id = asked.stream AND originator_version <= asked.until"
    " AND notification_id <= asked.position"
)
_RECENT = SQL(
    "SELECT originator_version, {wanted} FROM {table} WHERE {by_then}"
    " ORDER BY originator_version DESC LIMIT {most}"
)
_OLDER = SQL(
    "SELECT period, originator_version, {wanted} FROM {past} WHERE {by_then}"
    " AND period <= asked.until / {period}"
    " AND originator_version > coalesce(recent.originator_version, {least})"
    " AND coalesce(recent.originator_version, {least}) < {horizon}"
    " ORDER BY period DESC, originator_version DESC LIMIT {most}"
)
_PLACED = SQL(
    "SELECT originator_version, place.* FROM ({said}) AS said,"
    " LATERAL (SELECT {latitude} AS latitude, {longitude} AS longitude"
    " FROM (SELECT convert_from(state, 'UTF8')::json AS state) AS read) AS place"
    " WHERE latitude IS NOT NULL ORDER BY {newest_first} LIMIT 1"
)
_EITHER = SQL("coalesce(older.{0}, recent.{0}) AS {0}")


def newest_states(names: Mapping[str, Composable]) -> Composed:
    """The state of each stream's newest heartbeat: (number of the stream, state or null)."""
    return _newest(*_said(names, "state"), "state")


def newest_times(names: Mapping[str, Composable]) -> Composed:
    """When it was: (number, version or null). No state is read or unpacked."""
    without_states = {**names, "past": names["past_times"]}
    return _newest(*_said(without_states, "notification_id"), "originator_version")


def newest_places(names: Mapping[str, Composable]) -> Composed:
    """The newest place: (number, version, latitude, longitude), all but the number may be null."""
    recent, older = _said(names, "state", MOST_WITHOUT_A_PLACE)
    where = {"latitude": _number(heartbeat.LATITUDE), "longitude": _number(heartbeat.LONGITUDE)}
    order = SQL("originator_version DESC")
    recent = _PLACED.format(said=recent, newest_first=order, **where)
    # With its period in the order no more is unpacked than is looked through.
    older = _PLACED.format(said=older, newest_first=SQL("period DESC, {}").format(order), **where)
    return _newest(recent, older, "originator_version", "latitude", "longitude")


def _said(
    names: Mapping[str, Composable], wanted: str, most: int = 1
) -> tuple[Composable, Composable]:
    """The newest heartbeats of a stream: what the log has of them, and what is archived."""
    parts = {
        **names,
        "wanted": Identifier(wanted),
        "most": Literal(most),
        "by_then": _BY_THEN,
        "least": Literal(LEAST),
    }
    return _RECENT.format(**parts), _OLDER.format(**parts)


def _newest(recent: Composable, older: Composable, *columns: str) -> Composed:
    either = SQL(", ").join(_EITHER.format(Identifier(one)) for one in columns)
    return _NEWEST.format(recent=recent, older=older, columns=either)


def _number(paths: Iterable[str]) -> Composed:
    """What a state has at the first of the paths that is there, which must be a number."""
    found = SQL(", ").join(SQL("state #>> {}").format(Literal(path)) for path in paths)
    return SQL("coalesce({})::float8").format(found)

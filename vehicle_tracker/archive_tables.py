"""Where the log's database keeps what is archived, as parts of SQL.

Old heartbeats are in files, in order of position; the table `blocks` knows which. The table
`archived` has them again by stream, so that the past is still asked in SQL: one row has a
vehicle's heartbeats of a period, in arrays that PostgreSQL compresses. While heartbeats are being
archived they are in the log and in it at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

_PERIOD = 60 * 60 * 1_000_000
"""Microseconds: 60 heartbeats at one a minute, so that one is found without unpacking many."""

_CREATE = (
    SQL(
        "CREATE TABLE IF NOT EXISTS {blocks} (last_position bigint PRIMARY KEY,"
        " file text NOT NULL, start bigint NOT NULL, length bigint NOT NULL,"
        " newest_version bigint NOT NULL)"
    ),
    SQL(
        "CREATE TABLE IF NOT EXISTS {archived} (originator_id uuid, period bigint,"
        " last_position bigint, versions bigint[] NOT NULL, positions bigint[] NOT NULL,"
        " states bytea[] NOT NULL, PRIMARY KEY (originator_id, period, last_position))"
    ),
)
_PAST = SQL(
    "(SELECT originator_id, period, event.* FROM {archived}, unnest(versions, positions, states)"
    " AS event (originator_version, notification_id, state)) AS past"
)
_PAST_TIMES = SQL(
    "(SELECT originator_id, period, event.* FROM {archived}, unnest(versions, positions)"
    " AS event (originator_version, notification_id)) AS past"
)
_ARCHIVED_UNTIL = SQL("(SELECT coalesce(max(last_position), 0) FROM {blocks})")
_HORIZON = SQL("(SELECT newest_version FROM {blocks} ORDER BY last_position DESC LIMIT 1)")
_NOT_ARCHIVED = SQL(
    "(coalesce(version > {horizon}, true) OR NOT EXISTS (SELECT FROM {archived} AS archived"
    " WHERE archived.originator_id = stream AND archived.period = version / {period}"
    " AND version = ANY(archived.versions)))"
)


class Block(NamedTuple):
    """Where heartbeats are: in which file, and which of its bytes. The last one's position."""

    last_position: int
    file: str
    start: int
    length: int


class ArchiveTables:
    """What statements about a log's table may name.

    `past` and `past_times` are the archived heartbeats as rows, the latter without states, which
    are much to unpack. `archived_until` is a position: heartbeats up to it are in files, and may
    be in the log no longer. `horizon` is the newest archived version, null if there is none.
    `not_archived` is true of a given (stream, version) that is not in the archive.
    """

    def __init__(self, schema: str, events_table_name: str) -> None:
        tables: dict[str, Composable] = {
            "table": Identifier(schema, events_table_name),
            "blocks": Identifier(schema, f"{events_table_name}_blocks"),
            "archived": Identifier(schema, f"{events_table_name}_archived"),
            "period": Literal(_PERIOD),
        }
        self.create: list[Composed] = [one.format(**tables) for one in _CREATE]
        horizon = _HORIZON.format(**tables)
        self.names: Mapping[str, Composable] = {
            **tables,
            "past": _PAST.format(**tables),
            "past_times": _PAST_TIMES.format(**tables),
            "archived_until": _ARCHIVED_UNTIL.format(**tables),
            "horizon": horizon,
            "not_archived": _NOT_ARCHIVED.format(horizon=horizon, **tables),
        }

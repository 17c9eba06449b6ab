"""Events of many streams between two versions, as a statement: out of the log and its archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.sql import SQL, Composable, Composed

if TYPE_CHECKING:
    from collections.abc import Mapping

FORWARDS, BACKWARDS = SQL("ASC"), SQL("DESC")

_SPANS = SQL(
    "SELECT span.number, event.originator_version, event.state"
    " FROM (SELECT %b::bigint AS position, %b::bigint AS most, given.*"
    " FROM unnest(%b::uuid[], %b::bigint[], %b::bigint[]) WITH ORDINALITY"
    " AS given (stream, after, until, number)) AS span CROSS JOIN LATERAL ("
    # What is being archived is in both.
    "SELECT DISTINCT ON (originator_version) originator_version, state FROM ("
    "(SELECT originator_version, state FROM {table} WHERE {in_span}"
    " ORDER BY originator_version {order} LIMIT span.most)"
    " UNION ALL (SELECT originator_version, state FROM {past} WHERE {in_span}"
    " AND period BETWEEN span.after / {period} AND span.until / {period}"
    " ORDER BY period {order}, originator_version {order} LIMIT span.most)"
    ") AS either ORDER BY originator_version {order} LIMIT span.most"
    ") AS event ORDER BY span.number, event.originator_version {order}"
)
_IN_SPAN = SQL(
    "originator_id = span.stream AND originator_version > span.after"
    " AND originator_version <= span.until AND notification_id <= span.position"
)


def select_spans(names: Mapping[str, Composable], order: SQL) -> Composed:
    """Of each span (after, until] the events up to a position: (its number, version, state).

    It takes the position, how many of each span at most, and streams, afters and untils.
    """
    return _SPANS.format(in_span=_IN_SPAN, order=order, **names)

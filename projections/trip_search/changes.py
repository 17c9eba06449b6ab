"""The tables of the projection `trips` as documents of an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from projections.index_changes import Changed, stream
from projections.trip_search.index import DEFINITION, GONE, source
from projections.trips.tables import gone, trip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from projections.index_changes import Document

_AT_ONCE = 500
"""So many rows are in memory at a time, each with all the places of its trip."""

_NAMES = "trip_id vin customer_id folded_driver started_at ended_at latitudes longitudes position"
_COLUMNS = [trip.c[name] for name in _NAMES.split()]
_is_back = select(trip.c.trip_id).where(trip.c.trip_id == gone.c.trip_id).exists()


class TripTables:
    """The trips of a projection, and those that are none any more."""

    definition = DEFINITION

    def __init__(self, projection: str) -> None:
        self.projection = projection

    def changed(self, connection: Connection, after: int, most: int) -> Iterator[Changed]:
        """The trips that were written after a position."""
        those = select(*_COLUMNS).where(trip.c.position > after).order_by(trip.c.position)
        for row in stream(connection, those.fetch(most, with_ties=True), _AT_ONCE):
            yield Changed(row.position, (str(row.trip_id), source(row)))

    def also(self, connection: Connection, after: int, until: int) -> Iterator[Document]:
        """The trips that are gone since."""
        since = gone.c.position.between(after + 1, until)
        for row in stream(connection, select(gone.c.trip_id).where(since, ~_is_back), _AT_ONCE):
            yield str(row.trip_id), GONE

"""What became of trips since a position, read out of the tables of the projection `trips`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from projections.database import projection
from projections.trip_search.index import GONE, source
from projections.trips.tables import gone, trip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from projections.elasticsearch_index import SearchIndex

_AT_ONCE = 500
"""So many rows are in memory at a time, each with all the places of its trip."""

_NAMES = "trip_id vin customer_id folded_driver started_at ended_at latitudes longitudes position"
_COLUMNS = [trip.c[name] for name in _NAMES.split()]
_is_back = select(trip.c.trip_id).where(trip.c.trip_id == gone.c.trip_id).exists()


class Changes:
    """The next trips that changed after a position, as they are at one instant: at `head`."""

    def __init__(self, connection: Connection, projection_name: str, after: int, most: int) -> None:
        self._connection = connection
        self._after = after
        self._most = most
        columns = projection.c.position, projection.c.generation
        found = connection.execute(select(*columns).where(projection.c.name == projection_name))
        head, generation = found.one_or_none() or (0, 0)
        self.head, self.generation = int(head), int(generation)

    def copy(self, index: SearchIndex) -> tuple[int, int]:
        """Write them, then how far it is; so many they were, and the index is at that position.

        They are written under the position at which they were read: of two who write the same
        trip, in whichever order, the one that has read it later prevails.
        """
        copied, position = 0, self.head

        def documents() -> Iterator[tuple[str, bytes]]:
            nonlocal copied, position
            for row in self._rows():
                copied += 1
                last = row.position
                yield str(row.trip_id), source(row)
            if copied >= self._most:
                position = last
            for trip_id in self._gone_until(position):
                yield str(trip_id), GONE

        index.write(documents(), self.head)
        index.keep_position(position, self.generation)
        return copied, position

    def _rows(self) -> Iterator[Any]:
        """All of the position that is the last to be read, or it could not be gone on from."""
        changed = select(*_COLUMNS).where(trip.c.position > self._after).order_by(trip.c.position)
        return iter(self._stream(changed.fetch(self._most, with_ties=True)))

    def _gone_until(self, position: int) -> Iterator[Any]:
        since = gone.c.position.between(self._after + 1, position)
        return iter(self._stream(select(gone.c.trip_id).where(since, ~_is_back)).scalars())

    def _stream(self, statement: Any) -> Any:
        return self._connection.execute(statement, execution_options={"yield_per": _AT_ONCE})


class ChangedTrips:
    """The trips of a projection, by when they changed."""

    def __init__(self, engine: Engine, projection_name: str) -> None:
        self.engine = engine
        self._name = projection_name

    @contextmanager
    def since(self, after: int, most: int) -> Iterator[Changes]:
        """What changed after a position: about so many trips, those that changed first."""
        with self.engine.connect() as connection:
            yield Changes(connection, self._name, after, most)

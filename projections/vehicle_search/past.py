"""Finding vehicles as they were at an instant: the same search, over the tables as they were then.

Those have what a search asks for. What is only shown is read for the vehicles of the page.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from projections.customer_vehicles.relational_then import Asked, TablesThen
from projections.customer_vehicles.then import as_said, is_placed_after
from projections.database import position_of, took_too_long
from projections.vehicle_search.relational import RelationalVehicleSearch
from vehicle_tracker.errors import too_much_to_read
from vehicle_tracker.history import Deadline, History

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Engine

    from projections.customer_vehicles.model import VehicleDocument
    from projections.vehicle_search.model import VehiclePage, VehicleQuery
    from vehicle_tracker.event_log import EventLog


class PastVehicleSearch:
    """Searches the past. Errors: `too_much_to_read`, `invalid_cursor`, and what the log raises."""

    def __init__(
        self, engine: Engine, log: EventLog, projection: str, disconnect_after_s: int
    ) -> None:
        self._engine = engine
        self._history = History(log.rows)
        self._tables = TablesThen(log, self._history)
        self._position = select(position_of(projection))
        self._search = RelationalVehicleSearch(engine, projection, disconnect_after_s)

    def search(self, query: VehicleQuery, at: datetime) -> VehiclePage:
        """A page of the vehicles in use at `at`, with their customers, all as they were then.

        What is known today of that instant counts, whenever it came. The limit of those that have
        none of their own or their customer's is that of today.
        """
        deadline = Deadline()
        try:
            page = self._found(query, at, deadline)
        except OperationalError as error:
            if took_too_long(error):
                raise too_much_to_read() from error
            raise
        asked = Asked(at, page.position, deadline)
        vehicles = self._as_they_said([view.vehicle for view in page.items], asked)
        heard = {one.vin: one.last_heartbeat_at for one in vehicles if one.last_heartbeat_at}
        since = self._history.connected_since(heard, deadline) if heard else {}
        views = [
            view._replace(vehicle=one, connected_since=since.get(one.vin), connected_until=None)
            for view, one in zip(page.items, vehicles, strict=True)
        ]
        return replace(page, items=views)

    def _found(self, query: VehicleQuery, at: datetime, deadline: Deadline) -> VehiclePage:
        """The page as the tables of then have it, in which is only what is searched by."""
        with self._engine.connect() as connection:
            position = connection.execute(self._position).scalar_one()
            asked, by_place = Asked(at, position, deadline), bool(query.box or query.near)
            self._tables.make(connection, asked, with_places=by_place)
            page = self._search.search_in(connection, query, at)
            connection.rollback()  # and the tables are gone
        return page

    def _as_they_said(
        self, vehicles: Sequence[VehicleDocument], asked: Asked
    ) -> list[VehicleDocument]:
        """The vehicles with all that they said last by then, and where they said they were."""
        moved = [one.vin for one in vehicles if is_placed_after(one, asked.at)]
        heard = [one.vin for one in vehicles if one.last_heartbeat_at]
        placed = self._history.newest_places(moved, *asked) if moved else {}
        newest = self._history.newest_heartbeats(heard, *asked) if heard else {}
        return [as_said(one, placed.get(one.vin), newest.get(one.vin)) for one in vehicles]

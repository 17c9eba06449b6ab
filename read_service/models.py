"""What the routes ask: the read models, the event log, and how far the one is behind the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from projections.status import Progress, progress_of
from vehicle_tracker.domain.values import is_vin
from vehicle_tracker.errors import unknown_customer, unknown_vehicle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Engine

    from projections.customer_vehicles.model import CustomerVehicles, CustomerView, VehicleView
    from projections.trips.model import Trips, TripSearch
    from projections.vehicle_search.model import VehicleSearch
    from read_service.freshness import Freshness
    from read_service.positions import PositionWatch
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings


@dataclass(frozen=True, slots=True)
class ReadModels:
    """Everything that is read from."""

    settings: Settings
    log: EventLog
    engine: Engine
    search: VehicleSearch
    customers: CustomerVehicles
    watch: PositionWatch
    search_watch: PositionWatch
    projections: Sequence[str]
    freshness: Freshness
    search_freshness: Freshness
    trips: Trips
    trips_watch: PositionWatch
    trips_freshness: Freshness
    trip_search: TripSearch
    trip_search_watch: PositionWatch
    trip_search_freshness: Freshness

    def wait_for(self, position: int) -> None:
        """Return once the read models are at `position`; at once if nobody asks for one."""
        self.watch.wait_for(position)

    def wait_for_search(self, position: int) -> None:
        """The same for searches, which may be answered by one model and filled in from another."""
        self.wait_for(position)
        self.search_watch.wait_for(position)

    def wait_for_trip_search(self, position: int) -> None:
        """The same for searches of trips."""
        self.trips_watch.wait_for(position)
        self.trip_search_watch.wait_for(position)

    def as_of(self) -> datetime:
        """The instant as of which the read models are whole; statuses are derived for it."""
        return self.freshness.as_of()

    def search_as_of(self) -> datetime:
        """The same for searches; errors: `search_unavailable`."""
        return self.search_freshness.as_of()

    def trips_as_of(self) -> datetime:
        """The same for trips."""
        return self.trips_freshness.as_of()

    def trip_search_as_of(self) -> datetime:
        """The same for searches of trips; errors: `search_unavailable`."""
        return self.trip_search_freshness.as_of()

    def vehicle(self, vin: str, at_least: int) -> tuple[VehicleView, int]:
        """The vehicle in use with this VIN, and the position. Errors: `unknown_vehicle`."""
        self.wait_for(at_least)
        view, position = self.customers.vehicle(vin) if is_vin(vin) else (None, 0)
        if view is None:
            raise unknown_vehicle(vin)
        return view, position

    def customer(self, customer_id: UUID, at_least: int, now: datetime) -> tuple[CustomerView, int]:
        """The customer with this id, and the position. Errors: `unknown_customer`."""
        self.wait_for(at_least)
        view, position = self.customers.customer(customer_id, now)
        if view is None:
            raise unknown_customer(customer_id)
        return view, position

    def progress(self) -> list[Progress]:
        """How far each projection is."""
        return progress_of(self.projections, self.log, self.engine)

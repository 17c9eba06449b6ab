"""What the routes ask: the read models, the event log, and how far the one is behind the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from projections.catalog import PROJECTIONS
from projections.status import Progress, progress_of
from vehicle_tracker.domain.values import is_vin
from vehicle_tracker.errors import unknown_customer, unknown_vehicle

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Engine

    from projections.customer_vehicles.model import CustomerVehicles, CustomerView, VehicleView
    from projections.vehicle_search.model import VehicleSearch
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

    def wait_for(self, position: int) -> None:
        """Return once the read models are at `position`; at once if nobody asks for one."""
        if position:
            self.watch.wait_for(position)

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
        return progress_of(PROJECTIONS, self.log, self.engine)

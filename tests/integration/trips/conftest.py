"""The read service over a log of trips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from projections.catalog import CUSTOMER_VEHICLES, trips
from projections.follower import Follower
from tests.driving import OTHER_VIN, VIN
from tests.following import to_the_end
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog


@pytest.fixture
def follow(event_log: EventLog, engine: Engine) -> Callable[[], int]:
    """Folds what is in the log into both read models; answers its head."""

    def follow() -> int:
        for projection in (CUSTOMER_VEHICLES, trips(event_log)):
            follower = Follower(projection, event_log, engine, page=1_000)
            to_the_end(follower)
        return event_log.head()

    return follow


@pytest.fixture
def owner(event_log: EventLog) -> Customer:
    """A customer with two vehicles."""
    owner = Customer(name="Kalles Åkeri", address="Väg 1")
    event_log.save(owner)
    for vin, plate in ((VIN, "ABC123"), (OTHER_VIN, "DEF456")):
        vehicle = Vehicle(vin=vin, registration_number=plate, customer_id=owner.id, labels={})
        event_log.save(vehicle)
    return owner

"""What `VehicleSearch` promises of limits of silence, whichever adapter keeps it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from projections.customer_vehicles.model import STATUSES, status_of
from projections.vehicle_search.model import VehicleQuery
from vehicle_tracker.domain.values import vehicle_stream

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
DEFAULT = {"ABC123", "JKL012", "MNO345", "STU901"}
"""Who is connected at `NOW` by the default limit, 120 s."""

ABC123, DEF456, NEVER_SEEN = "YS2R4X20005399401", "VLUR4X20009093588", "VLUR4X20009048066"
KALLE, JOHAN, NOBODY = "Kalles Grustransporter AB", "Johans Bulk AB", "Utan fordon AB"


@pytest.fixture
def connected(own_fleet: Any) -> Callable[..., set[str]]:
    """Saves what was decided; then the plates of those connected, told alike in every way."""

    def connected(*decided: Any, now: datetime = NOW) -> set[str]:
        own_fleet.log.save(*decided)
        own_fleet.follow(now)
        search = own_fleet.search.search
        of = {status: search(VehicleQuery(statuses=(status,)), now) for status in STATUSES}
        everything = search(VehicleQuery(sort="status"), now)
        statuses = [status_of(view, now, 120) for view in everything.items]
        assert statuses == sorted(statuses)
        for status, page in of.items():
            assert {status_of(view, now, 120) for view in page.items} <= {status}
            assert page.total == page.statuses[status] == statuses.count(status)
            assert sum(customer.count for customer in page.customers) == page.total
        return {str(view.vehicle.registration_number) for view in of["connected"].items}

    return connected


def _customer(fleet: Any, name: str) -> Any:
    return fleet.log.repository.get(fleet.customer_ids[name])


def _vehicle(fleet: Any, vin: str) -> Any:
    return fleet.log.repository.get(vehicle_stream(vin))


def test_a_vehicles_own_limit_holds(own_fleet: Any, connected: Callable[..., set[str]]) -> None:
    """Shorter or longer than the others', to the microsecond; None takes it away."""
    vehicle = _vehicle(own_fleet, ABC123)
    vehicle.change_disconnect_after(29)
    assert connected(vehicle) == DEFAULT - {"ABC123"}
    vehicle.change_disconnect_after(30)
    assert "ABC123" in connected(vehicle)
    assert "ABC123" not in connected(now=NOW + timedelta(microseconds=1))
    vehicle.change_disconnect_after(None)
    assert connected(vehicle) == DEFAULT
    assert "ABC123" in connected(now=NOW + timedelta(seconds=90))


def test_a_customers_limit_holds(own_fleet: Any, connected: Callable[..., set[str]]) -> None:
    """For all its vehicles that have none of their own, those that were never seen left alone."""
    customer, vehicle = _customer(own_fleet, KALLE), _vehicle(own_fleet, ABC123)
    customer.change_disconnect_after(121)
    assert connected(customer) == DEFAULT | {"DEF 456"}
    customer.change_disconnect_after(10)
    assert connected(customer) == DEFAULT - {"ABC123"}
    vehicle.change_disconnect_after(600)
    assert connected(vehicle) == DEFAULT
    vehicle.change_disconnect_after(None)
    customer.change_details("Kalle & Co", "Vägen 1")
    assert connected(vehicle, customer) == DEFAULT - {"ABC123"}
    customer.change_disconnect_after(None)
    assert connected(customer) == DEFAULT


def test_a_vehicle_that_moves_is_under_its_new_customers_limit(
    own_fleet: Any, connected: Callable[..., set[str]]
) -> None:
    """Limits decided before the move, with it and after it; its own goes with it."""
    seller, buyer = _customer(own_fleet, KALLE), _customer(own_fleet, NOBODY)
    vehicle, patient = _vehicle(own_fleet, ABC123), _vehicle(own_fleet, DEF456)
    patient.change_disconnect_after(200)
    buyer.change_disconnect_after(5)
    assert connected(buyer, patient) == DEFAULT | {"DEF 456"}
    for one in (vehicle, patient):
        one.move_to_customer(buyer.id)
    seller.change_disconnect_after(1)
    assert connected(vehicle, patient, seller) == (DEFAULT - {"ABC123"}) | {"DEF 456"}
    seller.change_disconnect_after(1_000)
    buyer.change_disconnect_after(31)
    assert connected(seller, buyer) == DEFAULT | {"DEF 456"}
    vehicle.move_to_customer(own_fleet.customer_ids[JOHAN])
    buyer.change_disconnect_after(1)
    assert connected(vehicle, buyer) == DEFAULT | {"DEF 456"}


def test_a_heartbeat_connects_for_the_limit(
    own_fleet: Any, connected: Callable[..., set[str]]
) -> None:
    """Heard after the limit was decided, and of one that was never seen."""
    customer = _customer(own_fleet, KALLE)
    customer.change_disconnect_after(10)
    connected(customer)
    for vin in (DEF456, NEVER_SEEN):
        own_fleet.record(vin, NOW + timedelta(seconds=5))
    assert connected(now=NOW + timedelta(seconds=15)) == (DEFAULT - {"ABC123", "MNO345"}) | {
        "DEF 456",
        "GHI-789",
    }
    assert not {"DEF 456", "GHI-789"} & connected(now=NOW + timedelta(seconds=16))

"""What `VehicleSearch` promises while the fleet changes, whichever adapter keeps it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from projections.vehicle_search.model import VehicleQuery
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ABC123, NEVER_SEEN, IN_STOCKHOLM = "YS2R4X20005399401", "VLUR4X20009048066", "YS2R4X20005387765"
VINS = [
    "VLUR4X20009048066",
    "VLUR4X20009093588",
    "YS2R4X20005387055",
    "YS2R4X20005387765",
    "YS2R4X20005387949",
    "YS2R4X20005388011",
    "YS2R4X20005399401",
]


def _pages(fleet: Any, sort: str, between: Callable[[int], None]) -> list[str]:
    """The VINs of all pages of two, with something happening between them."""
    found: list[str] = []
    cursor: str | None = None
    for number in range(10):
        page = fleet.search.search(VehicleQuery(sort=sort, limit=2, cursor=cursor), NOW)
        found += [view.vehicle.vin for view in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found
        between(number)
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("sort", ["registration_number", "vin", "customer", "-customer"])
def test_no_vehicle_is_skipped_or_repeated(own_fleet: Any, sort: str) -> None:
    """Everybody sends heartbeats between the pages; each vehicle comes once."""

    def everybody_beats(number: int) -> None:
        for vin in VINS:
            own_fleet.record(vin, NOW + timedelta(seconds=number))

    assert sorted(_pages(own_fleet, sort, everybody_beats)) == VINS


@pytest.mark.parametrize("sort", ["registration_number", "vin"])
def test_registered_and_decommissioned_between_pages(own_fleet: Any, sort: str) -> None:
    """What comes and goes moves nothing that stays: those come once."""
    customer_id = own_fleet.customer_ids["Johans Bulk AB"]
    gone = "YS2R4X20005387949"

    def come_and_go(number: int) -> None:
        vin = f"AAAAAAAAAAAAAAAA{number}"
        own_fleet.log.save(
            Vehicle(vin=vin, registration_number="AAA", customer_id=customer_id, labels={})
        )
        if number == 0:
            vehicle = own_fleet.log.repository.get(vehicle_stream(gone))
            vehicle.decommission()
            own_fleet.log.save(vehicle)
        own_fleet.follow()

    found = _pages(own_fleet, sort, come_and_go)
    assert sorted(vin for vin in found if vin in VINS and vin != gone) == [
        vin for vin in VINS if vin != gone
    ]
    assert len(found) == len(set(found))


def test_a_renamed_customer_is_found_by_its_new_name(own_fleet: Any) -> None:
    """All its vehicles follow, in search, order and facets; the old name is forgotten."""
    log, id_ = own_fleet.log, own_fleet.customer_ids["Kalles Grustransporter AB"]
    customer: Customer = log.repository.get(id_)
    for name in ("Mellannamn AB", "Östers Last AB"):
        customer.change_details(name, "Vägen 1")
        log.save(customer)
    own_fleet.follow()
    page = own_fleet.search.search(VehicleQuery(q="osters last"), NOW)
    assert [view.vehicle.registration_number for view in page.items] == [
        "ABC123",
        "DEF 456",
        "GHI-789",
    ]
    assert {view.customer_name for view in page.items} == {"Östers Last AB"}
    assert [(one.name, one.count) for one in page.customers] == [("Östers Last AB", 3)]
    for old in ("grustransporter", "mellannamn"):
        assert own_fleet.search.search(VehicleQuery(q=old), NOW).total == 0
    by_customer = own_fleet.search.search(VehicleQuery(sort="-customer"), NOW)
    assert by_customer.items[0].customer_name == "Östers Last AB"


def test_a_vehicle_that_moves_takes_its_new_customers_name(own_fleet: Any) -> None:
    """It is found by the customer it is at now, and renamed with that one only."""
    log, ids = own_fleet.log, own_fleet.customer_ids
    vehicle: Vehicle = log.repository.get(vehicle_stream(ABC123))
    vehicle.move_to_customer(ids["Utan fordon AB"])
    former: Customer = log.repository.get(ids["Kalles Grustransporter AB"])
    former.change_details("Kalle & Co", "Vägen 1")
    log.save(vehicle, former)
    own_fleet.follow()
    for q, plates in {
        "utan fordon": ["ABC123"],
        "kalle": ["DEF 456", "GHI-789"],
        "grustransporter": [],
    }.items():
        page = own_fleet.search.search(VehicleQuery(q=q), NOW)
        assert [view.vehicle.registration_number for view in page.items] == plates


def test_plates_labels_and_use_follow_the_log(own_fleet: Any) -> None:
    """What is decided about a vehicle is found at once, what was before is not."""
    log = own_fleet.log
    vehicle: Vehicle = log.repository.get(vehicle_stream(ABC123))
    vehicle.change_registration_number("XYZ 99Å")
    vehicle.change_labels({"zon": "Nord"})
    log.save(vehicle)
    own_fleet.follow()
    search = own_fleet.search.search
    assert search(VehicleQuery(q="xyz99a nord"), NOW).total == 1
    assert search(VehicleQuery(labels=(("zon", "Nord"),)), NOW).total == 1
    assert search(VehicleQuery(q="abc123"), NOW).total == 0
    assert search(VehicleQuery(labels=(("depå", "Södertälje"),)), NOW).total == 0
    vehicle.decommission()
    log.save(vehicle)
    own_fleet.follow()
    assert search(VehicleQuery(q="xyz99a"), NOW).total == 0
    vehicle.recommission("NEW 001", own_fleet.customer_ids["Johans Bulk AB"], {})
    log.save(vehicle)
    own_fleet.follow()
    assert search(VehicleQuery(q="new001 johans"), NOW).total == 1


def test_a_search_is_of_the_position_it_says(own_fleet: Any) -> None:
    """After following, position and answer are the log's; the newest place counts."""
    assert own_fleet.search.position() == own_fleet.log.head()
    own_fleet.record(NEVER_SEEN, NOW)
    page = own_fleet.search.search(VehicleQuery(), NOW)
    assert page.position == own_fleet.log.head() == own_fleet.search.position()
    assert page.statuses["never_seen"] == 0

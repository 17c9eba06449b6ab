"""Trips over HTTP: what the read service answers of reported and derived ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from projections.catalog import TRIPS
from read_service import schemas
from read_service.trips import schemas as trips_schemas
from tests.driving import MINUTE, OTHER_VIN, START, VIN, drive, expect, told_of
from tests.following import record
from vehicle_tracker.schemas import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from vehicle_tracker.domain.customer import Customer
    from vehicle_tracker.event_log import EventLog

NO_TRIP = UUID(int=1)


def _starts(body: Any) -> list[datetime]:
    return [datetime.fromisoformat(item["started_at"]) for item in body["items"]]


def test_derived_trips_are_listed(
    read_client: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """The trips of a vehicle, those that began last first, each with all that is known of it."""
    drive(event_log, 0, 10, odometer_km=5.0)
    drive(event_log, 60, 10)
    position = follow()
    body = expect(read_client.get(f"/api/v1/vehicles/{VIN}/trips"), trips_schemas.TripPage())
    assert _starts(body) == [START + 60 * MINUTE, START]
    assert body["position"] == position
    trip = body["items"][0]
    assert (trip["source"], trip["vin"], trip["registration_number"]) == ("derived", VIN, "ABC123")
    assert trip["customer"] == {"customer_id": str(owner.id), "name": "Kalles Åkeri"}
    assert datetime.fromisoformat(trip["ended_at"]) == START + 70 * MINUTE
    assert trip["duration_s"] == 600
    assert trip["start"] == {"latitude": 59.6, "longitude": 18.0}
    assert trip["distance_by"] == "positions"
    assert trip["distance_km"] == pytest.approx(10.03, abs=0.01)
    assert trip["mean_speed_kmh"] == pytest.approx(6 * trip["distance_km"], abs=0.1)
    one = expect(read_client.get(f"/api/v1/trips/{trip['trip_id']}"), trips_schemas.Trip())
    assert {name: one[name] for name in trip} == trip


def test_pages_go_on_where_they_ended(
    read_client: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """Page by page each trip comes once; a cursor that is none is an error."""
    for first in range(0, 200, 40):
        drive(event_log, first, 10)
    follow()
    found, cursor = [], ""
    while cursor is not None:
        body = read_client.get(f"/api/v1/trips?limit=2{cursor and '&cursor=' + cursor}").json
        found += _starts(body)
        cursor = body["next_cursor"]
    assert found == [START + first * MINUTE for first in range(160, -1, -40)]
    wrong = read_client.get("/api/v1/trips?cursor=abc")
    assert (wrong.status_code, wrong.json["code"]) == (422, "invalid_cursor")


def test_trips_are_filtered(
    read_client: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """By period, customer, vehicle, words and the box that they went through."""
    drive(event_log, 0, 10)
    drive(event_log, 100, 10, OTHER_VIN)
    event_log.save(told_of(START + 200 * MINUTE, driver="Åsa Öberg"))
    follow()
    first, second, third = (START + n * MINUTE for n in (0, 100, 200))
    cases = {
        f"from={rfc3339(START + 50 * MINUTE)}": [third, second],
        f"from={rfc3339(START + 5 * MINUTE)}&to={rfc3339(second)}": [first],
        f"customer_id={owner.id}": [third, second, first],
        f"customer_id={NO_TRIP}": [],
        f"vin={OTHER_VIN}": [second],
        "q=def456": [second],
        "q=kalles+asa": [third],
        "q=kalles+nobody": [],
        "bbox=17.9,59.02,18.1,59.03": [first],
        "bbox=17.9,59.02,18.1,60.05": [second, first],
        "bbox=18.01,59,18.1,60.05": [],
        "bbox=170,59,18.1,60.05": [second, first],
        "bbox=17.9,59.021,18.1,59.029": [],
    }
    for query, starts in cases.items():
        body = expect(
            read_client.get("/api/v1/trips", query_string=query), trips_schemas.TripPage()
        )
        assert _starts(body) == starts, query


def test_a_trip_that_is_not_over(
    read_client: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """An open trip is measured so far, and its vehicle says that it is on it."""
    now = datetime.now(UTC)
    for ago in (4, 3, 2, 1):
        said = {"odometer_km": 100.0 - ago, "latitude": 59.0, "longitude": 18.0}
        record(event_log, VIN, now - ago * MINUTE, speed_kmh=60.0, **said)
    follow()
    (derived,) = read_client.get("/api/v1/trips").json["items"]
    assert (derived["ended_at"], derived["distance_km"]) == (None, 3.0)
    assert read_client.get(f"/api/v1/vehicles/{VIN}").json["open_trip_id"] == derived["trip_id"]
    event_log.save(told_of(now - 3 * MINUTE))
    follow()
    (reported,) = read_client.get("/api/v1/trips").json["items"]
    assert (reported["source"], reported["ended_at"]) == ("reported", None)
    assert (reported["distance_km"], reported["maximum_speed_kmh"]) == (2.0, 60.0)
    body = expect(read_client.get("/api/v1/vehicles"), schemas.VehiclePage())
    by_vin = {item["vin"]: item["open_trip_id"] for item in body["items"]}
    assert by_vin == {VIN: reported["trip_id"], OTHER_VIN: None}


def test_who_fell_silent_is_on_no_trip(
    read_client: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """A trip of a vehicle that has not been heard of since is over where it was heard last."""
    for minute in range(5):
        record(event_log, VIN, START + minute * MINUTE, speed_kmh=60.0, odometer_km=float(minute))
    follow()
    (trip,) = read_client.get(f"/api/v1/vehicles/{VIN}/trips").json["items"]
    assert datetime.fromisoformat(trip["ended_at"]) == START + 4 * MINUTE
    assert trip["distance_km"] == 4
    assert read_client.get(f"/api/v1/vehicles/{VIN}").json["open_trip_id"] is None
    later = f"/api/v1/trips?from={rfc3339(START + 10 * MINUTE)}"
    assert read_client.get(later).json["items"] == []


def test_a_reported_trip_is_measured_by_what_was_said(
    read_client: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """Its odometers and places count; its vehicle tells the rest; derived ones give way to it."""
    drive(event_log, 0, 10)
    said = {"latitude": 1.0, "longitude": 2.0, "odometer_km": 1_000.0}
    trip = told_of(START + MINUTE, driver="Åsa", **said)
    trip.end(VIN, START + 21 * MINUTE, 3.0, 4.0, 1_020.0)
    event_log.save(trip)
    follow()
    (item,) = read_client.get(f"/api/v1/vehicles/{VIN}/trips").json["items"]
    assert (item["trip_id"], item["driver"]) == (str(trip.id), "Åsa")
    assert item["start"] == {"latitude": 1.0, "longitude": 2.0}
    assert item["end"] == {"latitude": 3.0, "longitude": 4.0}
    assert (item["distance_km"], item["distance_by"]) == (20.0, "odometer")
    assert (item["mean_speed_kmh"], item["maximum_speed_kmh"]) == (60.0, 60.0)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"trips/{NO_TRIP}", 404, "unknown_trip"),
        (f"trips/{NO_TRIP}/track", 404, "unknown_trip"),
        ("vehicles/WVWZZZ1JZXW000001/trips", 404, "unknown_vehicle"),
        ("vehicles/what/trips", 404, "unknown_vehicle"),
        (f"trips?at_least={10**9}", 503, "read_model_behind"),
        (f"trips/{NO_TRIP}/track?format=kml", 422, "invalid_request"),
        ("trips?vin=what", 422, "invalid_request"),
        ("trips?bbox=1,2,3", 422, "invalid_request"),
        ("trips?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "invalid_request"),
        ("trips?from=2016-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "invalid_request"),
    ],
)
def test_what_cannot_be_answered(
    read_client: FlaskClient,
    owner: Customer,
    follow: Callable[[], int],
    path: str,
    status: int,
    code: str,
) -> None:
    """What is not there, not there yet or not asked well is a clear error."""
    follow()
    answer = read_client.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json["code"]) == (status, code)
    if "to=" in path:
        assert list(answer.json["errors"]) == ["to"]


def test_the_projection_is_listed(read_client: FlaskClient, follow: Callable[[], int]) -> None:
    """How far the trips are is shown beside the others."""
    follow()
    assert TRIPS in [one["name"] for one in read_client.get("/api/v1/projections").json["items"]]


def test_a_customer_shows_its_own_rules(
    read_client: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """Those that it has of its own, else null."""
    follow()
    path = f"/api/v1/customers/{owner.id}"
    assert expect(read_client.get(path), schemas.Customer())["trip_rules"] is None
    owner.change_trip_rules({"stop_after_s": 120.0})
    event_log.save(owner)
    follow()
    assert read_client.get(path).json["trip_rules"] == {"stop_after_s": 120.0}

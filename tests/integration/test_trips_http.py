"""Trips over HTTP: what the read service answers of reported and derived ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import gpxpy
import pytest

from projections.catalog import CUSTOMER_VEHICLES, TRIPS, trips
from projections.database import db
from projections.follower import Follower
from read_service import schemas, trips_schemas
from read_service.app import create_app
from tests.following import record
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.trip import Trip
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.schemas import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

VIN, OTHER_VIN = "YS2R4X20005399401", "VLUR4X20009093588"
START = datetime.now(UTC).replace(microsecond=250_000) - timedelta(hours=6)
MINUTE = timedelta(minutes=1)
GEOJSON, GPX = "application/geo+json", "application/gpx+xml"


@pytest.fixture
def read(settings: Settings, engine: Engine) -> Iterator[FlaskClient]:
    """A client of the read service."""
    app = create_app(replace(settings, wait_for_position_s=0.2))
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def follow(event_log: EventLog, engine: Engine) -> Callable[[], int]:
    """Folds what is in the log into both read models; answers its head."""

    def follow() -> int:
        for projection in (CUSTOMER_VEHICLES, trips(lambda: event_log)):
            follower = Follower(projection, event_log, engine, page=1_000)
            while follower.catch_up():
                pass
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


def drive(log: EventLog, first: int, minutes: int, vin: str = VIN, **said: Any) -> None:
    """Go north from a minute after the start on, then stand for seven minutes."""
    for minute in range(first, first + minutes):
        place = {"latitude": 59.0 + minute / 100, "longitude": 18.0}
        record(log, vin, START + minute * MINUTE, **{"speed_kmh": 60.0, **place, **said})
    for minute in range(first + minutes, first + minutes + 7):
        record(log, vin, START + minute * MINUTE, speed_kmh=0.0)


def told_of(started_at: datetime, vin: str = VIN, **said: Any) -> Trip:
    """A trip that somebody told of."""
    nothing = dict.fromkeys(("latitude", "longitude", "odometer_km", "driver"))
    return Trip(vin=vin, started_at=started_at, **{**nothing, **said})


def _expect(answer: Any, schema: Any, content_type: str = "application/json") -> Any:
    assert answer.status_code == 200, answer.text
    assert answer.content_type == content_type
    schema.load(answer.json)
    return answer.json


def _starts(body: Any) -> list[datetime]:
    return [datetime.fromisoformat(item["started_at"]) for item in body["items"]]


def test_derived_trips_are_listed(
    read: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """The trips of a vehicle, those that began last first, each with all that is known of it."""
    drive(event_log, 0, 10, odometer_km=5.0)
    drive(event_log, 60, 10)
    position = follow()
    body = _expect(read.get(f"/api/v1/vehicles/{VIN}/trips"), trips_schemas.TripPage())
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
    assert trip["mean_speed_kmh"] == pytest.approx(6 * trip["distance_km"])
    one = _expect(read.get(f"/api/v1/trips/{trip['trip_id']}"), trips_schemas.Trip())
    assert {name: one[name] for name in trip} == trip


def test_pages_go_on_where_they_ended(
    read: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """Page by page each trip comes once; a cursor that is none is an error."""
    for first in range(0, 200, 40):
        drive(event_log, first, 10)
    follow()
    found, cursor = [], ""
    while cursor is not None:
        body = read.get(f"/api/v1/trips?limit=2{cursor and '&cursor=' + cursor}").json
        found += _starts(body)
        cursor = body["next_cursor"]
    assert found == [START + first * MINUTE for first in range(160, -1, -40)]
    wrong = read.get("/api/v1/trips?cursor=abc")
    assert (wrong.status_code, wrong.json["code"]) == (422, "invalid_cursor")


def test_trips_are_filtered(
    read: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
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
        f"customer_id={uuid4()}": [],
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
        body = _expect(read.get("/api/v1/trips", query_string=query), trips_schemas.TripPage())
        assert _starts(body) == starts, query


def test_a_trip_that_is_not_over(
    read: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """An open trip is measured so far, and its vehicle says that it is on it."""
    now = datetime.now(UTC)
    for ago in (4, 3, 2, 1):
        said = {"odometer_km": 100.0 - ago, "latitude": 59.0, "longitude": 18.0}
        record(event_log, VIN, now - ago * MINUTE, speed_kmh=60.0, **said)
    follow()
    (derived,) = read.get("/api/v1/trips").json["items"]
    assert (derived["ended_at"], derived["distance_km"]) == (None, 3.0)
    assert read.get(f"/api/v1/vehicles/{VIN}").json["open_trip_id"] == derived["trip_id"]
    event_log.save(told_of(now - 3 * MINUTE))
    follow()
    (reported,) = read.get("/api/v1/trips").json["items"]
    assert (reported["source"], reported["ended_at"]) == ("reported", None)
    assert (reported["distance_km"], reported["maximum_speed_kmh"]) == (2.0, 60.0)
    body = _expect(read.get("/api/v1/vehicles"), schemas.VehiclePage())
    by_vin = {item["vin"]: item["open_trip_id"] for item in body["items"]}
    assert by_vin == {VIN: reported["trip_id"], OTHER_VIN: None}


def test_who_fell_silent_is_on_no_trip(
    read: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """A trip of a vehicle that has not been heard of since is over where it was heard last."""
    for minute in range(5):
        record(event_log, VIN, START + minute * MINUTE, speed_kmh=60.0, odometer_km=float(minute))
    follow()
    (trip,) = read.get(f"/api/v1/vehicles/{VIN}/trips").json["items"]
    assert datetime.fromisoformat(trip["ended_at"]) == START + 4 * MINUTE
    assert trip["distance_km"] == 4
    assert read.get(f"/api/v1/vehicles/{VIN}").json["open_trip_id"] is None
    later = f"/api/v1/trips?from={rfc3339(START + 10 * MINUTE)}"
    assert read.get(later).json["items"] == []


def test_a_reported_trip_is_measured_by_what_was_said(
    read: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """Its odometers and places count; its vehicle tells the rest; derived ones give way to it."""
    drive(event_log, 0, 10)
    said = {"latitude": 1.0, "longitude": 2.0, "odometer_km": 1_000.0}
    trip = told_of(START + MINUTE, driver="Åsa", **said)
    trip.end(VIN, START + 21 * MINUTE, 3.0, 4.0, 1_020.0)
    event_log.save(trip)
    follow()
    (item,) = read.get(f"/api/v1/vehicles/{VIN}/trips").json["items"]
    assert (item["trip_id"], item["driver"]) == (str(trip.id), "Åsa")
    assert item["start"] == {"latitude": 1.0, "longitude": 2.0}
    assert item["end"] == {"latitude": 3.0, "longitude": 4.0}
    assert (item["distance_km"], item["distance_by"]) == (20.0, "odometer")
    assert (item["mean_speed_kmh"], item["maximum_speed_kmh"]) == (60.0, 60.0)


def test_a_track_as_geojson(
    read: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """A Feature: a line of places, the trip, and when its vehicle was where."""
    drive(event_log, 0, 3)
    follow()
    trip_id = read.get("/api/v1/trips").json["items"][0]["trip_id"]
    path = f"/api/v1/trips/{trip_id}/track"
    track = _expect(read.get(path), trips_schemas.Track(), GEOJSON)
    assert track["geometry"]["type"] == "LineString"
    assert track["geometry"]["coordinates"] == [[18.0, 59.0], [18.0, 59.01], [18.0, 59.02]]
    times = [datetime.fromisoformat(one) for one in track["properties"]["times"]]
    assert times == [START + minute * MINUTE for minute in range(3)]
    assert track["properties"]["trip_id"] == track["id"] == trip_id


def test_a_track_of_one_place_and_of_none(
    read: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """One place is a point; where none is known there is no geometry."""
    record(event_log, VIN, START, latitude=59.0, longitude=18.0)
    trips = [told_of(START), told_of(START, OTHER_VIN)]
    event_log.save(*trips)
    follow()
    tracks = [
        _expect(read.get(f"/api/v1/trips/{trip.id}/track"), trips_schemas.Track(), GEOJSON)
        for trip in trips
    ]
    assert tracks[0]["geometry"] == {"type": "Point", "coordinates": [18.0, 59.0]}
    assert tracks[1]["geometry"] is None


def test_a_track_as_gpx(
    read: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """GPX 1.1 that a reader of GPX reads, if it is asked for either way."""
    drive(event_log, 0, 3, altitude_m=12.5)
    follow()
    path = f"/api/v1/trips/{read.get('/api/v1/trips').json['items'][0]['trip_id']}/track"
    for answer in (read.get(f"{path}?format=gpx"), read.get(path, headers={"Accept": GPX})):
        assert (answer.status_code, answer.content_type) == (200, GPX)
        document = gpxpy.parse(answer.text)
        assert document.version == "1.1"
        points = list(document.walk(only_points=True))
        assert [(p.latitude, p.longitude, p.elevation) for p in points] == [
            (59.0 + minute / 100, 18.0, 12.5) for minute in range(3)
        ]
        assert points[0].time == START


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("*/*", GEOJSON),
        ("application/json", GEOJSON),
        (f"{GPX};q=0.5, {GEOJSON};q=0.1", GPX),
        ("application/*", GEOJSON),
        ("image/png", "application/problem+json"),
    ],
)
def test_a_track_is_what_is_accepted(
    read: FlaskClient,
    event_log: EventLog,
    owner: Customer,
    follow: Callable[[], int],
    accept: str,
    answered: str,
) -> None:
    """The client says which of the two it takes; if neither, it is told so."""
    trip = told_of(START)
    event_log.save(trip)
    follow()
    answer = read.get(f"/api/v1/trips/{trip.id}/track", headers={"Accept": accept})
    assert answer.content_type == answered
    if answered == "application/problem+json":
        assert (answer.status_code, answer.json["code"]) == (406, "not_acceptable")
    else:
        assert answer.headers["Vary"] == "Accept"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"trips/{uuid4()}", 404, "unknown_trip"),
        (f"trips/{uuid4()}/track", 404, "unknown_trip"),
        ("vehicles/WVWZZZ1JZXW000001/trips", 404, "unknown_vehicle"),
        ("vehicles/what/trips", 404, "unknown_vehicle"),
        (f"trips?at_least={10**9}", 503, "read_model_behind"),
        (f"trips/{uuid4()}/track?format=kml", 422, "invalid_request"),
        ("trips?vin=what", 422, "invalid_request"),
        ("trips?bbox=1,2,3", 422, "invalid_request"),
        ("trips?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "invalid_request"),
        ("trips?from=2016-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "invalid_request"),
    ],
)
def test_what_cannot_be_answered(
    read: FlaskClient, owner: Customer, follow: Callable[[], int], path: str, status: int, code: str
) -> None:
    """What is not there, not there yet or not asked well is a clear error."""
    follow()
    answer = read.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json["code"]) == (status, code)
    if "to=" in path:
        assert list(answer.json["errors"]) == ["to"]


def test_the_projection_is_listed(read: FlaskClient, follow: Callable[[], int]) -> None:
    """How far the trips are is shown beside the others."""
    follow()
    assert TRIPS in [one["name"] for one in read.get("/api/v1/projections").json["items"]]


def test_a_customer_shows_its_own_rules(
    read: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """Those that it has of its own, else null."""
    follow()
    path = f"/api/v1/customers/{owner.id}"
    assert _expect(read.get(path), schemas.Customer())["trip_rules"] is None
    owner.change_trip_rules({"stop_after_s": 120.0})
    event_log.save(owner)
    follow()
    assert read.get(path).json["trip_rules"] == {"stop_after_s": 120.0}

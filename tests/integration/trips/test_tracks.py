"""Where a trip went, over HTTP, as GeoJSON and as GPX."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import gpxpy
import pytest

from read_service.trips import schemas as trips_schemas
from tests.driving import MINUTE, OTHER_VIN, START, VIN, drive, expect, told_of
from tests.following import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from vehicle_tracker.domain.customer import Customer
    from vehicle_tracker.event_log import EventLog

GEOJSON, GPX = "application/geo+json", "application/gpx+xml"


def test_a_track_as_geojson(
    read_client: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """A Feature: a line of places, the trip, and when its vehicle was where."""
    drive(event_log, 0, 3)
    follow()
    trip_id = read_client.get("/api/v1/trips").json["items"][0]["trip_id"]
    path = f"/api/v1/trips/{trip_id}/track"
    track = expect(read_client.get(path), trips_schemas.Track(), GEOJSON)
    assert track["geometry"]["type"] == "LineString"
    assert track["geometry"]["coordinates"] == [[18.0, 59.0], [18.0, 59.01], [18.0, 59.02]]
    times = [datetime.fromisoformat(one) for one in track["properties"]["times"]]
    assert times == [START + minute * MINUTE for minute in range(3)]
    assert track["properties"]["trip_id"] == track["id"] == trip_id


def test_a_track_of_one_place_and_of_none(
    read_client: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """One place is a point; where none is known there is no geometry."""
    record(event_log, VIN, START, latitude=59.0, longitude=18.0)
    trips = [told_of(START), told_of(START, OTHER_VIN)]
    event_log.save(*trips)
    follow()
    tracks = [
        expect(read_client.get(f"/api/v1/trips/{trip.id}/track"), trips_schemas.Track(), GEOJSON)
        for trip in trips
    ]
    assert tracks[0]["geometry"] == {"type": "Point", "coordinates": [18.0, 59.0]}
    assert tracks[1]["geometry"] is None


def test_a_track_as_gpx(
    read_client: FlaskClient, event_log: EventLog, owner: Customer, follow: Callable[[], int]
) -> None:
    """GPX 1.1 that a reader of GPX reads, if it is asked for either way."""
    drive(event_log, 0, 3, altitude_m=12.5)
    follow()
    path = f"/api/v1/trips/{read_client.get('/api/v1/trips').json['items'][0]['trip_id']}/track"
    for answer in (
        read_client.get(f"{path}?format=gpx"),
        read_client.get(path, headers={"Accept": GPX}),
    ):
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
    read_client: FlaskClient,
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
    answer = read_client.get(f"/api/v1/trips/{trip.id}/track", headers={"Accept": accept})
    assert answer.content_type == answered
    if answered == "application/problem+json":
        assert (answer.status_code, answer.json["code"]) == (406, "not_acceptable")
    else:
        assert answer.headers["Vary"] == "Accept"

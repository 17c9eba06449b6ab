"""A vehicle's timeline over HTTP, out of a real log."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from projections.paging import encode_cursor
from read_service.past import schemas as history_schemas
from tests.following import NOW, VINS, append, catch_up
from vehicle_tracker.domain.connection import (
    ConnectionEvent,
    ConnectionMended,
    VehicleConnected,
    VehicleDisconnected,
    connection_stream,
    encode,
)
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.trip import OpenTrip, Trip
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.schemas import rfc3339
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog

VIN, OTHER_VIN = VINS[:2]
DAY = timedelta(days=1)
PATH = f"/api/v1/vehicles/{VIN}/timeline"


def _say(log: EventLog, *events: ConnectionEvent) -> None:
    for event in events:
        row = NewEvent(connection_stream(event.vin), event.version, event.TOPIC, encode(event))
        append(log, row)


def _trip(log: EventLog, begin: Any, end: Any) -> None:
    """A trip that was told of when it was over."""
    trip = Trip(VIN, begin, 59.2, 17.6, None, "Åsa")
    log.save(trip)
    stream = OpenTrip.create_id(VIN)
    opened = log.aggregates([stream]).get(stream)
    if opened is None:
        opened = OpenTrip(VIN, trip.id)
    else:
        opened.open(trip.id)
    trip.end(VIN, end, None, None, None)
    opened.close(trip.id)
    log.save(trip, opened)


@pytest.fixture
def lived(event_log: EventLog, engine: Engine) -> Customer:
    """A vehicle that was changed, silent and mended, driven twice, and is out of use."""
    owner, other = Customer(name="Kalle", address="Väg 1"), Customer(name="Johan", address="Väg 2")
    vehicle = Vehicle(vin=VIN, registration_number="A1", customer_id=owner.id, labels={})
    bystander = Vehicle(vin=OTHER_VIN, registration_number="B1", customer_id=owner.id, labels={})
    event_log.save(owner, other, vehicle, bystander)
    vehicle.change_registration_number("A2")
    vehicle.move_to_customer(other.id)
    vehicle.decommission()
    event_log.save(vehicle)
    month = 30 * 86_400
    _say(
        event_log,
        VehicleConnected(VIN, NOW - 40 * DAY, month),
        VehicleDisconnected(VIN, NOW - 31 * DAY, month),
        VehicleConnected(VIN, NOW, 120),
        ConnectionMended(VIN, NOW + DAY / 2, 120, NOW - 20 * DAY, NOW - 19 * DAY),
        VehicleConnected(OTHER_VIN, NOW, 120),
    )
    _trip(event_log, NOW - 0.9 * DAY, NOW - DAY / 2)
    _trip(event_log, NOW - 3 * DAY, NOW - 2 * DAY)
    catch_up(event_log, engine)
    return other


def _read(client: FlaskClient, query: str = "") -> Any:
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == 200, answer.text
    history_schemas.Timeline().load(answer.json)
    return answer.json


WHOLE = [
    "decommissioned",
    "moved_customer",
    "registration_number_changed",
    "registered",
    "connected",
    "trip_ended",
    "trip_started",
    "disconnected",
    "trip_ended",
    "trip_started",
    "connection_mended",
    "connected",
]


def test_a_timeline_is_everything_by_when_it_happened(
    read_client: FlaskClient, lived: Customer
) -> None:
    """Not by when it was heard of: what came late is in its place. Out of use, it is still told."""
    body = _read(read_client)
    assert [item["type"] for item in body["items"]] == WHOLE
    instants = [item["at"] for item in body["items"]]
    assert instants == sorted(instants, reverse=True)
    moved = body["items"][1]
    assert moved["customer"] == {"customer_id": str(lived.id), "name": "Johan"}


def test_pages_of_a_timeline_are_the_timeline(read_client: FlaskClient, lived: Customer) -> None:
    """However many at a time: nothing is skipped, nothing comes twice."""
    whole = _read(read_client)["items"]
    for limit in (1, 2, 5, 12):
        told: list[Any] = []
        cursor = ""
        while True:
            body = _read(read_client, f"limit={limit}{cursor}")
            told += body["items"]
            if body["next_cursor"] is None:
                break
            cursor = f"&cursor={body['next_cursor']}"
        assert told == whole


def test_a_period_of_a_timeline(read_client: FlaskClient, lived: Customer) -> None:
    """From one instant on and before another, by when it happened."""
    for begin, end, wanted in (
        (-2, 0, WHOLE[5:9]),
        (-1, 1 / 4, WHOLE[4:8]),
        (-1, -1 / 4, ["trip_ended", "trip_started", "disconnected"]),
        (-20, -19, ["connection_mended"]),
        (-50, -39, ["connected"]),
        (-19, -18, []),
    ):
        period = f"from={rfc3339(NOW + begin * DAY)}&to={rfc3339(NOW + end * DAY)}"
        items = _read(read_client, period)["items"]
        assert [item["type"] for item in items] == wanted, (begin, end)


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ("from=2026-01-31T12:00:00Z&to=2026-01-30T12:00:00Z", 422, "to"),
        ("from=2016-01-31T12:00:00Z&to=2026-01-30T12:00:00Z", 422, "to"),
        ("to=2026-01-30", 422, "to"),
        ("limit=0", 422, "limit"),
        ("cursor=abc", 422, "cursor"),
        (f"cursor={encode_cursor(10**30, '', 1)}", 422, "cursor"),
        (f"cursor={encode_cursor('vin', 'A', 'B')}", 422, "cursor"),
    ],
)
def test_a_bad_question_is_refused(
    read_client: FlaskClient, lived: Customer, query: str, status: int, named: str
) -> None:
    """What is wrong is named."""
    answer = read_client.get(f"{PATH}?{query}")
    assert (answer.status_code, list(answer.json["errors"])) == (status, [named])


def test_extreme_instants_are_only_instants(read_client: FlaskClient, lived: Customer) -> None:
    """Nothing was before the first year, and all of it was before the last."""
    assert _read(read_client, "to=0001-01-01T00:00:00%2B14:00")["items"] == []
    assert len(_read(read_client, "to=9999-12-31T23:59:59-14:00")["items"]) == len(WHOLE)
    cursor = encode_cursor(-(2**61), "", 0)
    assert _read(read_client, f"cursor={cursor}")["items"] == []


def test_who_is_unknown_has_no_timeline(read_client: FlaskClient, lived: Customer) -> None:
    """Neither have nonsense and positions that were not reached."""
    for vin, query, status, code in (
        (VINS[5], "", 404, "unknown_vehicle"),
        ("nonsense", "", 404, "unknown_vehicle"),
        (VIN, "at_least=999999", 503, "read_model_behind"),
    ):
        answer = read_client.get(f"/api/v1/vehicles/{vin}/timeline?{query}")
        assert (answer.status_code, answer.json["code"]) == (status, code)

"""Trips told of over HTTP: each is stored once and whole, and a vehicle has one at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import pytest

from vehicle_tracker.domain.trip import OpenTrip, Trip
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.schemas import rfc3339
from write_service.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

VIN, UNKNOWN_VIN = "YS2R4X20005399401", "WVWZZZ1JZXW000001"
TRIPS = f"/api/v1/vehicles/{VIN}/trips"
START = {
    "started_at": "2026-01-31T13:00:00.000001+01:00",
    "latitude": 59.2,
    "longitude": 17.6,
    "odometer_km": 100,
    "driver": "Kalle",
}
END = {"ended_at": "2026-01-31T13:00:00Z", "latitude": 59.3, "longitude": 17.7, "odometer_km": 112}


@pytest.fixture
def trip_id(write_client: FlaskClient, register: Callable[..., Any]) -> str:
    """An open trip of the vehicle."""
    register()
    return str(write_client.post(TRIPS, json=START).json["trip_id"])


def _end(client: FlaskClient, trip_id: object, **changes: Any) -> Any:
    return client.post(f"/api/v1/trips/{trip_id}/end", json=END | changes)


def test_a_trip_is_in_the_log_when_it_is_answered(
    write_client: FlaskClient, register: Callable[..., Any], event_log: EventLog
) -> None:
    """201 and 200 name the position at which all that was told stands in the log."""
    register()
    started = write_client.post(TRIPS, json=START)
    assert (started.status_code, started.json["position"]) == (201, event_log.head())
    trip_id = UUID(started.json["trip_id"])
    ended = _end(write_client, trip_id)
    assert (ended.status_code, ended.json) == (
        200,
        {"trip_id": str(trip_id), "position": event_log.head()},
    )
    created, end = event_log.stream(trip_id)
    assert isinstance(created, Trip.Created)
    assert created.started_at == datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)
    assert (created.vin, created.latitude, created.longitude) == (VIN, 59.2, 17.6)
    assert (created.odometer_km, created.driver) == (100, "Kalle")
    assert isinstance(end, Trip.Ended)
    assert end.ended_at == datetime(2026, 1, 31, 13, tzinfo=UTC)
    assert (end.vin, end.latitude, end.longitude, end.odometer_km) == (VIN, 59.3, 17.7, 112)


def test_only_its_times_are_asked_for(
    write_client: FlaskClient, register: Callable[..., Any], event_log: EventLog
) -> None:
    """Place, odometer and driver may be left out or null: then nothing is claimed of them."""
    register()
    bare = {"started_at": START["started_at"], "driver": None, "latitude": None, "trip_id": None}
    trip_id = write_client.post(TRIPS, json=bare).json["trip_id"]
    created = event_log.stream(UUID(trip_id))[0]
    assert isinstance(created, Trip.Created)
    assert (created.latitude, created.odometer_km, created.driver) == (None, None, None)
    answer = write_client.post(
        f"/api/v1/trips/{trip_id}/end", json={"ended_at": START["started_at"]}
    )
    assert answer.status_code == 200


def test_the_next_trip(write_client: FlaskClient, trip_id: str, event_log: EventLog) -> None:
    """Trip after trip: who starts one reads only the last event of a stream that grows for ever."""
    for _ in range(3):
        assert _end(write_client, trip_id).status_code == 200
        trip_id = write_client.post(TRIPS, json=START).json["trip_id"]
    last = event_log.last_event(OpenTrip.create_id(VIN))
    assert isinstance(last, OpenTrip.Opened)
    assert (str(last.trip_id), last.originator_version) == (trip_id, 7)


def test_two_open_trips(write_client: FlaskClient, trip_id: str, event_log: EventLog) -> None:
    """A second one is refused, and told which is open."""
    head = event_log.head()
    answer = write_client.post(TRIPS, json=START)
    assert (answer.status_code, answer.json["code"]) == (409, "trip_already_open")
    assert trip_id in answer.json["detail"]
    assert event_log.head() == head


def test_a_trip_that_is_sent_again(
    write_client: FlaskClient, register: Callable[..., Any], event_log: EventLog
) -> None:
    """The same under the same id is the same trip, open or over; another content is refused."""
    register()
    told = START | {"trip_id": str(uuid4())}
    first = write_client.post(TRIPS, json=told)
    for change in ({}, {"started_at": "2026-01-31T12:00:00.000001Z"}):
        again = write_client.post(TRIPS, json=told | change)
        assert (again.status_code, again.json) == (201, first.json)
    assert _end(write_client, told["trip_id"]).status_code == 200
    assert write_client.post(TRIPS, json=told).status_code == 201
    for change in ({"driver": "Lisa"}, {"latitude": 59.21}, {"started_at": "2026-01-31T12:00:00Z"}):
        answer = write_client.post(TRIPS, json=told | change)
        assert (answer.status_code, answer.json["code"]) == (409, "trip_exists")
    assert len(event_log.stream(UUID(told["trip_id"]))) == 2


def test_an_id_of_something_else(
    write_client: FlaskClient, register: Callable[..., Any], customer_id: str
) -> None:
    """A trip takes nobody's id: not a customer's, and none by which the log names its streams."""
    register()
    answer = write_client.post(TRIPS, json=START | {"trip_id": customer_id})
    assert (answer.status_code, answer.json["code"]) == (409, "trip_exists")
    name = str(heartbeat_stream(UNKNOWN_VIN))
    answer = write_client.post(TRIPS, json=START | {"trip_id": name})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["trip_id"])


def test_an_end_that_is_sent_again(
    write_client: FlaskClient, trip_id: str, event_log: EventLog
) -> None:
    """Ended again with the same time is the same end; another time is refused."""
    assert _end(write_client, trip_id).status_code == 200
    head = event_log.head()
    again = _end(write_client, trip_id, ended_at="2026-01-31T14:00:00+01:00", odometer_km=113)
    assert (again.status_code, again.json["position"]) == (200, head)
    other = _end(write_client, trip_id, ended_at="2026-01-31T14:00:00Z")
    assert (other.status_code, other.json["code"]) == (409, "trip_already_ended")
    assert event_log.head() == head


def test_an_end_for_a_trip_that_never_was(
    write_client: FlaskClient, register: Callable[..., Any], customer_id: str
) -> None:
    """Nobody told of it, it is no trip, or no id at all: 404, also for a vehicle's heartbeats."""
    register()
    write_client.post("/api/v1/heartbeats", json={"vin": VIN})
    never = [uuid4(), customer_id, heartbeat_stream(VIN), uuid5(NAMESPACE_URL, "x")]
    for trip_id in never:
        answer = _end(write_client, trip_id)
        assert (answer.status_code, answer.json["code"]) == (404, "unknown_trip")
    assert _end(write_client, "x").status_code == 404


def test_a_trip_that_ends_before_it_starts(
    write_client: FlaskClient, trip_id: str, event_log: EventLog
) -> None:
    """It is refused by name, with the start, and the trip is still open."""
    head = event_log.head()
    answer = _end(write_client, trip_id, ended_at="2026-01-31T12:00:00Z")
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["ended_at"])
    assert "2026-01-31T12:00:00.000001Z" in answer.json["detail"]
    assert event_log.head() == head
    assert _end(write_client, trip_id).status_code == 200


def test_a_clock_that_is_ahead(write_client: FlaskClient, trip_id: str) -> None:
    """Four minutes are forgiven, six are not."""
    now = datetime.now(UTC)
    late, early = rfc3339(now + timedelta(minutes=6)), rfc3339(now + timedelta(minutes=4))
    started = write_client.post(TRIPS, json=START | {"started_at": late})
    assert (started.status_code, list(started.json["errors"])) == (422, ["started_at"])
    ended = _end(write_client, trip_id, ended_at=late)
    assert (ended.status_code, list(ended.json["errors"])) == (422, ["ended_at"])
    assert _end(write_client, trip_id, ended_at=early).status_code == 200


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("started_at", {"started_at": "2026-01-31T12:00:00"}),
        ("started_at", {"started_at": None}),
        ("started_at", {"started_at": "0001-01-01T00:00:00+05:00"}),
        ("started_at", {"started_at": "yesterday"}),
        ("latitude", {"latitude": 90.1}),
        ("latitude", {"latitude": None}),
        ("longitude", {"longitude": "17"}),
        ("longitude", {"longitude": None}),
        ("odometer_km", {"odometer_km": -1}),
        ("odometer_km", {"odometer_km": True}),
        ("driver", {"driver": "x" * 121}),
        ("driver", {"driver": "a\nb"}),
        ("trip_id", {"trip_id": "x"}),
        ("ended_at", {"ended_at": "2026-01-31T13:00:00Z"}),
    ],
)
def test_a_wrong_field_is_named(
    field: str,
    change: dict[str, Any],
    write_client: FlaskClient,
    register: Callable[..., Any],
    event_log: EventLog,
) -> None:
    """What cannot be believed, or is not known, is refused by its name, and nothing is stored."""
    register()
    head = event_log.head()
    answer = write_client.post(TRIPS, json=START | change)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])
    assert event_log.head() == head


def test_a_wrong_field_of_an_end_is_named(write_client: FlaskClient, trip_id: str) -> None:
    """The same for ends."""
    for change in ({"latitude": None}, {"odometer_km": -1}, {"ended_at": "x"}, {"driver": "Kalle"}):
        answer = _end(write_client, trip_id, **change)
        assert (answer.status_code, list(answer.json["errors"])) == (422, list(change))


def test_a_vehicle_that_is_not_in_use(
    write_client: FlaskClient, trip_id: str, event_log: EventLog
) -> None:
    """It starts no trip, registered never or no longer; the one under way can end."""
    answer = write_client.post(f"/api/v1/vehicles/{UNKNOWN_VIN}/trips", json=START)
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_vehicle")
    write_client.delete(f"/api/v1/vehicles/{VIN}")
    assert _end(write_client, trip_id).status_code == 200
    head = event_log.head()
    answer = write_client.post(TRIPS, json=START)
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_vehicle")
    assert event_log.head() == head


@pytest.mark.parametrize("same", [False, True])
def test_eight_start_a_trip_at_once(
    *, same: bool, settings: Settings, event_log: EventLog, register: Callable[..., Any]
) -> None:
    """Eight trips: one is stored, seven meet it. One trip, sent eight times: stored once."""
    register()
    head, trip_id = event_log.head(), str(uuid4())
    app = create_app(settings)

    def start(number: int) -> Any:
        told = START | ({"trip_id": trip_id} if same else {"driver": f"Driver {number}"})
        return app.test_client().post(TRIPS, json=told)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(start, range(8)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == ([201] * 8 if same else [201, *[409] * 7])
    topics = [row.topic for row in event_log.read(head, 100)]
    assert topics == [Trip.Created.TOPIC, OpenTrip.Created.TOPIC]


def test_eight_end_a_trip_at_once(settings: Settings, event_log: EventLog, trip_id: str) -> None:
    """Eight times the same end: all are told so, and it is stored once."""
    head = event_log.head()
    app = create_app(settings)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: _end(app.test_client(), trip_id), range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    topics = [row.topic for row in event_log.read(head, 100)]
    assert topics == [Trip.Ended.TOPIC, OpenTrip.Closed.TOPIC]

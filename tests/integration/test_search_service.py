"""The read service with an Elasticsearch: it finds, PostgreSQL knows, and each may be away."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from projections import create_app as create_projections
from projections.catalog import TRIP_SEARCH, VEHICLE_SEARCH, names_of, read_model
from projections.database import db
from projections.elasticsearch import connect
from read_service import schemas
from read_service.app import create_app
from read_service.trips import schemas as trips_schemas
from tests import driving
from tests.following import to_the_end
from tests.monitoring import judge_by
from tests.running import wait_for
from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.schemas import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from projections.catalog import Following
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

VIN, OTHER_VIN = "YS2R4X20005399401", "VLUR4X20009093588"


@pytest.fixture
def settings(settings: Settings, elasticsearch_url: str) -> Iterator[Settings]:
    """The settings of an installation with Elasticsearch, which knows nothing yet."""
    _forget(elasticsearch_url)
    yield replace(settings, elasticsearch_url=elasticsearch_url, wait_for_position_s=2)
    _forget(elasticsearch_url)


def _forget(elasticsearch_url: str) -> None:
    with connect(elasticsearch_url, 30) as client:
        for name in client.indices.get(index=f"{VEHICLE_SEARCH}-*,{TRIP_SEARCH}-*"):
            client.indices.delete(index=name)


@pytest.fixture
def followers(settings: Settings, event_log: EventLog, engine: Engine) -> dict[str, Following]:
    """A follower of each projection, on a migrated database."""
    return {
        name: read_model(name, settings, event_log).follower(event_log, engine, 1_000)
        for name in names_of(settings)
    }


@pytest.fixture
def follow(
    followers: dict[str, Following], event_log: EventLog, settings: Settings
) -> Callable[..., int]:
    """Judges what is in the log, and folds it into all of them; answers its head."""

    def follow(*, judged_by: datetime | None = None) -> int:
        judge_by(event_log, settings.event_log_url, judged_by or utc_now())
        for follower in followers.values():
            to_the_end(follower)
        return event_log.head()

    return follow


@pytest.fixture
def read(settings: Settings, follow: Callable[[], int]) -> Iterator[FlaskClient]:
    """A client of the read service."""
    follow()
    yield from _client(create_app(settings))


def _client(app: Flask) -> Iterator[FlaskClient]:
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


def test_what_was_written_is_found_within_a_second(
    read: FlaskClient,
    write_client: FlaskClient,
    register: Callable[..., Any],
    follow: Callable[[], int],
) -> None:
    """`at_least` waits until Elasticsearch shows it; items are whole, as PostgreSQL knows them."""
    register(VIN, "ABC 123", labels={"depå": "Umeå"})
    register(OTHER_VIN, "DEF456")
    at = rfc3339(datetime.now(UTC) - timedelta(minutes=1))
    said = {"recorded_at": at, "latitude": 59.2, "longitude": 17.6, "speed_kmh": 70}
    write_client.post(f"/api/v1/vehicles/{VIN}/heartbeats", json=said)
    position = follow()
    began = time.monotonic()
    asked = "q=abc1&label.depå=Umeå&bbox=17,59,18,60&near=59,17,100&silent_for=PT30S"
    answer = read.get(f"/api/v1/vehicles?{asked}&at_least={position}")
    assert time.monotonic() - began < 1
    assert answer.status_code == 200, answer.text
    schemas.VehiclePage().load(answer.json)
    (item,) = answer.json["items"]
    assert (item["vin"], item["speed_kmh"], item["last_heartbeat_at"]) == (VIN, 70.0, at)
    assert (answer.json["total"], answer.json["position"]) == (1, position)
    assert answer.json["facets"]["status"]["connected"] == 1


def test_how_long_elasticsearch_took_is_told(read: FlaskClient) -> None:
    """So of a slow search the operator sees whether it is the index."""

    def told() -> float:
        (line,) = (
            line
            for line in read.get("/metrics").text.splitlines()
            if line.startswith("elasticsearch_took_seconds_count")
        )
        return float(line.split()[1])

    before = told()
    read.get("/api/v1/vehicles")
    assert told() == before + 1


def test_an_answer_is_of_the_instant_up_to_which_was_judged(
    read: FlaskClient,
    write_client: FlaskClient,
    register: Callable[..., Any],
    follow: Callable[..., int],
    followers: dict[str, Following],
) -> None:
    """While the connection monitor is away statuses get old, and `as_of` says how old they are."""
    register(VIN, "ABC 123")
    said = {"recorded_at": rfc3339(datetime.now(UTC)), "latitude": 59.2, "longitude": 17.6}
    write_client.post(f"/api/v1/vehicles/{VIN}/heartbeats", json=said)
    instant = datetime.now(UTC) + timedelta(milliseconds=1)
    follow(judged_by=instant)
    wait_for(lambda: _searched(read)["as_of"] == rfc3339(instant), 10)
    answered = rfc3339(datetime.now(UTC))
    register(OTHER_VIN, "DEF456")
    for follower in followers.values():
        to_the_end(follower)
    wait_for(lambda: _searched(read)["total"] == 2, 10)
    assert _searched(read)["as_of"] == rfc3339(instant) < answered
    assert read.get(f"/api/v1/vehicles/{VIN}").json["as_of"] > answered
    follow()
    wait_for(lambda: _searched(read)["as_of"] > answered, 10)


def _searched(read: FlaskClient) -> Any:
    return read.get("/api/v1/vehicles").json


def test_trips_of_a_customer_through_a_box_last_week(
    read: FlaskClient,
    register: Callable[..., Any],
    customer_id: str,
    event_log: EventLog,
    follow: Callable[[], int],
) -> None:
    """Elasticsearch finds them, `at_least` waits for it; items and cursors are as ever."""
    register(driving.VIN, "ABC 123")
    register(driving.OTHER_VIN, "DEF456")
    for vin, first in ((driving.VIN, 0), (driving.OTHER_VIN, 30), (driving.VIN, 60)):
        driving.drive(event_log, first, 10, vin)
    asked = f"customer_id={customer_id}&bbox=17,59,19,60&q=abc1&limit=1"
    asked += f"&from={rfc3339(driving.START - timedelta(days=7))}&at_least={follow()}"
    body = driving.expect(read.get(f"/api/v1/trips?{asked}"), trips_schemas.TripPage())
    more = read.get(f"/api/v1/trips?{asked}&cursor={body['next_cursor']}").json
    assert (more["next_cursor"], more["position"]) == (None, event_log.head())
    trips = body["items"] + more["items"]
    assert trips == read.get(f"/api/v1/vehicles/{driving.VIN}/trips?limit=2").json["items"]
    assert read.get(f"/api/v1/trips/{trips[0]['trip_id']}").json["driver"] is None
    wrong = read.get("/api/v1/trips?cursor=x")
    assert (wrong.status_code, wrong.json["code"]) == (422, "invalid_cursor")


def test_the_operator_rebuilds_what_finds_trips(
    settings: Settings, follow: Callable[[], int]
) -> None:
    """By its name, as every other; it parks nothing."""
    follow()
    commands = create_projections(settings).test_cli_runner()
    result = commands.invoke(args=["rebuild", TRIP_SEARCH])
    assert result.exit_code == 0, result.output
    assert "trip_search is rebuilt." in result.output
    assert commands.invoke(args=["parked", "list", TRIP_SEARCH]).output == ""
    result = commands.invoke(args=["parked", "replay", TRIP_SEARCH])
    assert (result.exit_code, "parks none" in result.output) == (2, True)


def test_a_search_that_is_behind_says_so(
    read: FlaskClient,
    register: Callable[..., Any],
    followers: dict[str, Following],
    event_log: EventLog,
) -> None:
    """Whichever of the two models is behind: rather no answer than an old one."""
    register(VIN, "ABC 123")
    followers["customer_vehicles"].catch_up()
    answer = read.get(f"/api/v1/vehicles?at_least={event_log.head()}")
    assert (answer.status_code, answer.json["code"]) == (503, "read_model_behind")
    by_key = read.get(f"/api/v1/vehicles/{VIN}?at_least={event_log.head()}")
    assert by_key.status_code == 200


def test_all_read_models_tell_how_far_they_are(
    read: FlaskClient, register: Callable[..., Any], follow: Callable[[], int]
) -> None:
    """Names, positions and lag of each, and all is ready."""
    register(VIN, "ABC 123")
    position = follow()
    answer = read.get("/api/v1/projections").json
    assert {one["name"]: (one["position"], one["state"]) for one in answer["items"]} == {
        "customer_vehicles": (position, "live"),
        "trips": (position, "live"),
        "vehicle_search": (position, "live"),
        "trip_search": (position, "live"),
    }
    ready = read.get("/health/ready")
    assert (ready.status_code, "elasticsearch" in ready.json["ok"]) == (200, True)


def test_without_its_elasticsearch_it_does_not_search(
    settings: Settings, follow: Callable[[], int], register: Callable[..., Any]
) -> None:
    """503 `search_unavailable` and when to come again; the rest goes on; health names it."""
    register(VIN, "ABC 123")
    position = follow()
    away = replace(settings, elasticsearch_url="http://127.0.0.1:1")
    for client in _client(create_app(away)):
        searches = ("vehicles", f"vehicles?at_least={position}", "vehicles?sort=status", "trips")
        for path in (*searches, f"trips?at_least={position}"):
            answer = client.get(f"/api/v1/{path}")
            assert (answer.status_code, answer.json["code"]) == (503, "search_unavailable")
            assert answer.headers["Retry-After"] == "1"
        for path in (f"vehicles/{VIN}", f"vehicles/{VIN}/trips", "projections"):
            assert client.get(f"/api/v1/{path}").status_code == 200
        ready = client.get("/health/ready")
        assert (ready.status_code, list(ready.json["failing"])) == (503, ["elasticsearch"])


def test_an_index_that_is_not_there_yet_is_no_defect(
    settings: Settings, followers: dict[str, Following]
) -> None:
    """Before anything was judged or folded searches are unavailable, not broken."""
    for client in _client(create_app(settings)):
        for path in ("vehicles", "vehicles?sort=-last_heartbeat_at", "trips", "trips?limit=1"):
            answer = client.get(f"/api/v1/{path}")
            assert (answer.status_code, answer.json["code"]) == (503, "search_unavailable")


WRONG = ["cursor=x", "sort=status&cursor=x", "bbox=1", "near=1", "silent_for=1", "label.=1"]
ODD = ["*:*", '"', "\\", "/.*/", "a AND b", "(a+)+$", "%F0%9F%98%80" * 4, "a" * 200, "%EF%BF%BD"]


def test_bad_input_is_named_and_odd_input_is_text(read: FlaskClient) -> None:
    """422 for what is wrong; a plain search for what only looks like a query language."""
    for query in WRONG:
        answer = read.get(f"/api/v1/vehicles?{query}")
        assert answer.status_code == 422, query
    for q in ODD:
        answer = read.get("/api/v1/vehicles?q=" + q.replace("+", "%2B").replace("\\", "%5C"))
        assert (answer.status_code, answer.json["total"]) == (200, 0), q

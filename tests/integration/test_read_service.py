"""The read service over a real log and real read models: it answers what was written."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from projections.catalog import CUSTOMER_VEHICLES
from projections.database import db
from projections.follower import Follower
from projections.paging import encode_cursor
from read_service import schemas
from read_service.app import create_app
from read_service.freshness import LOOK_EVERY_S
from tests.following import record
from vehicle_tracker.schemas import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

VIN, OTHER_VIN = "YS2R4X20005399401", "VLUR4X20009093588"
NEVER = "WVWZZZ1JZXW000001"
NOBODY = UUID(int=1)
MANY = 10**30
NAIVE = encode_cursor("2026-01-31T12:00:00")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Little patience with positions that never come."""
    return replace(settings, wait_for_position_s=0.2)


@pytest.fixture
def follow(event_log: EventLog, engine: Engine) -> Callable[[], int]:
    """Folds what is in the log; answers its head."""

    def follow() -> int:
        follower = Follower(CUSTOMER_VEHICLES, event_log, engine, page=1_000)
        while follower.catch_up():
            pass
        return event_log.head()

    return follow


@pytest.fixture
def app(settings: Settings, engine: Engine) -> Iterator[Flask]:
    """The read service."""
    app = create_app(settings)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def read(app: Flask) -> FlaskClient:
    """A client of the read service."""
    return app.test_client()


@pytest.fixture
def fleet(
    write_client: FlaskClient,
    register: Callable[..., Any],
    follow: Callable[[], int],
) -> int:
    """Two vehicles, one with three heartbeats of the last minutes; answers the position."""
    register(VIN, "ABC 123", labels={"depå": "Umeå"})
    register(OTHER_VIN, "DEF456")
    now = datetime.now(UTC)
    for minutes in (1, 3, 2):
        said = {"recorded_at": rfc3339(now - timedelta(minutes=minutes)), "speed_kmh": minutes}
        place = {"latitude": 59.2, "longitude": 17.6} if minutes == 3 else {}
        write_client.post(f"/api/v1/vehicles/{VIN}/heartbeats", json=said | place)
    return follow()


def _expect(answer: Any, schema: Any) -> Any:
    """The body of a 200 that is what its schema says, no more and no less."""
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/json"
    schema.load(answer.json)
    return answer.json


def _problem(answer: Any, status: int, code: str) -> Any:
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json["code"] == code
    return answer.json


def test_vehicles_are_found(read: FlaskClient, fleet: int, customer_id: str) -> None:
    """Items, total, facets, position and time: what was written, as it was written."""
    body = _expect(read.get("/api/v1/vehicles"), schemas.VehiclePage())
    assert [item["registration_number"] for item in body["items"]] == ["ABC 123", "DEF456"]
    seen, never = body["items"]
    assert seen["customer"] == {"customer_id": customer_id, "name": "Kalle"}
    assert (seen["status"], seen["status_since"], seen["speed_kmh"]) == ("connected", None, 1.0)
    assert (seen["latitude"], seen["labels"]) == (59.2, {"depå": "Umeå"})
    assert seen["position_recorded_at"] < seen["last_heartbeat_at"] < body["as_of"]
    assert (never["status"], never["last_heartbeat_at"]) == ("never_seen", None)
    assert never["status_since"] == never["registered_at"]
    assert (body["total"], body["position"], body["next_cursor"]) == (2, fleet, None)
    assert body["facets"]["status"] == {"connected": 1, "disconnected": 0, "never_seen": 1}
    assert body["facets"]["customers"] == [
        {"customer_id": customer_id, "name": "Kalle", "count": 2}
    ]


@pytest.mark.parametrize(
    ("query", "vins"),
    [
        ("q=abc", [VIN]),
        ("q=UMEA+kalle", [VIN]),
        ("status=never_seen", [OTHER_VIN]),
        ("status=never_seen&status=connected&sort=-registration_number", [OTHER_VIN, VIN]),
        ("sort=-last_heartbeat_at&limit=1", [VIN]),
        (f"customer_id={NOBODY}", []),
        ("q=", [VIN, OTHER_VIN]),
    ],
)
def test_vehicles_are_filtered(read: FlaskClient, fleet: int, query: str, vins: list[str]) -> None:
    """Each parameter does what it says, alone and with others, for all and for a customer."""
    body = read.get(f"/api/v1/vehicles?{query}").json
    assert [item["vin"] for item in body["items"]] == vins
    if "customer_id" not in query:
        (customer,) = read.get("/api/v1/customers").json["items"]
        url = f"/api/v1/customers/{customer['customer_id']}/vehicles?{query}"
        same = _expect(read.get(url), schemas.VehiclePage())
        assert same["items"] == body["items"]


def test_a_cursor_leads_to_the_next_page(read: FlaskClient, fleet: int) -> None:
    """`next_cursor` continues after the last item, and is null on the last page."""
    first = read.get("/api/v1/vehicles?limit=1&sort=vin").json
    second = read.get(f"/api/v1/vehicles?limit=1&sort=vin&cursor={first['next_cursor']}").json
    assert [item["vin"] for item in first["items"] + second["items"]] == [OTHER_VIN, VIN]
    assert second["next_cursor"] is None


def test_a_vehicle_shows_the_numbers_behind_its_status(read: FlaskClient, fleet: int) -> None:
    """The item of the list, with the limits it is judged by."""
    body = _expect(read.get(f"/api/v1/vehicles/{VIN}?at_least={fleet}"), schemas.Vehicle())
    assert (body["heartbeat_interval_s"], body["disconnect_after_s"]) == (60, 120)
    assert (body["position"], body["vin"]) == (fleet, VIN)
    _problem(read.get(f"/api/v1/vehicles/{NEVER}"), 404, "unknown_vehicle")


def test_heartbeats_come_out_of_the_log(read: FlaskClient, fleet: int) -> None:
    """By `recorded_at`, however they arrived; `from` is inside, `to` is not; page by page."""
    url = f"/api/v1/vehicles/{VIN}/heartbeats"
    body = _expect(read.get(url), schemas.HeartbeatPage())
    assert [item["speed_kmh"] for item in body["items"]] == [3.0, 2.0, 1.0]
    assert (body["items"][0]["latitude"], body["position"]) == (59.2, fleet)
    first, second, third = (item["recorded_at"] for item in body["items"])
    between = read.get(f"{url}?from={second}&to={third}").json
    assert [item["recorded_at"] for item in between["items"]] == [second]
    page = read.get(f"{url}?limit=2").json
    rest = read.get(f"{url}?limit=2&from={first}&cursor={page['next_cursor']}").json
    assert [item["recorded_at"] for item in rest["items"]] == [third]
    assert rest["next_cursor"] is None
    assert read.get(f"/api/v1/vehicles/{OTHER_VIN}/heartbeats").json["items"] == []


def test_a_decommissioned_vehicle_is_gone_but_its_history_stays(
    read: FlaskClient, write_client: FlaskClient, fleet: int, follow: Callable[[], int]
) -> None:
    """Neither found, nor counted, nor shown; its heartbeats can still be read."""
    write_client.delete(f"/api/v1/vehicles/{VIN}")
    follow()
    assert read.get("/api/v1/vehicles").json["total"] == 1
    assert read.get("/api/v1/customers").json["items"][0]["vehicles"] == 1
    assert len(read.get("/search").json) == 1
    _problem(read.get(f"/api/v1/vehicles/{VIN}"), 404, "unknown_vehicle")
    assert len(read.get(f"/api/v1/vehicles/{VIN}/heartbeats").json["items"]) == 3
    _problem(read.get(f"/api/v1/vehicles/{NEVER}/heartbeats"), 404, "unknown_vehicle")


def test_customers_are_counted(
    read: FlaskClient, write_client: FlaskClient, fleet: int, follow: Callable[[], int]
) -> None:
    """Customers by name, each with its vehicles by status; page by page; found by their name."""
    for name in ("Åsas Åkeri", "Bertils Bulk", "Ödlan"):
        write_client.post("/api/v1/customers", json={"name": name, "address": "Väg 2"})
    follow()
    body = _expect(read.get("/api/v1/customers"), schemas.CustomerPage())
    names = ["Åsas Åkeri", "Bertils Bulk", "Kalle", "Ödlan"]
    assert [item["name"] for item in body["items"]] == names
    assert body["total"] == 4
    kalle = body["items"][2]
    assert kalle["status"] == {"connected": 1, "disconnected": 0, "never_seen": 1}
    paged: list[str] = []
    cursor = ""
    while cursor is not None:
        url = f"/api/v1/customers?limit=3{cursor and '&cursor='}{cursor}"
        page = read.get(url).json
        paged += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert paged == names
    assert [item["name"] for item in read.get("/api/v1/customers?q=akeri+ASAS").json["items"]] == [
        "Åsas Åkeri"
    ]
    one = _expect(read.get(f"/api/v1/customers/{kalle['customer_id']}"), schemas.Customer())
    assert one["vehicles"] == 2
    for url in (f"/api/v1/customers/{NOBODY}", f"/api/v1/customers/{NOBODY}/vehicles"):
        _problem(read.get(url), 404, "unknown_customer")


def test_the_wire_of_the_demo(read: FlaskClient, fleet: int, customer_id: str) -> None:
    """`/search` answers as it did: all vehicles, or by a part of the customer's name, or online."""
    body = read.get("/search").json
    assert schemas.DemoVehicle(many=True).load(body)
    assert {one["id"]: one["online"] for one in body} == {VIN: True, OTHER_VIN: False}
    assert body[1]["customer"] == {"id": customer_id, "name": "Kalle", "address": "Väg 1"}
    assert [one["id"] for one in read.get("/search?online=true").json] == [VIN]
    assert [one["id"] for one in read.get("/search?online=false").json] == [OTHER_VIN]
    assert len(read.get("/search?customer_name=ALL").json) == 2
    assert read.get("/search?customer_name=nobody").json == []
    assert read.get("/search/ping").json == {"message": "pong"}


def test_projections_tell_how_far_they_are(
    read: FlaskClient, fleet: int, register: Callable[..., Any]
) -> None:
    """Position, head, lag and state, live and behind."""
    (live,) = _expect(read.get("/api/v1/projections"), schemas.Projections())["items"]
    assert (live["position"], live["head"], live["state"]) == (fleet, fleet, "live")
    register(NEVER, "NEW1")
    (behind,) = read.get("/api/v1/projections").json["items"]
    assert (behind["lag_events"], behind["state"]) == (1, "catching_up")
    assert behind["lag_seconds"] > 0


def test_a_read_waits_for_the_position_it_asks_for(
    settings: Settings,
    engine: Engine,
    fleet: int,
    register: Callable[..., Any],
    event_log: EventLog,
) -> None:
    """`at_least` answers once the read model is there, for several who wait at once."""
    read = create_app(replace(settings, wait_for_position_s=20)).test_client()
    position = register(NEVER, "NEW1").json["position"]
    answers: list[Any] = []
    waiting = [
        Thread(
            target=lambda: answers.append(
                read.application.test_client().get(f"/api/v1/vehicles?at_least={position}").json
            )
        )
        for _ in range(4)
    ]
    for thread in waiting:
        thread.start()
    stop = Event()
    follower = Thread(target=Follower(CUSTOMER_VEHICLES, event_log, engine, 100).run, args=(stop,))
    follower.start()
    for thread in [*waiting]:
        thread.join(30)
    stop.set()
    follower.join(10)
    assert [(one["total"], one["position"]) for one in answers] == [(3, position)] * 4


WAITING = [
    "vehicles",
    f"vehicles/{VIN}",
    f"vehicles/{VIN}/heartbeats",
    "customers",
    f"customers/{NOBODY}",
    f"customers/{NOBODY}/vehicles",
    "projections",
]


def test_a_position_that_is_not_reached_is_a_503(read: FlaskClient, fleet: int) -> None:
    """Rather no answer than an old one: `read_model_behind`, and when to come again."""
    for path in WAITING:
        began = time.monotonic()
        answer = read.get(f"/api/v1/{path}?at_least={fleet + 1}")
        _problem(answer, 503, "read_model_behind")
        assert answer.headers["Retry-After"] == "1"
        assert time.monotonic() - began < 5


WRONG = [
    ("vehicles?colour=red", "colour"),
    ("vehicles?limit=0", "limit"),
    ("vehicles?limit=501", "limit"),
    (f"vehicles?limit={MANY}", "limit"),
    ("vehicles?limit=NaN", "limit"),
    ("vehicles?status=gone", "status.0"),
    ("vehicles?sort=colour", "sort"),
    ("vehicles?customer_id=7", "customer_id.0"),
    ("vehicles?at_least=-1", "at_least"),
    (f"vehicles?at_least={MANY}", "at_least"),
    ("vehicles?at_least=" + "9" * 5000, "at_least"),
    ("vehicles?q=a%00b", "q"),
    ("vehicles?q=" + "a" * 201, "q"),
    ("vehicles?q=" + "a+" * 11, "q"),
    ("vehicles?q=" + "a" * 10_000, "q"),
    ("vehicles?limit=100000", "limit"),
    ("vehicles?silent_for=1h", "silent_for"),
    ("vehicles?silent_for=P", "silent_for"),
    ("vehicles?silent_for=PT", "silent_for"),
    ("vehicles?silent_for=P1Y", "silent_for"),
    ("vehicles?silent_for=-PT1H", "silent_for"),
    ("vehicles?silent_for=P999999W", "silent_for"),
    ("vehicles?silent_for=", "silent_for"),
    ("vehicles?bbox=1,2,3", "bbox"),
    ("vehicles?bbox=1,2,3,4,5", "bbox"),
    ("vehicles?bbox=a,b,c,d", "bbox"),
    ("vehicles?bbox=1,2,3,nan", "bbox"),
    ("vehicles?bbox=1,2,3,1e1", "bbox"),
    ("vehicles?bbox=-181,0,0,0", "bbox"),
    ("vehicles?bbox=0,-91,0,0", "bbox"),
    ("vehicles?bbox=0,2,0,1", "bbox"),
    ("vehicles?bbox=" + "9" * 500 + ",0,0,0", "bbox"),
    ("vehicles?near=59,18", "near"),
    ("vehicles?near=59,18,0", "near"),
    ("vehicles?near=59,18,-1", "near"),
    ("vehicles?near=59,18,99999", "near"),
    ("vehicles?near=91,18,1", "near"),
    ("vehicles?near=59,18,1km", "near"),
    ("vehicles?label.=x", "labels"),
    ("vehicles?label.a=%00", "labels"),
    ("vehicles?" + "&".join(f"label.k{n}=v" for n in range(33)), "labels"),
    ("vehicles?labels=a", "labels"),
    ("vehicles?label=a", "label"),
    ("customers?label.a=b", "label.a"),
    ("vehicles?cursor=x", "cursor"),
    ("vehicles?cursor=%00", "cursor"),
    ("vehicles?cursor=" + "a" * 2001, "cursor"),
    ("customers?cursor=x", "cursor"),
    ("customers?q=%01", "q"),
    (f"customers/{NOBODY}/vehicles?customer_id={NOBODY}", "customer_id"),
    (f"vehicles/{VIN}?at_least=x", "at_least"),
    (f"vehicles/{VIN}/heartbeats?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
    (f"vehicles/{VIN}/heartbeats?from=2026-01-02T00:00:00", "from"),
    (f"vehicles/{VIN}/heartbeats?from=yesterday", "from"),
    (f"vehicles/{VIN}/heartbeats?cursor=WyJ4Il0", "cursor"),
    (f"vehicles/{VIN}/heartbeats?cursor={NAIVE}&from=2026-01-01T00:00:00Z", "cursor"),
    (f"vehicles/{VIN}/heartbeats?limit=-1", "limit"),
    ("projections?x=1", "x"),
]


def test_a_wrong_parameter_is_named(read: FlaskClient, fleet: int) -> None:
    """422 with what was expected of which parameter; nothing is ignored, nothing breaks."""
    for path, field in WRONG:
        answer = read.get(f"/api/v1/{path}")
        assert answer.status_code == 422, path
        assert field in answer.json["errors"], path


ODD = [
    ("/api/v1/vehicles/%00", 404),
    ("/api/v1/vehicles/abc", 404),
    ("/api/v1/vehicles/%F0%9F%98%80", 404),
    ("/api/v1/vehicles/%FF/heartbeats", 404),
    ("/api/v1/customers/7", 404),
    ("/api/v1/customers/%00/vehicles", 404),
    ("/api/v1/vehicles?q=%FF", 200),
    ("/api/v1/vehicles?q=%25_%5C", 200),
    (f"/api/v1/vehicles/{VIN}/heartbeats?from=0001-01-01T00:00:00Z", 200),
    (f"/api/v1/vehicles/{VIN}/heartbeats?from=0001-01-01T00:00:00%2B14:00", 200),
    (f"/api/v1/vehicles/{VIN}/heartbeats?to=9999-12-31T23:59:59.999999-14:00", 200),
    ("/search?customer_name=%00", 422),
    ("/search?online=maybe", 422),
]


def test_odd_input_gets_an_answer(read: FlaskClient, fleet: int) -> None:
    """A NUL, half a character, the ends of time: never a 500."""
    for path, status in ODD:
        assert read.get(path).status_code == status, path


def test_without_its_database_it_says_so(
    settings: Settings, database_url: str, postgresql_url: str
) -> None:
    """Not migrated or gone: 503 with `Retry-After`, not ready, but alive."""
    name = f"gone_{uuid4().hex}"
    host = conninfo_to_dict(postgresql_url)["host"]
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        url = f"postgresql://postgres:@/{name}?host={host}"
        read = create_app(replace(settings, database_url=url)).test_client()
        not_migrated = read.get("/api/v1/vehicles")
        assert "migration None" in read.get("/health/ready").json["failing"]["read_model"]
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    for answer in (not_migrated, read.get("/api/v1/vehicles"), read.get("/search")):
        _problem(answer, 503, "read_model_unavailable")
        assert answer.headers["Retry-After"]
    ready = read.get("/health/ready")
    assert ready.status_code == 503
    assert list(ready.json["failing"]) == ["read_model"]
    assert read.get("/health/live").status_code == 200


def test_it_is_ready_and_documented(read: FlaskClient, fleet: int) -> None:
    """Ready with all its parts; the documentation names every route and problem."""
    assert read.get("/health/ready").json == {"ok": ["event_log", "read_model"], "failing": {}}
    document = json.loads(read.get("/openapi.json").data)
    assert document["openapi"] == "3.1.0"
    for path, methods in document["paths"].items():
        described = methods["get"]["responses"]
        assert "200" in described, path
        assert path == "/search/ping" or "503" in described, path


def test_a_follower_that_stands_still_makes_nobody_silent(
    read: FlaskClient, event_log: EventLog, fleet: int, follow: Callable[[], int]
) -> None:
    """Behind the log, statuses are as of what was folded last, and the answer says as of when."""
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    record(event_log, OTHER_VIN, hour_ago)
    follow()
    waiting = hour_ago + timedelta(minutes=1)
    record(event_log, OTHER_VIN, waiting)
    (behind,) = read.get(f"/api/v1/vehicles?q={OTHER_VIN}").json["items"]
    answer = read.get(f"/api/v1/vehicles/{OTHER_VIN}").json
    assert answer["as_of"] == rfc3339(waiting)
    assert answer["status"] == behind["status"] == "connected"
    follow()
    time.sleep(LOOK_EVERY_S)
    answer = read.get(f"/api/v1/vehicles/{OTHER_VIN}").json
    assert answer["status"] == "disconnected"
    assert datetime.fromisoformat(answer["as_of"]) > hour_ago + timedelta(minutes=59)
    assert answer["answered_at"] >= answer["as_of"]

"""The fleet as it was: what `/fleet?at=` answers is what all events until then come to."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from projections.paging import encode_cursor
from read_service.past import schemas as history_schemas
from tests.fleet_lives import BEGIN, DEFAULT_S, NAMES, SECOND, Life, fleet_then
from tests.following import VINS, catch_up
from vehicle_tracker import history
from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.schemas import rfc3339

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog

STEPS = (
    *["heard"] * 9, "plated", "moved", "labelled", "own limit", "out", "renamed", "limited",
    "connected", "disconnected", "mended",
)  # fmt: skip
steps = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from(STEPS),
        st.integers(0, 2),
        st.integers(0, 120),
    ),
    min_size=12,
    max_size=40,
)
"""After how many seconds what happens to whom, and how."""

_TABLES = "vehicle_tracker_events, vehicle, customer, connections, fleet_size, projection"


def _lived(taken: list[tuple[int, str, int, int]]) -> Life:
    life = Life()
    for pause, step, who, number in taken:
        life.go("wait", 0, pause)
        life.go(step, who, number)
    return life


def _store(life: Life, log: EventLog, engine: Engine) -> None:
    """The life and nothing else, in the log and in the read model."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {_TABLES}")
    life.store(log)
    catch_up(log, engine)


def _read(client: FlaskClient, at: datetime, **query: Any) -> Any:
    answer = client.get(f"/api/v1/fleet?{urlencode({'at': rfc3339(at), **query})}")
    assert answer.status_code == 200, answer.text
    return answer.json


def _pages(client: FlaskClient, at: datetime, **query: Any) -> tuple[list[Any], Any]:
    """All items, page by page, and the first page."""
    first = body = _read(client, at, sort="vin", limit=2, **query)
    items = body["items"]
    while body["next_cursor"]:
        cursor = body["next_cursor"]
        body = _read(client, at, sort="vin", limit=2, cursor=cursor, **query)
        items = items + body["items"]
    return items, first


@hypothesis_settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(taken=steps, data=st.data())
def test_the_fleet_then_is_what_all_events_until_then_come_to(
    event_log: EventLog,
    engine: Engine,
    read_client: FlaskClient,
    taken: list[tuple[int, str, int, int]],
    data: st.DataObject,
) -> None:
    """Late and repeated heartbeats, new plates, owners and limits: any instant of any life."""
    life = _lived(taken)
    _store(life, event_log, engine)
    end = (life.now - BEGIN) // SECOND + 10
    for _ in range(4):
        at = BEGIN + data.draw(st.integers(-10, end)) * SECOND
        expected = fleet_then(life.events, at)
        items, first = _pages(read_client, at)
        assert [item | one for item, one in zip(items, expected, strict=True)] == items
        assert len(items) == len(expected) == first["total"]
        assert first["facets"]["status"] == {
            status: sum(one["status"] == status for one in expected)
            for status in ("connected", "disconnected", "never_seen")
        }
        name, value, kept = data.draw(st.sampled_from(_filters(life, at)))
        found, first = _pages(read_client, at, **{name: value})
        wanted = [one["vin"] for one in expected if kept(one)]
        assert [one["vin"] for one in found] == wanted, (name, value)
        assert first["total"] == len(wanted)


def _filters(life: Life, at: datetime) -> list[tuple[str, str, Any]]:
    """Filters of the list, each with the same in Python."""
    minute_ago = rfc3339(at - timedelta(minutes=1))
    return [
        ("status", "connected", lambda one: one["status"] == "connected"),
        ("status", "disconnected", lambda one: one["status"] == "disconnected"),
        ("silent_for", "PT1M", lambda one: (one["last_heartbeat_at"] or "X") < minute_ago),
        ("label.depot", "oslo", lambda one: one["labels"].get("depot") == "oslo"),
        ("bbox", "17,20,18,60", lambda one: 20 <= (one["latitude"] or -1) <= 60),
        *(("q", name, lambda one, name=name: one["customer"]["name"] == name) for name in NAMES),
        *(
            (
                "customer_id",
                str(id_),
                lambda one, id_=str(id_): one["customer"]["customer_id"] == id_,
            )
            for id_ in life.owners
        ),
    ]


@pytest.fixture
def life(event_log: EventLog, engine: Engine) -> Life:
    """Three vehicles, registered a minute apart and heard every minute; one is out of use."""
    life = Life()
    for who in range(3):
        life.go("registered", who, who)
        life.go("wait", 0, 60)
    for _ in range(5):
        for who in range(3):
            life.go("heard", who, 5)
        life.go("wait", 0, 60)
    life.go("out", 0, 0)
    _store(life, event_log, engine)
    return life


def test_the_fleet_is_answered_as_documented(read_client: FlaskClient, life: Life) -> None:
    """Items as of `/vehicles`, of the instant that is asked for, from a position of the log."""
    at = BEGIN + timedelta(minutes=4, seconds=1)
    body = _read(read_client, at)
    history_schemas.Fleet().load(body)
    assert (body["at"], body["total"]) == (rfc3339(at), 3)
    assert {item["last_heartbeat_at"] for item in body["items"]} == {rfc3339(at - SECOND)}
    assert datetime.fromisoformat(body["as_of"]) > at
    assert _read(read_client, life.now)["total"] == 2
    assert _read(read_client, BEGIN + SECOND)["total"] == 1
    assert _read(read_client, BEGIN - SECOND)["total"] == 0


def test_a_vehicle_is_where_it_said_last_that_it_was(
    read_client: FlaskClient, event_log: EventLog, engine: Engine
) -> None:
    """By an instant, even if what it said last by then was no place, and it moved on since."""
    life = Life()
    life.go("registered", 0, 0)
    for number in (5, 6, 7):
        life.go("wait", 0, 60)
        life.go("heard", 0, number)
    _store(life, event_log, engine)
    (item,) = _read(read_client, BEGIN + timedelta(minutes=2, seconds=30))["items"]
    assert (item["speed_kmh"], item["latitude"]) == (6.0, 5.0)
    assert item["position_recorded_at"] == rfc3339(BEGIN + timedelta(minutes=1))
    assert item["last_heartbeat_at"] == rfc3339(BEGIN + timedelta(minutes=2) - SECOND)


def test_a_limit_is_judged_to_the_microsecond(
    read_client: FlaskClient, event_log: EventLog, engine: Engine
) -> None:
    """However the times of heartbeats travel: a vehicle that was heard again since is no other."""
    life, microsecond = Life(now=BEGIN + timedelta(microseconds=1)), timedelta(microseconds=1)
    life.go("registered", 0, 0)
    life.go("heard", 0, 5)
    heard = life.now
    life.go("wait", 0, 3600)
    life.go("heard", 0, 5)
    _store(life, event_log, engine)
    for at, status in (
        (heard, "connected"),
        (heard + DEFAULT_S * SECOND, "connected"),
        (heard + DEFAULT_S * SECOND + microsecond, "disconnected"),
    ):
        for query in ({}, {"status": status}):
            body = _read(read_client, at, **query)
            assert [item["status"] for item in body["items"]] == [status] * body["total"]
            assert body["facets"]["status"][status] == body["total"] == 1


def test_what_takes_too_long_is_refused(
    read_client: FlaskClient, engine: Engine, life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One question does not keep the service busy, wherever it is that it is slow."""
    monkeypatch.setattr(history, "WITHIN_S", 0.2)
    with engine.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE vehicle")
        answer = read_client.get(f"/api/v1/fleet?at={rfc3339(BEGIN)}")
    assert (answer.status_code, answer.json["code"]) == (422, "too_much_to_read")
    monkeypatch.setattr(history, "WITHIN_S", 0.0)
    answer = read_client.get(f"/api/v1/fleet?at={rfc3339(BEGIN)}")
    assert (answer.status_code, answer.json["code"]) == (422, "too_much_to_read")


def test_nothing_of_the_past_stays(read_client: FlaskClient, life: Life) -> None:
    """The tables made for an answer are gone with it: the present is found as before."""
    before = read_client.get("/api/v1/vehicles").json["items"]
    for _ in range(3):
        assert _read(read_client, BEGIN)["total"] == 1
        assert read_client.get("/api/v1/vehicles").json["items"] == before


def test_a_cursor_is_of_one_instant(read_client: FlaskClient, life: Life) -> None:
    """The page after one of another instant, or of another list, is no page at all."""
    at = life.now - SECOND
    cursor = _read(read_client, at, limit=1)["next_cursor"]
    in_stockholm = at.astimezone(timezone(timedelta(hours=1))).isoformat()
    same = read_client.get(f"/api/v1/fleet?{urlencode({'at': in_stockholm, 'cursor': cursor})}")
    assert same.status_code == 200
    list_of_now = read_client.get("/api/v1/vehicles?limit=1").json["next_cursor"]
    for wrong in (list_of_now, "abc", encode_cursor("fleet", at, "abc"), cursor):
        other = {"at": rfc3339(at + (SECOND if wrong == cursor else 0 * SECOND)), "cursor": wrong}
        answer = read_client.get(f"/api/v1/fleet?{urlencode(other)}")
        assert (answer.status_code, answer.json["code"]) == (422, "invalid_cursor"), wrong


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({}, "at"),
        ({"at": ""}, "at"),
        ({"at": "2026-01-31"}, "at"),
        ({"at": "2026-01-31T12:00:00"}, "at"),
        ({"at": rfc3339(utc_now() + timedelta(hours=1))}, "at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"at": "9999-12-31T23:59:59-14:00"}, "at"),
        ({"at": rfc3339(BEGIN), "status": "asleep"}, "status.0"),
        ({"at": rfc3339(BEGIN), "sort": "age"}, "sort"),
    ],
)
def test_a_bad_question_is_refused(
    read_client: FlaskClient, query: dict[str, str], named: str
) -> None:
    """What is wrong is named; nobody is told of the future."""
    answer = read_client.get(f"/api/v1/fleet?{urlencode(query)}")
    assert (answer.status_code, list(answer.json["errors"])) == (422, [named]), answer.text


def test_it_waits_for_a_position(read_client: FlaskClient, life: Life) -> None:
    """As every read does: one that does not come in time is said to be missing."""
    answer = read_client.get(f"/api/v1/fleet?at={rfc3339(BEGIN)}&at_least=999999999")
    assert (answer.status_code, answer.json["code"]) == (503, "read_model_behind")
    assert VINS[0] not in answer.text

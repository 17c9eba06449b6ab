"""Availability over HTTP, out of a real log: as JSON, as CSV, and what is refused."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg.sql import SQL

from read_service.past import availability as rendered
from read_service.past import schemas as history_schemas
from tests.following import NOW, VINS, catch_up, record
from vehicle_tracker import history
from vehicle_tracker.domain.availability import Heard, Period
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.errors import Invalid
from vehicle_tracker.schemas import rfc3339

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog

VIN, OTHER_VIN, NEVER = VINS[:3]
HOUR = timedelta(hours=1)
YEARS_AGO = "2016-01-31T12:00:00Z"
SINCE, UNTIL = NOW - HOUR, NOW + HOUR
PERIOD = f"from={rfc3339(SINCE)}&to={rfc3339(UNTIL)}"


def _minutes(*minutes: float) -> list[datetime]:
    return [NOW + timedelta(minutes=one) for one in minutes]


@pytest.fixture
def owner(event_log: EventLog, engine: Engine) -> Customer:
    """A customer with three vehicles: heard around noon, heard now, and never heard."""
    owner = Customer(name="Kalle", address="Väg 1")
    event_log.save(owner)
    for vin in (VIN, OTHER_VIN, NEVER):
        event_log.save(
            Vehicle(vin=vin, registration_number=f"A{vin[-1]}", customer_id=owner.id, labels={})
        )
    for at in _minutes(-61, 30, 32, 31, 35, 30):
        record(event_log, VIN, at)
    record(event_log, OTHER_VIN, datetime.now(UTC))
    catch_up(event_log, engine)
    return owner


def _of_vehicle(client: FlaskClient, vin: str = VIN, query: str = PERIOD) -> Any:
    answer = client.get(f"/api/v1/vehicles/{vin}/availability?{query}")
    assert answer.status_code == 200, answer.text
    history_schemas.VehicleAvailability().load(answer.json)
    return answer.json


def _of_customer(client: FlaskClient, owner: Customer, query: str) -> Any:
    answer = client.get(f"/api/v1/customers/{owner.id}/availability?{query}")
    assert answer.status_code == 200, answer.text
    history_schemas.CustomerAvailability().load(answer.json)
    return answer.json


def _spells(body: Any) -> list[tuple[str, str, str]]:
    return [tuple(spell.values()) for spell in body["intervals"]]


def test_a_vehicle_s_availability(read_client: FlaskClient, owner: Customer) -> None:
    """What reaches into the period counts, what came late or twice counts once, gaps are told."""
    body = _of_vehicle(read_client)
    silent, other, gone, back, over = _minutes(-59, 30, 34, 35, 37)
    assert _spells(body) == [
        (rfc3339(SINCE), rfc3339(silent), "connected"),
        (rfc3339(silent), rfc3339(other), "disconnected"),
        (rfc3339(other), rfc3339(gone), "connected"),
        (rfc3339(gone), rfc3339(back), "disconnected"),
        (rfc3339(back), rfc3339(over), "connected"),
        (rfc3339(over), rfc3339(UNTIL), "disconnected"),
    ]
    assert (body["connected_s"], body["disconnect_after_s"]) == (7 * 60, 120)
    assert body["connected_share"] == 7 / 120


def test_the_limits_are_the_vehicle_s_else_its_customer_s(
    read_client: FlaskClient, owner: Customer, event_log: EventLog
) -> None:
    """A longer limit closes gaps, for all of the past, and the answer names it."""
    owner.change_disconnect_after(180)
    event_log.save(owner)
    body = _of_vehicle(read_client)
    assert (body["disconnect_after_s"], body["connected_s"]) == (180, (2 + 8) * 60)
    vehicle = event_log.repository.get(Vehicle.create_id(VIN))
    vehicle.change_disconnect_after(60)
    event_log.save(vehicle)
    body = _of_vehicle(read_client)
    assert (body["disconnect_after_s"], body["connected_s"]) == (60, 4 * 60)


def test_a_late_heartbeat_mends_the_past(
    read_client: FlaskClient, owner: Customer, event_log: EventLog
) -> None:
    """What was silent when it was asked first is connected when the heartbeat has come."""
    before = _of_vehicle(read_client)["connected_s"]
    record(event_log, VIN, *_minutes(33.5))
    assert _of_vehicle(read_client)["connected_s"] == before + 60


def test_without_a_period_it_is_the_last_day(read_client: FlaskClient, owner: Customer) -> None:
    """The last 24 hours until now; what lies in the future is not told."""
    tomorrow = rfc3339(datetime.now(UTC) + timedelta(days=1))
    for query in ("", f"to={tomorrow.replace('+', '%2B')}"):
        body = _of_vehicle(read_client, OTHER_VIN, query)
        assert body["to"] == body["as_of"]
        begin, end = (datetime.fromisoformat(body[name]) for name in ("from", "to"))
        assert end - begin == timedelta(days=1)
        assert [spell["status"] for spell in body["intervals"]] == ["never_seen", "connected"]


def test_a_vehicle_out_of_use_keeps_its_availability(
    read_client: FlaskClient, owner: Customer, event_log: EventLog
) -> None:
    """It is asked of the log, which forgets nothing."""
    before = _of_vehicle(read_client)
    vehicle = event_log.repository.get(Vehicle.create_id(VIN))
    vehicle.decommission()
    event_log.save(vehicle)
    assert _spells(_of_vehicle(read_client)) == _spells(before)


def test_a_customer_s_availability(
    read_client: FlaskClient, event_log: EventLog, engine: Engine, owner: Customer
) -> None:
    """Of all its vehicles, shown page by page; each counts from when it became theirs."""
    now = datetime.now(UTC)
    body = _of_customer(read_client, owner, f"from={rfc3339(now - HOUR)}&limit=2")
    assert [item["vin"] for item in body["items"]] == [VIN, OTHER_VIN]
    rest = _of_customer(
        read_client, owner, f"from={rfc3339(now - HOUR)}&limit=2&cursor={body['next_cursor']}"
    )
    assert [item["vin"] for item in rest["items"]] == [NEVER]
    assert rest["next_cursor"] is None
    for item in body["items"] + rest["items"]:
        begins = datetime.fromisoformat(item["intervals"][0]["from"])
        assert begins > now - timedelta(minutes=1), "it was registered a moment ago"
    assert 0 < body["connected_share"] < 1 / 2
    past = _of_customer(read_client, owner, PERIOD)
    assert (past["connected_s"], past["connected_share"]) == (0, None)
    assert [item["intervals"] for item in past["items"]] == [[], [], []]


def test_what_was_before_a_vehicle_became_theirs_is_not_theirs_to_see(
    read_client: FlaskClient, event_log: EventLog, engine: Engine, owner: Customer
) -> None:
    """A vehicle that moved is told of from then on, and no longer to whom it left."""
    other = Customer(name="Johan", address="Väg 2")
    vehicle = event_log.repository.get(Vehicle.create_id(OTHER_VIN))
    vehicle.move_to_customer(other.id)
    event_log.save(other, vehicle)
    catch_up(event_log, engine)
    moved_at = vehicle.modified_on
    body = _of_customer(read_client, other, "")
    assert [item["intervals"][0]["from"] for item in body["items"]] == [rfc3339(moved_at)]
    assert [item["intervals"][0]["status"] for item in body["items"]] == ["connected"]
    left = _of_customer(read_client, owner, "")
    assert [item["vin"] for item in left["items"]] == [VIN, NEVER]


@pytest.mark.parametrize(("query", "headers"), [("&format=csv", {}), ("", {"Accept": "text/csv"})])
def test_availability_as_csv(
    read_client: FlaskClient, owner: Customer, query: str, headers: dict[str, str]
) -> None:
    """A line an interval, under the documented columns, with a name to keep it by."""
    answer = read_client.get(
        f"/api/v1/vehicles/{VIN}/availability?{PERIOD}{query}", headers=headers
    )
    assert answer.content_type == "text/csv; charset=utf-8"
    assert f'filename="availability-{VIN}.csv"' in answer.headers["Content-Disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert tuple(lines[0]) == rendered.COLUMNS
    assert [(x["from"], x["to"], x["status"]) for x in lines] == _spells(_of_vehicle(read_client))
    path = f"/api/v1/customers/{owner.id}/availability?limit=1{query}"
    lines = list(csv.DictReader(io.StringIO(read_client.get(path, headers=headers).text)))
    assert {line["vin"] for line in lines} == {VIN, OTHER_VIN, NEVER}


def test_an_unknown_format_is_answered_in_json(read_client: FlaskClient, owner: Customer) -> None:
    """Who accepts neither gets what everybody gets."""
    for accept in ("image/png", "nonsense", "*/*", "text/csv;q=0.1, application/json"):
        path = f"/api/v1/vehicles/{VIN}/availability"
        answer = read_client.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.content_type) == (200, "application/json")


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        (f"from={rfc3339(UNTIL)}&to={rfc3339(SINCE)}", 422, "to"),
        (f"from={YEARS_AGO}&to={rfc3339(SINCE)}", 422, "to"),
        (f"from={YEARS_AGO}", 422, "to"),
        ("from=2999-01-01T00:00:00Z", 422, "from"),
        ("from=0001-01-01T00:00:00Z&to=0001-01-01T00:00:00Z", 422, "from"),
        ("to=0001-01-01T00:00:00%2B14:00", 422, "to"),
        ("from=2026-01-31T12:00:00", 422, "from"),
        ("from=yesterday", 422, "from"),
        ("format=xml", 422, "format"),
        ("when=now", 422, "when"),
    ],
)
def test_a_bad_period_is_refused(
    read_client: FlaskClient, owner: Customer, query: str, status: int, field: str
) -> None:
    """What is wrong is named, and what was expected of it."""
    for whose in (f"vehicles/{VIN}", f"customers/{owner.id}"):
        answer = read_client.get(f"/api/v1/{whose}/availability?{query}")
        assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
        assert next(iter(answer.json["errors"])) == field
        assert answer.json["code"] == "invalid_request"


def test_what_is_unknown_has_no_availability(read_client: FlaskClient, owner: Customer) -> None:
    """Vehicles, customers and cursors that nobody has heard of, and positions not reached."""
    for path, status, code in (
        (f"vehicles/{VINS[5]}/availability", 404, "unknown_vehicle"),
        ("vehicles/nonsense/availability", 404, "unknown_vehicle"),
        (f"customers/{Vehicle.create_id(VIN)}/availability", 404, "unknown_customer"),
        (f"customers/{owner.id}/availability?cursor=abc", 422, "invalid_cursor"),
        (f"vehicles/{VIN}/availability?at_least=999999", 503, "read_model_behind"),
        (f"customers/{owner.id}/availability?at_least=999999", 503, "read_model_behind"),
    ):
        answer = read_client.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json["code"]) == (status, code)
    list_of_vehicles = read_client.get("/api/v1/vehicles?limit=1").json["next_cursor"]
    answer = read_client.get(f"/api/v1/customers/{owner.id}/availability?cursor={list_of_vehicles}")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_cursor")


def test_what_takes_too_long_is_refused(
    read_client: FlaskClient, owner: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody keeps the service busy with one question: it says to ask for less."""
    monkeypatch.setattr(history, "WITHIN_S", 0.0)
    answer = read_client.get(f"/api/v1/vehicles/{VIN}/availability")
    assert (answer.status_code, answer.json["code"]) == (422, "too_much_to_read")
    assert answer.json["errors"]["query"]


def test_a_read_that_takes_too_long_is_ended(event_log: EventLog) -> None:
    """PostgreSQL ends it, and the connection is good for the next read."""
    with pytest.raises(Invalid, match="too much"):
        event_log.rows.fetch(
            SQL("SELECT count(*) FROM generate_series(1, 1000000000)"), within_s=0.05
        )
    assert event_log.rows.fetch(SQL("SELECT 1"), within_s=1.0) == [(1,)]


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    said=st.lists(st.tuples(st.sampled_from(VINS[3:5]), st.integers(0, 300)), max_size=30),
    asked=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(1, 90))),
)
def test_the_log_tells_when_a_vehicle_was_heard(
    event_log: EventLog, said: list[tuple[str, int]], asked: list[tuple[int, int, int]]
) -> None:
    """Whatever was recorded in whatever order: the times that matter to a period, each once."""
    with event_log.rows.datastore.get_connection() as connection:
        connection.execute("TRUNCATE vehicle_tracker_events")
    for vin, at in said:
        record(event_log, vin, datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at))
    periods = [Period(VINS[3], start, start + length, limit) for start, length, limit in asked]
    times = sorted({at for vin, at in said if vin == VINS[3]})
    assert list(history.History(event_log.rows).heard(periods)) == [
        Heard(
            times[0] if times else None,
            [at for at in times if one.start - one.limit < at < one.end],
        )
        for one in periods
    ]

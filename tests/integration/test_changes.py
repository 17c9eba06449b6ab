"""`/changes`: the log in pages, as it is told, and cursors that hold for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from projections.database import db
from projections.paging import decode_cursor, encode_cursor
from read_service.app import create_app
from read_service.live import changes
from read_service.live.schemas import ChangePage
from tests.following import NOW, VINS, append, catch_up, record
from vehicle_tracker.domain import connection
from vehicle_tracker.domain.connection import VehicleDisconnected, connection_stream
from vehicle_tracker.domain.trip import Trip
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask.testing import FlaskClient
    from sqlalchemy import Engine

    from vehicle_tracker.domain.customer import Customer
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings


@pytest.fixture
def read(settings: Settings, engine: Engine) -> Iterator[FlaskClient]:
    """A client of the read service."""
    app = create_app(replace(settings, wait_for_position_s=0.2))
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def pages(read: FlaskClient) -> Callable[..., list[dict[str, Any]]]:
    """All pages from a cursor on, each held against its schema."""

    def pages(after: str | None = None, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while not found or found[-1]["has_next_page"]:
            asked = {**query, **({"after": after} if after else {})}
            answer = read.get("/api/v1/changes", query_string=asked)
            assert answer.status_code == 200, answer.text
            assert not ChangePage().validate(answer.json)
            found.append(answer.json)
            after = answer.json["end_cursor"]
        return found

    return pages


def _items(pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for page in pages for item in page["items"]]


@pytest.mark.parametrize("limit", [1, 4, 500])
def test_pages_are_the_log(
    fleet: Customer, event_log: EventLog, engine: Engine, pages: Any, limit: int
) -> None:
    """Everything that happened to vehicles comes once, in commit order, whatever a page holds."""
    catch_up(event_log, engine)
    items = _items(pages(limit=limit))
    assert [item["position"] for item in items] == [
        row.position
        for row in event_log.read(0, 100)
        if row.topic in ("Vehicle.Created", "Heartbeat.Recorded")
    ]
    first, last = items[0], items[-1]
    assert (first["type"], first["vin"], first["registration_number"], first["customer"]) == (
        "registered",
        VINS[0],
        "A0",
        {"customer_id": str(fleet.id), "name": "Kalles Åkeri"},
    )
    assert (last["type"], last["vin"], last["speed_kmh"]) == ("heartbeat", VINS[5], 1.0)
    assert last["at"] == last["recorded_at"] == "2026-01-31T12:01:00Z"


@pytest.mark.usefixtures("fleet")
def test_a_page_ends_past_what_was_not_asked_for(
    event_log: EventLog, engine: Engine, pages: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request looks at so many rows and no more; its cursor moves on though nothing is found."""
    monkeypatch.setattr(changes, "MOST_LOOKED_AT", 5)
    catch_up(event_log, engine)
    found = pages(q="A5")
    assert {item["vin"] for item in _items(found)} == {VINS[5]}
    assert len(_items(found)) == 4
    assert [] in [page["items"] for page in found[:-1]]
    assert len({page["end_cursor"] for page in found}) == len(found)
    assert _items(pages(q="nothing like it")) == []


@pytest.mark.usefixtures("fleet")
def test_what_is_told_can_be_read(event_log: EventLog, engine: Engine, pages: Any) -> None:
    """Nothing is told before the read model has it; then it is, and read on from any cursor."""
    catch_up(event_log, engine)
    *_, last = pages()
    record(event_log, VINS[0], NOW + timedelta(minutes=9))
    assert pages(last["end_cursor"])[0]["items"] == []
    catch_up(event_log, engine)
    (item,) = _items(pages(last["end_cursor"]))
    assert item["at"] == "2026-01-31T12:09:00Z"
    every = _items(pages())
    for at, item in enumerate(every):
        assert _items(pages(item["cursor"])) == every[at + 1 :]


@pytest.mark.usefixtures("fleet")
def test_now_is_the_head(event_log: EventLog, engine: Engine, pages: Any) -> None:
    """`after=now` tells nothing, and where to go on from."""
    catch_up(event_log, engine)
    (page,) = pages("now")
    assert page["items"] == []
    record(event_log, VINS[3], NOW + timedelta(minutes=9))
    catch_up(event_log, engine)
    assert [item["vin"] for item in _items(pages(page["end_cursor"]))] == [VINS[3]]


def test_every_type_is_told(
    fleet: Customer, event_log: EventLog, engine: Engine, pages: Any
) -> None:
    """Decisions, verdicts and trips come with their particulars, also of a vehicle that is gone."""
    vin = VINS[1]
    vehicle: Vehicle = event_log.repository.get(vehicle_stream(vin))
    vehicle.change_labels({"depå": "Umeå"})
    vehicle.change_disconnect_after(60)
    vehicle.move_to_customer(fleet.id)
    trip = Trip(vin, NOW, 59.0, 17.0, None, "Kalle")
    trip.end(vin, NOW + timedelta(hours=1), None, None, None)
    event_log.save(vehicle, trip)
    verdict = VehicleDisconnected(vin, NOW, 60)
    state = connection.encode(verdict)
    append(event_log, NewEvent(connection_stream(vin), verdict.version, verdict.TOPIC, state))
    vehicle.decommission()
    event_log.save(vehicle)
    catch_up(event_log, engine)
    told = {item["type"]: item for item in _items(pages()) if item["vin"] == vin}
    assert told.keys() == {
        "registered",
        "heartbeat",
        "labels_changed",
        "disconnect_after_changed",
        "moved_customer",
        "trip_started",
        "trip_ended",
        "disconnected",
        "decommissioned",
    }
    assert told["labels_changed"]["labels"] == {"depå": "Umeå"}
    assert told["disconnect_after_changed"]["disconnect_after_s"] == 60
    assert told["trip_started"]["driver"] == "Kalle"
    assert told["trip_started"]["trip_id"] == told["trip_ended"]["trip_id"] == str(trip.id)
    assert told["disconnected"]["at"] == "2026-01-31T12:01:00Z"
    assert vin not in {item["vin"] for item in _items(pages(customer_id=str(fleet.id)))}


def test_an_empty_log_has_a_beginning(engine: Engine, event_log: EventLog, pages: Any) -> None:
    """Its cursor is good once there is something in it."""
    assert engine.url
    (page,) = pages()
    assert (page["items"], page["position"]) == ([], 0)
    record(event_log, VINS[0], NOW)
    catch_up(event_log, engine)
    assert pages(page["end_cursor"])[0]["position"] == 1


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        ("nonsense", "expected a cursor of this feed, as it was answered"),
        (encode_cursor("Kalle", "x"), "expected a cursor of this feed, as it was answered"),
        (encode_cursor("0badf00d", 3), "expected a cursor of this event log; this is one of"),
        ("past the head", "expected a cursor at or before the log's head, 27"),
    ],
)
def test_a_wrong_cursor_is_named(
    event_log: EventLog, engine: Engine, read: FlaskClient, cursor: str, expected: str
) -> None:
    """What is no cursor, one of another log, or one past the head is 422 and named."""
    catch_up(event_log, engine)
    if cursor == "past the head":
        page = read.get("/api/v1/changes", query_string={"limit": 1}).json
        name, _ = decode_cursor(page["end_cursor"], tuple[str, int])
        cursor = encode_cursor(name, 28)
    answer = read.get("/api/v1/changes", query_string={"after": cursor})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_cursor")
    assert answer.json["errors"]["after"][0].startswith(expected)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("field", ["sort", "cursor", "from"])
def test_what_a_log_has_not_is_not_asked(read: FlaskClient, field: str) -> None:
    """Orders and pages of lists are named as unknown."""
    answer = read.get("/api/v1/changes", query_string={field: "vin"})
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])

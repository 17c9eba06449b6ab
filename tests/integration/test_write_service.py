"""The write service over a real event log: what is answered 202 is committed, once."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream, vehicle_stream
from vehicle_tracker.schemas import rfc3339
from write_service.app import create_app
from write_service.application import VehicleTracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

VIN, OTHER_VIN, UNKNOWN_VIN = "YS2R4X20005399401", "VLUR4X20009093588", "WVWZZZ1JZXW000001"
HEARTBEATS = "/api/v1/heartbeats"


def _heartbeats(log: EventLog) -> list[HeartbeatRecorded]:
    events = [log.event(row) for row in log.read(0, 10_000)]
    return [event for event in events if isinstance(event, HeartbeatRecorded)]


def test_a_heartbeat_is_in_the_log_when_it_is_answered(
    write_client: FlaskClient, register: Callable[..., Any], event_log: EventLog
) -> None:
    """202 names the position at which the heartbeat stands in the log, as the vehicle said it."""
    register()
    said = {"vin": VIN, "recorded_at": "2026-01-31T13:00:00.000001+01:00", "odometer_km": 12.5}
    answer = write_client.post(HEARTBEATS, json=said)
    position = event_log.head()
    assert answer.status_code == 202
    assert answer.json == {"accepted": 1, "duplicates": 0, "rejected": [], "position": position}
    (recorded,) = _heartbeats(event_log)
    assert recorded.recorded_at == datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)
    assert recorded.heartbeat.odometer_km == 12.5


def test_the_same_heartbeat_again_is_a_duplicate(
    write_client: FlaskClient, register: Callable[..., Any], event_log: EventLog
) -> None:
    """One state at one instant: said again, in a batch or alone, it is counted, not stored."""
    register()
    said = {"vin": VIN, "recorded_at": "2026-01-31T12:00:00Z", "speed_kmh": 50}
    first = write_client.post(HEARTBEATS, json=[said, said])
    again = write_client.post(HEARTBEATS, json=said | {"speed_kmh": 60})
    assert (first.json["accepted"], first.json["duplicates"]) == (1, 1)
    assert (again.status_code, again.json["accepted"], again.json["duplicates"]) == (202, 0, 1)
    assert [one.heartbeat.speed_kmh for one in _heartbeats(event_log)] == [50]


def test_a_batch_keeps_its_good_heartbeats(
    write_client: FlaskClient, register: Callable[..., Any], event_log: EventLog
) -> None:
    """The good ones of a batch are stored, each bad one is listed by its index with its code."""
    register()
    ahead = rfc3339(datetime.now(UTC) + timedelta(minutes=10))
    items = [
        {"vin": VIN},
        {"vin": UNKNOWN_VIN},
        {"vin": VIN, "recorded_at": ahead},
        {"vin": "x"},
        7,
    ]
    answer = write_client.post(HEARTBEATS, json=items)
    assert answer.status_code == 202
    assert answer.json["accepted"] == 1
    assert [(one["index"], one["code"]) for one in answer.json["rejected"]] == [
        (1, "unknown_vehicle"),
        (2, "recorded_in_future"),
        (3, "invalid_heartbeat"),
        (4, "invalid_heartbeat"),
    ]
    assert len(_heartbeats(event_log)) == 1
    refused = write_client.post(HEARTBEATS, json=items[1:])
    assert (refused.status_code, refused.json["code"]) == (422, "batch_rejected")
    assert len(refused.json["rejected"]) == 4
    assert len(_heartbeats(event_log)) == 1


def test_every_way_of_sending_works(
    write_client: FlaskClient, register: Callable[..., Any], event_log: EventLog
) -> None:
    """One object, an array, NDJSON, gzip, the path's vehicle, no body at all: all are recorded."""
    register()
    register(OTHER_VIN, "DEF456")
    lines = "\n".join(
        json.dumps({"vin": vin, "recorded_at": f"2026-01-31T12:0{n}:00Z"})
        for vin in (VIN, OTHER_VIN)
        for n in range(5)
    ).encode()
    ndjson = {"Content-Type": "application/x-ndjson"}
    packed = {**ndjson, "Content-Encoding": "gzip"}
    path = f"/api/v1/vehicles/{VIN}/heartbeats"
    answers = [
        write_client.post(HEARTBEATS, data=lines, headers=ndjson),
        write_client.post(HEARTBEATS, data=gzip.compress(lines), headers=packed),
        write_client.post(HEARTBEATS, json=[]),
        write_client.post(path),
        write_client.post(path, json={"recorded_at": "2026-01-30T12:00:00Z", "ignition": False}),
    ]
    assert [one.status_code for one in answers] == [202] * 5
    counts = [(one.json["accepted"], one.json["duplicates"]) for one in answers]
    assert counts == [(10, 0), (0, 10), (0, 0), (1, 0), (1, 0)]
    assert len(_heartbeats(event_log)) == 12


def test_the_wire_of_the_demo(
    write_client: FlaskClient, register: Callable[..., Any], event_log: EventLog
) -> None:
    """The clients of the demo go on working: its answer, its ping, its 404 with nothing stored."""
    register()
    answer = write_client.post(f"/heartbeat/{VIN}")
    assert (answer.status_code, set(answer.json)) == (200, {"entity_id"})
    assert write_client.get("/heartbeat/ping").json == {"message": "pong"}
    for unknown in (UNKNOWN_VIN, "nonsense"):
        refused = write_client.post(f"/heartbeat/{unknown}")
        assert (refused.status_code, refused.json["code"]) == (404, "unknown_vehicle")
    assert len(_heartbeats(event_log)) == 1


def test_many_at_once_are_each_stored_once(
    write_client: FlaskClient, register: Callable[..., Any], event_log: EventLog
) -> None:
    """Sixteen clients that overlap: accepted + duplicates = sent, and the log has each once."""
    register()
    app = write_client.application
    start = datetime(2026, 1, 31, tzinfo=UTC)

    def post(n: int) -> tuple[int, int]:
        times = [rfc3339(start + timedelta(seconds=(n * 7 + k) % 60)) for k in range(10)]
        said = [{"vin": VIN, "recorded_at": at} for at in times]
        answer = app.test_client().post(HEARTBEATS, json=said).json
        return answer["accepted"], answer["duplicates"]

    with ThreadPoolExecutor(16) as threads:
        counts = list(threads.map(post, range(100)))
    assert sum(accepted for accepted, _ in counts) == 60
    assert sum(accepted + duplicates for accepted, duplicates in counts) == 1000
    assert (
        len({one.recorded_at for one in _heartbeats(event_log)})
        == 60
        == len(_heartbeats(event_log))
    )


def test_a_decommissioned_vehicle_is_unknown_to_every_write_process_at_once(
    write_client: FlaskClient, register: Callable[..., Any], settings: Settings
) -> None:
    """What another process decommissioned is refused here, although it was just known."""
    register()
    elsewhere = create_app(settings).test_client()
    for client in (write_client, elsewhere):
        assert client.post(f"/api/v1/vehicles/{VIN}/heartbeats").status_code == 202
    assert elsewhere.delete(f"/api/v1/vehicles/{VIN}").status_code == 200
    for client in (write_client, elsewhere):
        assert client.post(f"/api/v1/vehicles/{VIN}/heartbeats").status_code == 404
    assert elsewhere.delete(f"/api/v1/vehicles/{VIN}").json["code"] == "unknown_vehicle"
    assert register().status_code == 201
    for client in (write_client, elsewhere):
        assert client.post(f"/api/v1/vehicles/{VIN}/heartbeats").status_code == 202


def test_registering_a_vehicle(write_client: FlaskClient, register: Callable[..., Any]) -> None:
    """A VIN is registered once, for a customer that exists; each answer says what was wrong."""
    assert register(labels={"depot": "Södertälje"}).status_code == 201
    twice = register(plate="OTHER1")
    assert (twice.status_code, twice.json["code"]) == (409, "vehicle_exists")
    assert write_client.post(f"/api/v1/vehicles/{VIN}/heartbeats").status_code == 202
    for nobody in (uuid4(), vehicle_stream(VIN), heartbeat_stream(VIN)):
        new = {"vin": OTHER_VIN, "registration_number": "A", "customer_id": str(nobody)}
        answer = write_client.post("/api/v1/vehicles", json=new)
        assert (answer.status_code, answer.json["code"]) == (404, "unknown_customer")


def test_changing_a_vehicle(
    write_client: FlaskClient, register: Callable[..., Any], event_log: EventLog
) -> None:
    """Only what differs becomes an event; an unknown vehicle or customer is said."""
    register()
    before = event_log.head()
    vehicle = f"/api/v1/vehicles/{VIN}"
    same = write_client.patch(vehicle, json={"registration_number": "ABC123"})
    assert (same.status_code, same.json["position"]) == (200, before)
    new_owner = write_client.post("/api/v1/customers", json={"name": "Johan", "address": "B"}).json
    changes = {"customer_id": new_owner["customer_id"], "labels": {"a": "b"}}
    changed = write_client.patch(vehicle, json={**changes, "registration_number": "NEW1"})
    assert changed.status_code == 200
    topics = [row.topic for row in event_log.read(before, 10) if row.topic.startswith("Vehicle")]
    assert topics == [
        "Vehicle.RegistrationNumberChanged",
        "Vehicle.MovedToCustomer",
        "Vehicle.LabelsChanged",
    ]
    assert write_client.patch(vehicle, json={"customer_id": str(uuid4())}).status_code == 404
    assert write_client.patch(vehicle, json={}).status_code == 422
    assert write_client.patch(f"/api/v1/vehicles/{UNKNOWN_VIN}", json=changes).status_code == 404


def test_limits_of_silence(customer_id: str, event_log: EventLog) -> None:
    """A vehicle's and a customer's limit can be given, changed and, by None, taken away."""
    tracker, customer = VehicleTracker(event_log), UUID(customer_id)
    before = event_log.head()
    tracker.register_vehicle(VIN, "ABC123", customer, {}, disconnect_after_s=300)
    for limit in (600, 600, None):
        tracker.change_vehicle(VIN, {"disconnect_after_s": limit})
        tracker.change_customer(customer, {"disconnect_after_s": limit})
    assert tracker.register_customer("Kalle", "Väg 1", 60).customer_id == customer
    tracker.register_customer("Johan", "Väg 2", 30)
    tracker.change_vehicle(VIN, {"disconnect_after_s": 45})
    tracker.decommission_vehicle(VIN)
    tracker.register_vehicle(VIN, "ABC123", customer, {})
    changes = [
        (row.topic.partition(".")[0], event_log.event(row).disconnect_after_s)
        for row in event_log.read(before, 100)
        if row.topic.endswith("DisconnectAfterChanged")
    ]
    vehicles = [limit for kind, limit in changes if kind == "Vehicle"]
    customers = [limit for kind, limit in changes if kind == "Customer"]
    assert vehicles == [300, 600, None, 45, None]
    assert customers == [600, None, 60, 30]


def test_the_same_customer_is_known_again(write_client: FlaskClient) -> None:
    """Name and address make the customer, however cased; after a change the new ones do."""

    def post(name: str, address: str) -> str:
        answer = write_client.post("/api/v1/customers", json={"name": name, "address": address})
        assert answer.status_code == 201
        return str(answer.json["customer_id"])

    def patch(customer_id: str, **changes: str) -> tuple[int, str | None]:
        answer = write_client.patch(f"/api/v1/customers/{customer_id}", json=changes)
        return answer.status_code, answer.json.get("code")

    kalle = post("Kalle", "Väg 1")
    assert post("KALLE ", "väg  1") == kalle
    other = post("Kalle", "Väg 2")
    assert other != kalle
    assert patch(kalle, address="Väg 2") == (409, "customer_exists")
    assert patch(kalle, name="Kalles AB") == (200, None)
    assert patch(kalle, name="Kalles AB") == (200, None)
    assert patch(kalle, name="KALLES AB") == (200, None)
    assert post("Kalles AB", "Väg 1") == kalle
    assert post("Kalle", "Väg 1") not in (kalle, other)
    assert patch(str(uuid4()), name="Nobody") == (404, "unknown_customer")

"""`/stream`: a real read service, real sockets; what is heard adds up to what `/vehicles` says."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from random import Random
from threading import Thread
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from embedded.programs import free_port
from projections.paging import encode_cursor
from read_service.live.feed import MOST_MISSED
from tests.following import VINS, append, catch_up, new_follower, record, running
from tests.running import CHECKOUT, wait_for
from tests.streaming import Client, ReadService, is_ready, serving
from vehicle_tracker.domain import connection, heartbeat
from vehicle_tracker.domain.connection import VehicleDisconnected, connection_stream
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream, utc_now, vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from vehicle_tracker.domain.customer import Customer
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

Listen = Callable[..., Client]
VIN, OTHER = VINS[0], VINS[1]


@pytest.fixture
def service(
    settings: Settings, event_log: EventLog, engine: Engine, fleet: Customer, tmp_path: Path
) -> Iterator[ReadService]:
    """A read service over a fleet, and a follower that runs."""
    assert fleet
    catch_up(event_log, engine)
    with running(new_follower(event_log, engine)), serving(settings, tmp_path) as service:
        yield service


@pytest.fixture
def listen(service: ReadService) -> Iterator[Callable[..., Client]]:
    """Opens streams, which are closed after the test."""
    with ExitStack() as stack:

        def listen(query: str = "", **given: Any) -> Client:
            client = Client(service.port, query, **given).connect()
            stack.callback(client.close)
            return client

        yield listen


def _verdict(log: EventLog, vin: str, last: Any) -> None:
    verdict = VehicleDisconnected(vin, last, 120)
    state = connection.encode(verdict)
    append(log, NewEvent(connection_stream(vin), verdict.version, verdict.TOPIC, state))


def test_a_heartbeat_is_heard(service: ReadService, event_log: EventLog, listen: Listen) -> None:
    """Soon after it was read it is there, just as `/vehicles` shows it."""
    client = listen()
    position = record(event_log, VIN, utc_now(), speed_kmh=80.5)
    _, told = client.hear() or pytest.fail("nothing was heard")
    shown = service.get(f"/api/v1/vehicles?q={VIN}&at_least={position}")
    assert told["vehicle"] == shown["items"][0]
    assert told["vehicle"]["status"] == "connected"
    assert told["position"] == position
    assert told["as_of"] <= told["answered_at"]


def test_silence_is_heard(service: ReadService, event_log: EventLog, listen: Listen) -> None:
    """A vehicle whose limit has passed is told as disconnected once the monitor has said so."""
    last = utc_now() - timedelta(seconds=120)
    client = listen("status=disconnected")
    record(event_log, VIN, last + timedelta(milliseconds=300))
    record(event_log, OTHER, utc_now())
    assert client.hear_until("gone", vin=VIN)
    time.sleep(0.3)  # until the limit has passed, which is what a monitor waits for
    _verdict(event_log, VIN, last + timedelta(milliseconds=300))
    told = client.hear_until("vehicle", vin=VIN)["vehicle"]
    assert told["status"] == "disconnected"
    record(event_log, VIN, utc_now())
    assert client.hear_until("gone", vin=VIN)


def test_what_no_longer_matches_is_gone_and_nothing_else(
    service: ReadService, event_log: EventLog, listen: Listen
) -> None:
    """Moved away, taken out of use: gone. Heartbeats of those never shown are not heard of."""
    client = listen("label.depå=Umeå")
    vehicle: Vehicle = event_log.repository.get(vehicle_stream(VIN))
    for labels in ({"depå": "Umeå"}, {"depå": "Kiruna"}, {"depå": "Umeå"}):
        vehicle.change_labels(labels)
        event_log.save(vehicle)
        expected = "vehicle" if labels["depå"] == "Umeå" else "gone"
        assert (client.hear() or ("",))[0] == expected
        for number in range(3):
            record(event_log, OTHER, utc_now(), speed_kmh=float(number))
    vehicle.decommission()
    event_log.save(vehicle)
    client.hear_until("gone", vin=VIN)
    assert OTHER not in str(client.heard)
    assert client.vehicles == {}


def test_a_vin_narrows(service: ReadService, event_log: EventLog, listen: Listen) -> None:
    """Only the vehicles named are heard of; the counts are of all that are asked for."""
    client = listen(f"vin={VIN}&counts=true")
    assert client.hear_until("counts")["total"] == len(VINS)
    for vin in VINS[1:]:
        record(event_log, vin, utc_now())
    record(event_log, VIN, utc_now())
    counts = client.hear_until("counts")
    while counts["facets"]["status"]["connected"] < len(VINS):
        counts = client.hear_until("counts")
    assert set(client.vehicles) == {VIN}
    assert counts["facets"] == service.get("/api/v1/vehicles?limit=1")["facets"]


@pytest.mark.parametrize("seed", range(3))
def test_a_client_that_is_cut_off_misses_nothing(
    service: ReadService, event_log: EventLog, listen: Listen, seed: int
) -> None:
    """Cut off anywhere and come again with the last id, it ends with what `/vehicles` says."""
    dice = Random(seed)  # noqa: S311 # the same cuts every time
    query = "bbox=10,50,20,60"
    client = listen(query)
    for item in service.get(f"/api/v1/vehicles?{query}")["items"]:
        client.vehicles[item["vin"]] = item

    def drive() -> None:
        for number in range(200):
            place = {"latitude": dice.uniform(45, 65), "longitude": 15.0}
            record(event_log, dice.choice(VINS), utc_now(), speed_kmh=float(number), **place)

    driving = Thread(target=drive)
    driving.start()
    cuts = Random(seed + 1)  # noqa: S311
    while driving.is_alive():
        for _ in range(cuts.randrange(4)):
            client.hear()
        client.close()
        client.connect()
    driving.join()
    later = utc_now() + timedelta(seconds=1)
    client.hear_all(record(event_log, VINS[5], later, latitude=55.0, longitude=15.0))
    shown = service.get(f"/api/v1/vehicles?{query}&at_least={event_log.head()}")["items"]
    assert client.vehicles == {item["vin"]: item for item in shown}


def test_a_killed_service_loses_no_listener_anything(
    service: ReadService, event_log: EventLog, listen: Listen
) -> None:
    """Killed with `kill -9`: the client comes again with its last id and hears what it missed."""
    client = listen()
    record(event_log, VIN, utc_now(), speed_kmh=1.0)
    client.hear_until("vehicle", vin=VIN, speed_kmh=1.0)
    service.kill()
    assert client.hear() is None
    client.close()
    for number, vin in enumerate(VINS):
        record(event_log, vin, utc_now(), speed_kmh=float(number))
    service.start()
    client.connect()
    client.hear_all(event_log.head())
    shown = service.get(f"/api/v1/vehicles?at_least={event_log.head()}")["items"]
    assert client.vehicles == {item["vin"]: item for item in shown}


def test_who_does_not_read_holds_up_nobody(
    service: ReadService, event_log: EventLog, listen: Listen
) -> None:
    """A listener that never reads is sent no more; others hear at once, and the server ends."""
    deaf = [listen(receives=4_096) for _ in range(5)]
    client = listen()
    slowest = 0.0
    for number in range(60):
        attributes = {f"n{n}": "x" * 60 for n in range(60)}
        record(event_log, VIN, utc_now(), speed_kmh=float(number), attributes=attributes)
        began = time.monotonic()
        client.hear_until("vehicle", vin=VIN, speed_kmh=float(number))
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 2
    assert len(deaf) == 5


def test_who_missed_too_much_asks_again(
    service: ReadService, event_log: EventLog, listen: Listen
) -> None:
    """From too long ago: `reset` comes first, and then what happens from now on."""
    client = listen()
    long_ago = service.get("/api/v1/changes?limit=1")["end_cursor"]
    began = utc_now() - timedelta(hours=1)
    events = [
        HeartbeatRecorded(at, Heartbeat(vin=VIN, recorded_at=at))
        for at in (began + timedelta(milliseconds=n) for n in range(MOST_MISSED))
    ]
    stream, topic = heartbeat_stream(VIN), HeartbeatRecorded.TOPIC
    with event_log.writing() as writing:
        writing.insert([NewEvent(stream, e.version, topic, heartbeat.encode(e)) for e in events])
    client.hear_until("vehicle", vin=VIN)
    wait_for(lambda: event_log.head() == service.get("/api/v1/vehicles")["position"], 20)
    late = listen(last_id=long_ago)
    assert late.hear() == ("reset", {})
    record(event_log, OTHER, utc_now())
    assert (late.hear() or ("",))[0] == "vehicle"


def test_a_customer_that_changes_changes_its_vehicles(
    service: ReadService, event_log: EventLog, fleet: Customer, listen: Listen
) -> None:
    """Who may see its vehicles asks again; who asked for another's is left alone."""
    client, other = listen(), listen(f"customer_id={uuid4()}")
    fleet.change_details("Kalle & Söner", "Väg 1")
    event_log.save(fleet)
    assert client.hear() == ("reset", {})
    service.stop()
    assert other.hear() is None


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        ("nonsense", "expected a cursor of this feed, as it was answered"),
        (encode_cursor("0badf00d", 3), "expected a cursor of this event log; this is one of"),
    ],
)
def test_a_foreign_cursor_is_refused(listen: Listen, cursor: str, expected: str) -> None:
    """422 that names the header, or the parameter that stands for it."""
    client = listen(last_id=cursor)
    assert client.status == 422
    problem = client.body()
    assert problem["code"] == "invalid_cursor"
    assert problem["errors"]["Last-Event-ID"][0].startswith(expected)
    client = listen(f"after={cursor}")
    assert list(client.body()["errors"]) == ["after"]


def test_it_ends_in_time_with_streams_open(service: ReadService, listen: Listen) -> None:
    """Told to stop, it closes its streams: sooner than it would be killed."""
    clients = [listen() for _ in range(20)]
    assert service.stop() < 1.2
    assert [client.hear() for client in clients] == [None] * 20


def test_a_listener_that_hung_up_is_forgotten(
    service: ReadService, event_log: EventLog, listen: Listen
) -> None:
    """Its thread and its place end with the next message that cannot be sent."""
    for _ in range(10):
        listen().close()
        assert listen(method="HEAD").hear() is None
    client = listen()

    def open_streams() -> bool:
        record(event_log, VIN, utc_now())
        client.hear_until("vehicle", vin=VIN)
        return "stream_listeners 1.0" in service.text("/metrics")

    wait_for(open_streams, 20)


def test_the_front_door_passes_it_on(
    service: ReadService, event_log: EventLog, tmp_path: Path
) -> None:
    """Each part at once; and it ends in time when both are told to."""
    port, address = free_port(), f"http://127.0.0.1:{service.port}"
    command = [sys.executable, "-m", "embedded.front_door", "--port", str(port)]
    command += ["--read-service", address, "--write-service", address]
    with subprocess.Popen([*command, "--dashboard", str(tmp_path)], cwd=CHECKOUT) as door:
        wait_for(lambda: is_ready(port), 20)
        client = Client(port).connect()
        record(event_log, VIN, utc_now(), speed_kmh=80.5)
        client.hear_until("vehicle", vin=VIN, speed_kmh=80.5)
        door.terminate()
        took = service.stop()
        began = time.monotonic()
        assert door.wait(20) == 0
        assert took + time.monotonic() - began < 1.2
        assert client.hear() is None
        client.close()

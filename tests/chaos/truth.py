"""The one check every fault ends in: read models, read service and log tell the same story."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import create_engine, select

from projections.catalog import CUSTOMER_VEHICLES, TRIPS
from projections.customer_vehicles.model import VehicleDocument
from projections.database import configuration, parked_event
from projections.elasticsearch import connect
from projections.trips.reader import RelationalTrips
from tests.chaos.deployment import FICKLE, STEADY
from tests.chaos.fold import check_log, check_searched, fold, read_whole
from tests.chaos.wire import Wire
from tests.fleet_truth import rows_of, stored_rows
from tests.monitoring import GOING_ON, appended, by_version, judge_of, replayed
from tests.trip_truth import kept_trips, story_of
from vehicle_tracker.event_log import EventLog
from vehicle_tracker.starting import open_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from tests.chaos.deployment import Deployment
    from vehicle_tracker.settings import Settings

CATCHES_UP_WITHIN_S = 60.0


class Shown(msgspec.Struct):
    """What the read service says of a vehicle, as far as it comes from the log alone."""

    vin: str
    registration_number: str
    labels: dict[str, str]
    registered_at: datetime
    last_heartbeat_at: datetime | None
    position_recorded_at: datetime | None
    latitude: float | None
    longitude: float | None
    speed_kmh: float | None
    ignition: bool | None


class Page(msgspec.Struct):
    """A page of the read service."""

    items: list[Shown]
    total: int
    position: int


def check_truth(deployment: Deployment, settings: Settings, say: Callable[[str], None]) -> float:
    """The log holds what was promised, and everything else follows from the log.

    The answer is how many seconds it took the followers to be where the log is.
    """
    ledger = deployment.ledger
    deployment.monitor.end()  # what it has to say would go on for minutes
    with open_log(settings) as log, closing(Wire(deployment.read_port)) as wire:
        _check_judged(log)
        took_s = _await_head(wire, log.head())
        told = read_whole(log)
    check_log(told, ledger)
    head = told[-1].logged.position
    options = configuration(settings)
    engine = create_engine(
        options["SQLALCHEMY_DATABASE_URI"],
        **options["SQLALCHEMY_ENGINE_OPTIONS"],
    )
    documents = rows_of(fold(CUSTOMER_VEHICLES, told))
    try:
        _check_stored(engine, documents)
        reader = RelationalTrips(engine, TRIPS, CUSTOMER_VEHICLES.name)
        for vin in (*STEADY, *FICKLE):
            assert kept_trips(reader, vin) == story_of(told, vin).trips()
        if settings.elasticsearch_url:
            with connect(settings.elasticsearch_url, 30) as client:
                check_searched(client, engine, head)
    finally:
        engine.dispose()
    vehicles = [one for one in documents.values() if isinstance(one, VehicleDocument)]
    with closing(Wire(deployment.read_port)) as wire:
        _check_shown(wire, head, vehicles)
    say(
        f"  {len(ledger.answered)} heartbeats answered in {ledger.deliveries} requests, and"
        f" {ledger.repeats} repeated; {len(ledger.decided)} decisions; {len(told)} events;"
        f" the followers were there after {took_s:.1f} s"
    )
    return took_s


def _check_judged(log: EventLog) -> None:
    """However often the monitor was killed, it said just what follows from the log.

    What it had no time to say is said now.
    """
    assert judge_of(log).catch_up(GOING_ON)
    assert by_version(appended(log)) == by_version(replayed(log))


def _await_head(wire: Wire, head: int) -> float:
    """Wait until every projection is where the log is and has parked nothing; how long it took."""
    began = time.monotonic()
    while True:
        status, answer = wire.ask("GET", f"/api/v1/projections?at_least={head}")
        items = msgspec.json.decode(answer)["items"] if status == 200 else []
        if items and all(one["position"] >= head for one in items):
            break
        assert time.monotonic() - began < CATCHES_UP_WITHIN_S, answer
        time.sleep(0.1)
    assert [(one["lag_events"], one["parked"], one["state"]) for one in items] == [
        (0, 0, "live") for _ in items
    ]
    return time.monotonic() - began


def _check_stored(engine: Engine, documents: dict[Any, Any]) -> None:
    """The relational documents are those of the fold, one by one; no more, none parked."""
    stored = stored_rows(engine)
    assert stored.keys() == documents.keys()
    for key, document in documents.items():
        assert stored[key] == document
    with engine.connect() as connection:
        assert connection.execute(select(parked_event)).all() == []


def _check_shown(wire: Wire, head: int, vehicles: list[VehicleDocument]) -> None:
    """The read service shows the vehicles in use as they are folded."""
    status, answer = wire.ask("GET", f"/api/v1/vehicles?sort=vin&limit=500&at_least={head}")
    assert status == 200, answer
    page = msgspec.json.decode(answer, type=Page)
    in_use = [one for one in vehicles if one.registered_at and not one.decommissioned_at]
    expected = [msgspec.convert(one, Shown, from_attributes=True) for one in in_use]
    assert page.items == sorted(expected, key=lambda one: one.vin)
    assert (page.total, page.position) == (len(in_use), head)

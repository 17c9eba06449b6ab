"""Registering a large fleet, and letting it be heard once, by appending what commands would append.

The events are the domain's own, encoded by the log's own encoders; only the write service is left
out, which would load every aggregate before.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, cast

import msgspec

from bench.fleet import BLOCK, everybody, round_at, vin
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.customer import Customer, CustomerKey
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.writing import NewEvent
from write_service.heartbeat_message import HeartbeatMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from uuid import UUID

    from eventsourcing.domain import Aggregate

    from vehicle_tracker.event_log import EventLog

VEHICLES_A_CUSTOMER = 100
NAMES = ("Kalles", "Johans", "Haralds", "Östers", "Ærlige", "Södra", "Bulk", "Grus", "Åkeri")
DEPOTS = ("Malmö", "Göteborg", "Stockholm", "Sundsvall", "Umeå", "Kiruna")
LETTERS = "ABCDEFGHJKLMNOPRSTUWXYZ"
MARK = "fleet.json"
"""Beside the data of a deployment: how large its fleet is."""

_decode = msgspec.json.Decoder(list[HeartbeatMessage]).decode


def customer_name(number: int) -> str:
    """What the customer of this number is called."""
    first, second = NAMES[number % 9], NAMES[number // 9 % 9]
    return f"{first} {second} {number} AB"


def plate(number: int) -> str:
    """The registration number of a vehicle."""
    mixed = number * 48_271 % 12_167_000
    letters = mixed // 1_000
    return "".join(LETTERS[letters // 23**n % 23] for n in range(3)) + f"{mixed % 1_000:03}"


def register(log: EventLog, folder: Path, vehicles: int, said: Callable[[int], None]) -> bool:
    """Register a fleet, unless the data in `folder` has it; answers whether it was to be done.

    `said` hears how many are registered. Errors: `ValueError` if there is another fleet.
    """
    mark = folder / MARK
    if mark.exists():
        there = json.loads(mark.read_text(encoding="utf-8"))["vehicles"]
        if there != vehicles:
            raise ValueError(f"{folder} has a fleet of {there:,} vehicles")
        return False
    for first in range(0, vehicles, BLOCK):
        numbers = range(first, min(first + BLOCK, vehicles))
        _append(log, _aggregates(numbers))
        said(numbers.stop)
    mark.write_text(json.dumps({"vehicles": vehicles}), encoding="utf-8")
    return True


def let_be_heard(log: EventLog, vehicles: int, now: datetime, said: Callable[[int], None]) -> None:
    """Append a heartbeat of every vehicle, received `now`: a fleet that is connected."""
    at = now.timestamp()
    round_ = round_at(at) - 1
    for block in range(vehicles // BLOCK):
        rows = []
        for one in _decode(everybody(block, round_, at)):
            event = HeartbeatRecorded(now, one)
            state = heartbeat.encode(event)
            rows.append(NewEvent(heartbeat_stream(one.vin), event.version, event.TOPIC, state))
        with log.writing() as writing:
            writing.insert(rows)
        said((block + 1) * BLOCK)


def _aggregates(numbers: range) -> Iterable[Aggregate]:
    for first in range(numbers.start, numbers.stop, VEHICLES_A_CUSTOMER):
        number = first // VEHICLES_A_CUSTOMER
        name, address = customer_name(number), f"Vägen {number}"
        owner = Customer(name=name, address=address)
        yield owner
        yield CustomerKey(name=name, address=address, customer_id=owner.id)
        for n in range(first, min(first + VEHICLES_A_CUSTOMER, numbers.stop)):
            yield Vehicle(vin(n), plate(n), owner.id, {"depå": DEPOTS[n % len(DEPOTS)]})


def _append(log: EventLog, aggregates: Iterable[Aggregate]) -> None:
    events = (event for one in aggregates for event in one.collect_events())
    stored = [log.mapper.to_stored_event(event) for event in events]
    rows = [
        NewEvent(cast("UUID", e.originator_id), e.originator_version, e.topic, e.state)
        for e in stored
    ]
    with log.writing() as writing:
        writing.insert(rows)

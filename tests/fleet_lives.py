"""Lives of a small fleet, and what it was at an instant by a slow and obvious recomputation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tests.following import VINS
from vehicle_tracker.domain import connection, heartbeat
from vehicle_tracker.domain.connection import (
    ConnectionEvent,
    ConnectionMended,
    VehicleConnected,
    VehicleDisconnected,
    connection_stream,
)
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.schemas import rfc3339
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from vehicle_tracker.event_log import EventLog

BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DEFAULT_S = 120
NAMES, PLATES = ("kal", "joh", "eva"), ("P1", "P2", "P3")
LABELS: tuple[dict[str, str], ...] = ({}, {"depot": "oslo"}, {"depot": "rome", "x": "1"})


@dataclass
class Life:
    """What happens to a fleet, step by step; `events` is the order in which the log hears of it."""

    now: datetime = BEGIN
    events: list[Any] = field(default_factory=list)
    _aggregates: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in NAMES[:2]:
            self._aggregates.append(Customer(name=name, address="Väg 1"))
            self._take(self._aggregates[-1])

    @property
    def owners(self) -> list[UUID]:
        """The ids of the customers."""
        return [one.id for one in self._aggregates if isinstance(one, Customer)]

    def go(self, step: str, who: int, number: int) -> None:
        """One thing happens. What cannot happen to a vehicle just then does not."""
        if step == "wait":
            self.now += number * SECOND
        elif step in ("renamed", "limited"):
            self._change_customer(step, self._aggregates[who % 2], number)
        elif step == "heard":
            self._hear(VINS[who], number)
        elif step in ("connected", "disconnected", "mended"):
            self._judge(step, VINS[who], number)
        else:
            self._change_vehicle(step, VINS[who], number)

    def _change_customer(self, step: str, owner: Customer, number: int) -> None:
        if step == "renamed":
            owner.change_details(NAMES[number % 3], "Väg 2")
        else:
            owner.change_disconnect_after((None, 5, 90)[number % 3])
        self._take(owner)

    def _change_vehicle(self, step: str, vin: str, number: int) -> None:
        vehicles = [one for one in self._aggregates if isinstance(one, Vehicle) and one.vin == vin]
        choice, owner = number % 3, self.owners[number % 2]
        if not vehicles:
            vehicle = Vehicle(vin, PLATES[choice], owner, LABELS[choice])
            self._aggregates.append(vehicle)
        else:
            (vehicle,) = vehicles
            if not vehicle.in_use:
                vehicle.recommission(PLATES[choice], owner, LABELS[choice])
            elif step == "plated":
                vehicle.change_registration_number(PLATES[choice])
            elif step == "moved":
                vehicle.move_to_customer(owner)
            elif step == "labelled":
                vehicle.change_labels(LABELS[choice])
            elif step == "own limit":
                vehicle.change_disconnect_after((None, 3, 200)[choice])
            else:
                vehicle.decommission()
        self._take(vehicle)

    def _hear(self, vin: str, number: int) -> None:
        """Most are late, some are a little ahead, some are the same again."""
        place = {"latitude": float(number % 80), "longitude": 17.5} if number % 3 else {}
        said = Heartbeat(vin=vin, recorded_at=self._late(number), speed_kmh=float(number), **place)
        self.events.append(HeartbeatRecorded(self.now, said))

    def _judge(self, step: str, vin: str, number: int) -> None:
        at, limit = self._late(number), 5 + number % 30
        events: dict[str, ConnectionEvent] = {
            "connected": VehicleConnected(vin, at, limit),
            "disconnected": VehicleDisconnected(vin, at, limit),
            "mended": ConnectionMended(vin, at, limit, at - number % 50 * SECOND, at + 9 * SECOND),
        }
        self.events.append(events[step])

    def _late(self, number: int) -> datetime:
        return self.now + (5 - number) * SECOND

    def _take(self, aggregate: Any) -> None:
        for event in aggregate.collect_events():
            self.events.append(type(event)(**{**vars(event), "timestamp": self.now}))

    def store(self, log: EventLog) -> None:
        """Append it all; what comes twice meets the primary key."""
        with log.writing() as writing:
            writing.insert([_row(log, event) for event in self.events])


def _row(log: EventLog, event: Any) -> NewEvent:
    if isinstance(event, HeartbeatRecorded):
        state = heartbeat.encode(event)
        return NewEvent(heartbeat_stream(event.vin), event.version, event.TOPIC, state)
    if isinstance(event, ConnectionEvent):
        state = connection.encode(event)
        return NewEvent(connection_stream(event.vin), event.version, event.TOPIC, state)
    stored = log.mapper.to_stored_event(event)
    return NewEvent(stored.originator_id, stored.originator_version, stored.topic, stored.state)


def fleet_then(events: list[Any], at: datetime) -> list[dict[str, Any]]:
    """The vehicles in use at an instant as the API shows them, by VIN: all events, one by one."""
    aggregates: dict[UUID, Any] = {}
    known: dict[tuple[Any, ...], Any] = {}
    for event in events:
        if isinstance(event, HeartbeatRecorded | ConnectionEvent):
            known.setdefault((type(event), event.vin, event.version), event)
        elif event.timestamp <= at:
            stream = event.originator_id
            aggregates[stream] = event.mutate(aggregates.get(stream))
    vehicles = [one for one in aggregates.values() if isinstance(one, Vehicle) and one.in_use]
    said = [one for one in known.values() if isinstance(one, HeartbeatRecorded)]
    heard = [one for one in said if one.recorded_at <= at]
    judged = [one for one in known.values() if isinstance(one, ConnectionEvent)]
    return [
        _item(
            vehicle,
            aggregates[vehicle.customer_id],
            sorted((one for one in heard if one.vin == vehicle.vin), key=lambda h: h.version),
            [one for one in judged if one.vin == vehicle.vin],
            at,
        )
        for vehicle in sorted(vehicles, key=lambda one: one.vin)
    ]


def _item(
    vehicle: Vehicle,
    owner: Customer,
    heard: list[HeartbeatRecorded],
    judged: list[ConnectionEvent],
    at: datetime,
) -> dict[str, Any]:
    newest = heard[-1] if heard else None
    placed = next((one for one in reversed(heard) if one.heartbeat.latitude is not None), None)
    limit = (vehicle.disconnect_after_s or owner.disconnect_after_s or DEFAULT_S) * SECOND
    status, since = "never_seen", vehicle.created_on
    if newest:
        silent_after = newest.recorded_at + limit
        status = "connected" if at <= silent_after else "disconnected"
        since = silent_after if status == "disconnected" else _since(judged, newest.recorded_at)
    return {
        "vin": vehicle.vin,
        "registration_number": vehicle.registration_number,
        "customer": {"customer_id": str(owner.id), "name": owner.name},
        "labels": vehicle.labels,
        "status": status,
        "status_since": since and rfc3339(since),
        "registered_at": rfc3339(vehicle.created_on),
        "last_heartbeat_at": newest and rfc3339(newest.recorded_at),
        "speed_kmh": newest and newest.heartbeat.speed_kmh,
        "position_recorded_at": placed and rfc3339(placed.recorded_at),
        "latitude": placed and placed.heartbeat.latitude,
        "longitude": placed and placed.heartbeat.longitude,
    }


def _since(judged: list[ConnectionEvent], heard: datetime) -> datetime | None:
    for start, end in connection.intervals(judged):
        if start <= heard and (end is None or heard <= end):
            return start
    return None

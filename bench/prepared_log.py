"""A log of many heartbeats, made quickly: by COPY, and indexed afterwards.

The events are the domain's own, encoded by the log's own encoders; only the way in is another.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
from psycopg.sql import SQL, Identifier

from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_streams
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.event_log import EventLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from eventsourcing.domain import Aggregate

BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
VEHICLES_A_CUSTOMER = 100
AT_ONCE = 10_000
PRIME = 7_919
"""Vehicles are heard in another order than that in which they were registered."""

_COPY = SQL("COPY {} (originator_id, originator_version, topic, state) FROM STDIN")
_DROP = SQL("ALTER TABLE {table} DROP CONSTRAINT {key}"), SQL("DROP INDEX {index}")
_INDEX = (
    SQL("ALTER TABLE {table} ADD CONSTRAINT {key} PRIMARY KEY (originator_id, originator_version)"),
    SQL("CREATE UNIQUE INDEX {index} ON {table} (notification_id)"),
)


def make_log(url: str, vehicles: int, heartbeats: int, said: Callable[[int], None]) -> None:
    """Fill the log of a database, unless it has events; `said` hears how many are there.

    The vehicles are registered, then each is heard once a minute.
    """
    with EventLog(url) as log, psycopg.connect(url) as connection:
        if log.head():
            return
        table = Identifier(log.rows.events_table_name)
        index = Identifier(log.rows.notification_id_index_name)
        key = Identifier(f"{log.rows.events_table_name}_pkey")
        for statement in _DROP:
            connection.execute(statement.format(table=table, index=index, key=key))
        with connection.cursor().copy(_COPY.format(table)) as copy:
            count = 0
            for rows in (_registered(log, vehicles), _heard(vehicles, heartbeats)):
                for some in rows:
                    copy.write("".join(some))
                    count += len(some)
                    said(count)
        for statement in _INDEX:
            connection.execute(statement.format(table=table, index=index, key=key))
        connection.commit()
        connection.autocommit = True
        connection.execute(SQL("VACUUM ANALYZE {}").format(table))
        connection.execute("CHECKPOINT")


def vin(number: int) -> str:
    """The VIN of a vehicle."""
    return f"YS2R4X2{number:010}"


def _registered(log: EventLog, vehicles: int) -> Iterator[list[str]]:
    for first in range(0, vehicles, VEHICLES_A_CUSTOMER):
        number = first // VEHICLES_A_CUSTOMER
        owner = Customer(name=f"Kund {number} AB", address=f"Vägen {number}")
        fleet: list[Aggregate] = [
            owner,
            *(
                Vehicle(vin(n), f"ABC{n:07}", owner.id, {"depå": f"D{n % 9}"})
                for n in range(first, min(first + VEHICLES_A_CUSTOMER, vehicles))
            ),
        ]
        stored = [
            log.mapper.to_stored_event(event) for one in fleet for event in one.collect_events()
        ]
        yield [
            _row(str(one.originator_id), one.originator_version, one.topic, one.state)
            for one in stored
        ]


def _heard(vehicles: int, heartbeats: int) -> Iterator[list[str]]:
    for first in range(0, heartbeats, AT_ONCE):
        events = [_heartbeat(n, vehicles) for n in range(first, min(first + AT_ONCE, heartbeats))]
        streams = heartbeat_streams(event.vin for event in events)
        yield [
            _row(stream, event.version, event.TOPIC, heartbeat.encode(event))
            for stream, event in zip(streams, events, strict=True)
        ]


def _heartbeat(n: int, vehicles: int) -> HeartbeatRecorded:
    round_, nth = divmod(n, vehicles)
    number = nth * PRIME % vehicles
    at = BEGIN + timedelta(minutes=round_, microseconds=nth * 60_000_000 // vehicles)
    said = Heartbeat(
        vin=vin(number),
        recorded_at=at,
        latitude=55 + number % 1_400 / 100 + round_ / 10_000,
        longitude=11 + number % 1_300 / 100,
        speed_kmh=float(n % 90),
        heading_deg=float(n % 360),
        odometer_km=1_000.5 + round_,
        ignition=True,
    )
    return HeartbeatRecorded(at + timedelta(milliseconds=40), said)


def _row(stream: str, version: int, topic: str, state: bytes) -> str:
    return f"{stream}\t{version}\t{topic}\t\\\\x{state.hex()}\n"

"""A fleet as both read models know it: rows made of the project's own documents, and the index.

No event is appended: what is measured is searching. The index is filled by whoever fills it live.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from sqlalchemy import BigInteger, bindparam, text, update

from bench.seeding import LETTERS, NAMES, VEHICLES_A_CUSTOMER
from projections.catalog import CUSTOMER_VEHICLES, TRIPS
from projections.customer_vehicles import fleet_sizes
from projections.customer_vehicles.cells import cell_of
from projections.customer_vehicles.connections import ConnectionsDocument
from projections.customer_vehicles.model import CustomerDocument, VehicleDocument
from projections.customer_vehicles.relational import connections, customer, vehicle
from projections.database import projection
from projections.json_rows import insert_rows, write_rows
from projections.store import advance
from projections.text import folded
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.judged_until import JudgedUntil

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine

    from projections.indexes import IndexCopy

AT_ONCE = 5_000
SOUTH, NORTH, WEST, EAST = 55.0, 69.0, 11.0, 24.0
LIMIT = timedelta(seconds=120)

_position = bindparam("position", type_=BigInteger)
_insert_vehicles = insert_rows(vehicle, changed_position=_position)
_insert_customers = insert_rows(customer, changed_position=_position)
_insert_connections = insert_rows(connections)


def vin_of(number: int) -> str:
    """The VIN of a vehicle."""
    return f"YS2R4X2{number:010}"


def customer_ids(vehicles: int) -> list[UUID]:
    """The ids of the customers of so many vehicles."""
    return [UUID(int=first + 1) for first in range(0, vehicles, VEHICLES_A_CUSTOMER)]


def fill_tables(engine: Engine, log_url: str, vehicles: int) -> None:
    """Write the rows of so many vehicles: one in ten is silent, one in 50 was never heard.

    Nobody is said to have judged later than now: an answer is as of then.
    """
    dice, now = random.Random(1), datetime.now(UTC)  # noqa: S311 # the same fleet every time
    with engine.begin() as connection:
        customers = customer_ids(vehicles)
        names = [f"{dice.choice(NAMES)} {dice.choice(NAMES)} {n} AB" for n in range(len(customers))]
        documents = [
            CustomerDocument(
                customer_id=id_,
                version=1,
                name=name,
                address="Vägen 1",
                folded_name=folded(name),
                registered_at=now,
            )
            for id_, name in zip(customers, names, strict=True)
        ]
        write_rows(connection, _insert_customers, documents, position=1)
    for position, begin in enumerate(range(0, vehicles, AT_ONCE), 2):
        numbers = range(begin, min(begin + AT_ONCE, vehicles))
        some = [_vehicle(dice, n, dice.choice(customers), now) for n in numbers]
        with engine.begin() as connection:
            write_rows(connection, _insert_vehicles, some, position=position)
            heard = [one for one in some if one.last_heartbeat_at]
            write_rows(connection, _insert_connections, [_connections(one, now) for one in heard])
            for name in (CUSTOMER_VEHICLES.name, TRIPS):
                advance(connection, name, position)
    with engine.begin() as connection:
        fleet_sizes.count_anew(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    with psycopg.connect(log_url, autocommit=True) as log:
        JudgedUntil(log).keep(0, now)


def _vehicle(dice: random.Random, number: int, customer_id: UUID, now: datetime) -> VehicleDocument:
    vin, plate = vin_of(number), f"{''.join(dice.choices(LETTERS, k=3))}{number % 1000:03}"
    depot, kind = dice.choice(NAMES), dice.random()
    document: dict[str, Any] = {
        "vehicle_id": vehicle_stream(vin),
        "vin": vin,
        "version": 1,
        "registration_number": plate,
        "customer_id": customer_id,
        "labels": {"depå": depot},
        "search_text": f"{vin.casefold()} {plate.casefold()} {folded(f'depå={depot}')}",
        "registered_at": now - timedelta(days=100),
    }
    if kind >= 0.02:  # noqa: PLR2004 # one in 50
        age_s = dice.uniform(200, 86_400) if kind < 0.12 else dice.uniform(0, 100)  # noqa: PLR2004
        latitude, longitude = dice.uniform(SOUTH, NORTH), dice.uniform(WEST, EAST)
        at = now - timedelta(seconds=age_s)
        document |= {
            "last_heartbeat_at": at,
            "position_recorded_at": at,
            "latitude": latitude,
            "longitude": longitude,
            "grid_cell": cell_of(latitude, longitude),
            "speed_kmh": 50.0,
        }
    return VehicleDocument(**document)


def _connections(one: VehicleDocument, now: datetime) -> ConnectionsDocument:
    heard = one.last_heartbeat_at or now
    until = heard + LIMIT if heard < now - LIMIT else None
    since = heard - timedelta(hours=1)
    return ConnectionsDocument(
        vehicle_id=one.vehicle_id, connected_since=since, connected_until=until
    )


def stir(engine: Engine, index: IndexCopy, vehicles: int, a_second: int, stop: Event) -> None:
    """Let so many vehicles a second change, and copy them, until `stop` is set."""
    dice, follower = random.Random(4), index.follower(None, engine, 10_000)  # type: ignore[arg-type] # noqa: S311
    while not stop.wait(0.25):
        some = [vehicle_stream(vin_of(dice.randrange(vehicles))) for _ in range(a_second // 4)]
        with engine.begin() as connection:
            _touch(connection, some)
        follower.catch_up()


def _touch(connection: Connection, some: Sequence[UUID]) -> None:
    moved = update(projection).where(projection.c.name == CUSTOMER_VEHICLES.name)
    position = connection.execute(
        moved.values(position=projection.c.position + 1).returning(projection.c.position)
    ).scalar_one()
    touched = update(vehicle).where(vehicle.c.vehicle_id.in_(some))
    connection.execute(touched.values(changed_position=position))

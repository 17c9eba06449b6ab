"""Trips in PostgreSQL: the tables, and the rows that are read back to go on from."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    Index,
    Text,
    Uuid,
    cast,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from projections.database import db
from projections.json_rows import as_json, upsert
from projections.trips.derivation import State
from projections.trips.rules import TripRules
from projections.trips.vehicle import Followed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

_INSTANT = DateTime(timezone=True)

trip = db.Table(
    "trip",
    Column("trip_id", Uuid, primary_key=True),
    Column("source", Text, nullable=False),
    Column("vehicle_id", Uuid, nullable=False),
    Column("vin", Text(collation="C"), nullable=False),
    Column("customer_id", Uuid),
    Column("driver", Text),
    Column("folded_driver", Text, nullable=False),
    Column("started_at", _INSTANT, nullable=False),
    Column("ended_at", _INSTANT),
    Column("known_at", _INSTANT),
    # Only shown, never asked for.
    Column("said", JSON),
    Column("measured", JSON),
    # What its places are in between, and the places: the first rules most trips out.
    Column("south", Double),
    Column("north", Double),
    Column("west", Double),
    Column("east", Double),
    Column("latitudes", ARRAY(Double), nullable=False),
    Column("longitudes", ARRAY(Double), nullable=False),
    Index("trip_vehicle_id_started_at_idx", "vehicle_id", "started_at", "trip_id"),
    Index("trip_customer_id_started_at_idx", "customer_id", "started_at", "trip_id"),
    Index("trip_started_at_idx", "started_at", "trip_id"),
    Index(
        "trip_period_idx",
        text("tstzrange(started_at, ended_at, '[]')"),
        postgresql_using="gist",
    ),
    Index("trip_open_idx", "vehicle_id", postgresql_where=text("ended_at IS NULL")),
    Index(
        "trip_reported_idx",
        "vehicle_id",
        "started_at",
        postgresql_where=text("source = 'reported'"),
    ),
)

followed = db.Table(
    "trip_vehicle",
    Column("vehicle_id", Uuid, primary_key=True),
    Column("vin", Text(collation="C"), nullable=False),
    Column("customer_id", Uuid),
    Column("customer_ids", ARRAY(Uuid), nullable=False),
    Column("heard_until", _INSTANT),
    Column("followed", JSON, nullable=False),
    # Heartbeats change it, and no index: a third of each page is left free for that (HOT).
    postgresql_with={"fillfactor": "65"},
)
"""What is remembered of each vehicle."""

checkpoint = db.Table(
    "trip_checkpoint",
    Column("vehicle_id", Uuid, primary_key=True),
    Column("at", _INSTANT, primary_key=True),
    Column("state", JSON, nullable=False),
)
"""What was remembered of a vehicle after its heartbeat of that instant."""

rules = db.Table(
    "trip_rules",
    Column("customer_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("rules", JSON),
)
"""The rules of the customers that have some of their own."""

TRIP_TABLES = (trip, followed, checkpoint, rules)


class FollowedRow(msgspec.Struct, frozen=True):
    """A row of `trip_vehicle`."""

    vehicle_id: UUID
    vin: str
    customer_id: UUID | None
    customer_ids: list[UUID]
    heard_until: datetime | None
    followed: Followed


class CheckpointRow(msgspec.Struct, frozen=True):
    """A row of `trip_checkpoint`."""

    vehicle_id: UUID
    at: datetime
    state: State


class RulesRow(msgspec.Struct, frozen=True):
    """A row of `trip_rules`."""

    customer_id: UUID
    version: int
    rules: dict[str, float] | None


WRITE_TRIPS = upsert(trip)
WRITE_FOLLOWED = upsert(followed)
WRITE_CHECKPOINTS = upsert(checkpoint)
WRITE_RULES = upsert(rules)

_read_followed = msgspec.json.Decoder(FollowedRow).decode
_read_checkpoint = msgspec.json.Decoder(CheckpointRow).decode
_read_rules = msgspec.json.Decoder(RulesRow).decode


def any_of(ids: Iterable[UUID]) -> Any:
    """Ids as an array: as one text, for as many parameters would take longer to parse."""
    joined = ",".join(str(one) for one in ids)
    return cast(literal(f"{{{joined}}}", Text), ARRAY(Uuid))


def followed_row(vehicle_id: UUID, vehicle: Followed) -> FollowedRow:
    """A vehicle as it is kept."""
    owners = [one.customer_id for one in vehicle.owners]
    owner = owners[-1] if owners else None
    return FollowedRow(
        vehicle_id, vehicle.vin, owner, sorted(vehicle.customer_ids), vehicle.heard_until, vehicle
    )


def select_followed(
    connection: Connection, vehicle_ids: Iterable[UUID], customer_ids: Iterable[UUID] = ()
) -> Iterator[tuple[UUID, Followed]]:
    """Those of the vehicles that are known, and all that ever were these customers'."""
    wanted = followed.c.vehicle_id == func.any(any_of(vehicle_ids))
    if theirs := list(customer_ids):
        wanted = or_(wanted, followed.c.customer_ids.overlap(any_of(theirs)))
    for row in connection.execute(select(as_json(followed)).where(wanted)).scalars():
        found = _read_followed(row)
        yield found.vehicle_id, found.followed


def select_rules(connection: Connection, customer_ids: Iterable[UUID]) -> dict[UUID, RulesRow]:
    """The rules of those of the customers that have some of their own."""
    wanted = rules.c.customer_id == func.any(any_of(customer_ids))
    rows = connection.execute(select(as_json(rules)).where(wanted)).scalars()
    return {row.customer_id: row for row in map(_read_rules, rows)}


def rules_by_customer(rows: dict[UUID, RulesRow]) -> dict[UUID, TripRules]:
    """The rules as those who judge by them take them."""
    return {customer_id: TripRules.of(row.rules) for customer_id, row in rows.items()}


def checkpoint_before(
    connection: Connection, vehicle_id: UUID, instant: datetime
) -> CheckpointRow | None:
    """The last one that is older than an instant."""
    row = connection.execute(
        select(as_json(checkpoint))
        .where(checkpoint.c.vehicle_id == vehicle_id, checkpoint.c.at < instant)
        .order_by(checkpoint.c.at.desc())
        .limit(1)
    ).scalar()
    return _read_checkpoint(row) if row else None

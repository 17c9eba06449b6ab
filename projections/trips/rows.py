"""The rows of the tables of trips: how they are written, and read back to go on from."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from msgspec.structs import asdict
from sqlalchemy import (
    BigInteger,
    DateTime,
    Text,
    Uuid,
    bindparam,
    cast,
    column,
    delete,
    func,
    join,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, insert

from projections.ids import array_of
from projections.json_rows import as_json, rows_of_documents, upsert
from projections.trips.derivation import State
from projections.trips.tables import checkpoint, followed, gone, rules, trip
from projections.trips.vehicle import Belonging, Followed
from vehicle_tracker.domain.values import vehicle_streams

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

_INSTANT = DateTime(timezone=True)


class HeardRow(msgspec.Struct, frozen=True, kw_only=True):
    """What heartbeats alone change of a row of `trip_vehicle`."""

    vehicle_id: str
    heard_until: datetime | None
    state: State
    since_checkpoint: int


class FollowedRow(HeardRow, frozen=True, kw_only=True):
    """A row of `trip_vehicle`."""

    vin: str
    customer_id: UUID | None
    customer_ids: list[UUID]
    belongings: dict[int, Belonging]
    reported_until: datetime | None


class CheckpointRow(msgspec.Struct, frozen=True):
    """A row of `trip_checkpoint`."""

    vehicle_id: str
    at: datetime
    state: State


class RulesRow(msgspec.Struct, frozen=True):
    """A row of `trip_rules`."""

    customer_id: UUID
    version: int
    rules: dict[str, float] | None


class StaleRow(msgspec.Struct, frozen=True):
    """From when on a vehicle's heartbeats must be folded again, and from which checkpoint on."""

    vehicle_id: str
    instant: datetime | None


def _update_heard() -> Any:
    rows = rows_of_documents(followed)
    names = set(HeardRow.__struct_fields__) - {"vehicle_id"}
    values = {name: rows.c[name] for name in names}
    return update(followed).values(values).where(followed.c.vehicle_id == rows.c.vehicle_id)


_position = bindparam("position", type_=BigInteger)

WRITE_TRIPS = upsert(trip, position=_position)
WRITE_FOLLOWED = upsert(followed)
WRITE_HEARD = _update_heard()
WRITE_CHECKPOINTS = upsert(checkpoint)
WRITE_RULES = upsert(rules)

_stale = (
    func.json_to_recordset(cast(bindparam("documents", type_=Text), JSON))
    .table_valued(column("vehicle_id", Uuid), column("instant", _INSTANT), name="stale")
    .render_derived(with_types=True)
)
_last = (
    select(checkpoint)
    .where(checkpoint.c.vehicle_id == _stale.c.vehicle_id, checkpoint.c.at < _stale.c.instant)
    .order_by(checkpoint.c.at.desc())
    .limit(1)
    .lateral("last")
)
_SELECT_CHECKPOINTS = select(cast(func.row_to_json(_last.table_valued()), Text)).select_from(
    join(_stale, _last, true())
)
FORGET_CHECKPOINTS = delete(checkpoint).where(
    checkpoint.c.vehicle_id == _stale.c.vehicle_id,
    or_(_stale.c.instant.is_(None), checkpoint.c.at > _stale.c.instant),
)
_FORGET_DERIVED = (
    delete(trip)
    .where(
        trip.c.vehicle_id == _stale.c.vehicle_id,
        trip.c.source == "derived",
        or_(
            trip.c.ended_at.is_(None),
            _stale.c.instant.is_(None),
            trip.c.known_at > _stale.c.instant,
        ),
    )
    .returning(trip.c.trip_id)
)

_gone = insert(gone)
_WRITE_GONE = _gone.on_conflict_do_update(
    constraint=gone.primary_key, set_={"position": _gone.excluded.position}
)

_read_followed = msgspec.json.Decoder(FollowedRow).decode
_read_checkpoint = msgspec.json.Decoder(CheckpointRow).decode
_read_rules = msgspec.json.Decoder(RulesRow).decode


def any_of(ids: Iterable[object]) -> Any:
    """Ids as an array: as one text, for as many parameters would take longer to parse."""
    return cast(literal(array_of(ids), Text), ARRAY(Uuid))


def forget_derived(connection: Connection, stale: Iterable[StaleRow]) -> set[UUID]:
    """Delete the derived trips that were known only later; which they were."""
    documents = msgspec.json.encode(list(stale)).decode()
    return set(connection.execute(_FORGET_DERIVED, {"documents": documents}).scalars())


def forget_open(connection: Connection, vins: Iterable[str]) -> set[UUID]:
    """Delete the derived trips of these vehicles that are not over; which they were."""
    those = trip.c.vehicle_id == func.any(any_of(vehicle_streams(vins)))
    is_open = trip.c.ended_at.is_(None) & (trip.c.source == "derived")
    forgotten = delete(trip).where(those, is_open).returning(trip.c.trip_id)
    return set(connection.execute(forgotten).scalars())


def keep_gone(connection: Connection, trip_ids: Iterable[UUID], position: int) -> None:
    """Remember that these are trips no more."""
    if rows := [{"trip_id": trip_id, "position": position} for trip_id in trip_ids]:
        connection.execute(_WRITE_GONE, rows)


def heard_row(vehicle: Followed) -> HeardRow:
    """What heartbeats alone change, as it is kept."""
    return HeardRow(
        vehicle_id=vehicle_streams([vehicle.vin])[0],
        heard_until=vehicle.heard_until,
        state=vehicle.state,
        since_checkpoint=vehicle.since_checkpoint,
    )


def followed_row(vehicle: Followed) -> FollowedRow:
    """A vehicle as it is kept."""
    owners = vehicle.owners
    return FollowedRow(
        **asdict(heard_row(vehicle)),
        vin=vehicle.vin,
        customer_id=owners[-1].customer_id if owners else None,
        customer_ids=sorted(vehicle.customer_ids),
        belongings=vehicle.belongings,
        reported_until=vehicle.reported_until,
    )


def select_vins(connection: Connection, vehicle_ids: Iterable[str]) -> dict[str, str]:
    """By id the VINs of those of the vehicles that are known."""
    columns = cast(followed.c.vehicle_id, Text), followed.c.vin
    found = select(*columns).where(followed.c.vehicle_id == func.any(any_of(vehicle_ids)))
    return {row[0]: row[1] for row in connection.execute(found)}


def select_followed(
    connection: Connection, vins: Iterable[str], customer_ids: Iterable[UUID] = ()
) -> Iterator[Followed]:
    """Those of the vehicles that are known, and all that ever were these customers', as written."""
    wanted = followed.c.vehicle_id == func.any(any_of(vehicle_streams(vins)))
    if theirs := list(customer_ids):
        wanted = or_(wanted, followed.c.customer_ids.overlap(any_of(theirs)))
    for row in connection.execute(select(as_json(followed)).where(wanted)).scalars():
        one = _read_followed(row)
        yield Followed(one.vin, one.belongings, one.reported_until, one.state, one.since_checkpoint)


def select_rules(connection: Connection) -> dict[UUID, RulesRow]:
    """The rules of the customers that have some of their own."""
    rows = connection.execute(select(as_json(rules))).scalars()
    return {row.customer_id: row for row in map(_read_rules, rows)}


def select_checkpoints(
    connection: Connection, stale: Iterable[StaleRow]
) -> dict[str, CheckpointRow]:
    """Of each of the vehicles that has one, the last checkpoint that is older than the instant."""
    documents = msgspec.json.encode(list(stale)).decode()
    rows = connection.execute(_SELECT_CHECKPOINTS, {"documents": documents}).scalars()
    return {row.vehicle_id: row for row in map(_read_checkpoint, rows)}

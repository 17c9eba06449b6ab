"""What vehicles are at an instant, and since when, in SQL: `model.status_of` for many at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import ColumnElement, FromClause, case, func, literal, select, text

from projections.customer_vehicles.relational import connections, customer, limited, vehicle

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from projections.customer_vehicles.model import Status

_SECOND = text("interval '1 second'")

newest_connection = (
    select(connections.c.connected_since, connections.c.connected_until)
    .where(connections.c.vehicle_id == vehicle.c.vehicle_id)
    # Looked up vehicle by vehicle: for a page of 500 PostgreSQL would rather read all there are.
    .offset(0)
    .lateral()
)
"""Beside a vehicle, from when until when it was connected last."""


class StatusAt(NamedTuple):
    """Each vehicle's status, and what to select it from."""

    status: ColumnElement[Status]
    vehicles: FromClause


def status_at(connection: Connection, now: datetime, default_s: int) -> StatusAt:
    """`model.status_of` of all vehicles, by their own limit, their customer's or the default.

    Few customers have a limit; while none has, no vehicle is looked up among theirs.
    """
    own = literal(now) - vehicle.c.disconnect_after_s * _SECOND
    default = literal(now - timedelta(seconds=default_s))
    if connection.execute(select(customer.c.customer_id).where(limited).limit(1)).first() is None:
        return StatusAt(_status(func.coalesce(own, default)), vehicle)
    deadline = (literal(now) - customer.c.disconnect_after_s * _SECOND).label("deadline")
    theirs = select(customer.c.customer_id, deadline).where(limited).subquery()
    return StatusAt(
        _status(func.coalesce(own, theirs.c.deadline, default)),
        vehicle.outerjoin(theirs, vehicle.c.customer_id == theirs.c.customer_id),
    )


def _status(deadline: ColumnElement[datetime]) -> ColumnElement[Status]:
    return case(
        (vehicle.c.last_heartbeat_at.is_(None), "never_seen"),
        (vehicle.c.last_heartbeat_at >= deadline, "connected"),
        else_="disconnected",
    )

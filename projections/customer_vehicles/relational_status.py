"""What a vehicle is at an instant, in SQL: `model.status_of` for many at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, case, func, literal, select, text

from projections.customer_vehicles.relational import customer, limited, vehicle

if TYPE_CHECKING:
    from datetime import datetime

    from projections.customer_vehicles.model import Status

_limited = select(customer.c.customer_id, customer.c.disconnect_after_s).where(limited).subquery()

WITH_LIMIT = vehicle.outerjoin(_limited, vehicle.c.customer_id == _limited.c.customer_id)
"""Vehicles beside their customers' limits, which are few: what `status_at` is asked of."""


def status_at(now: datetime, default_s: int) -> ColumnElement[Status]:
    """`model.status_of` of a row of `WITH_LIMIT`."""
    limit = func.coalesce(vehicle.c.disconnect_after_s, _limited.c.disconnect_after_s)
    deadline = case(
        (limit.is_(None), literal(now - timedelta(seconds=default_s))),
        else_=literal(now) - limit * text("interval '1 second'"),
    )
    return case(
        (vehicle.c.last_heartbeat_at.is_(None), "never_seen"),
        (vehicle.c.last_heartbeat_at >= deadline, "connected"),
        else_="disconnected",
    )

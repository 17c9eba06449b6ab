"""The log in pages, as it is told: what happened to the vehicles, in commit order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from projections.vehicle_search.model import VehicleQuery
from projections.vehicle_search.predicate import matches
from read_service.items import heartbeat_item
from read_service.live.touched import OF_A_VEHICLE, vehicle_id_of, vins_of
from read_service.past.happened import customer_of, entry
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.telemetry import log as logger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from projections.customer_vehicles.model import Known
    from read_service.models import ReadModels
    from vehicle_tracker.logged_event import LoggedEvent

MOST_LOOKED_AT = 2_000
"""So many rows of the log are looked at for one page, however few of them are asked for."""

HEARTBEAT = "heartbeat"


class Change(NamedTuple):
    """Something that happened to a vehicle, as it is told."""

    position: int
    vin: str
    what: dict[str, Any]


class Changes(NamedTuple):
    """A page of what happened: the position it ends at, and whether more is there already."""

    items: Sequence[Change]
    end: int
    more: bool
    position: int


class _Event(NamedTuple):
    position: int
    vehicle_id: UUID
    event: Any


def changes(
    models: ReadModels, query: VehicleQuery, after: int, limit: int, now: datetime
) -> Changes:
    """What happened after a position, as far as the read model is: it can be read already.

    If the query asks for certain vehicles: what happened to those that are such now. A vehicle
    that is in use no longer is none of them.
    """
    position = models.customers.position()
    rows = [row for row in models.log.read(after, MOST_LOOKED_AT) if row.position <= position]
    told = [one for row in rows if (one := _decoded(models, row))]
    known = models.customers.known(
        list({one.vehicle_id for one in told}),
        list({id_ for one in told if (id_ := customer_of(one.event))}),
    )
    asked = _asked(models, query, told, known, now)
    page = asked[:limit]
    end = rows[-1].position if rows else after
    if len(asked) > limit:
        end = page[-1].position
    vins = vins_of(models.log, (one.vehicle_id for one in page), known.vehicles)
    items = [
        Change(one.position, vins[one.vehicle_id], what)
        for one in page
        if one.vehicle_id in vins and (what := _told(one.event, known.customer_names))
    ]
    return Changes(items, end, end < position, position)


def _decoded(models: ReadModels, row: LoggedEvent) -> _Event | None:
    if not row.topic.startswith(OF_A_VEHICLE):
        return None
    try:
        event = models.log.event(row)
        return _Event(row.position, vehicle_id_of(row, event), event)
    except Exception as error:  # noqa: BLE001 # the follower parks it, and says so
        logger.warning("event not told", position=row.position, error=str(error))
        return None


def _asked(
    models: ReadModels, query: VehicleQuery, told: list[_Event], known: Known, now: datetime
) -> list[_Event]:
    if query == VehicleQuery():
        return told
    limit = models.settings.disconnect_after_s
    found = {id_ for id_, view in known.vehicles.items() if matches(query, view, now, limit)}
    return [one for one in told if one.vehicle_id in found]


def _told(event: Any, customer_names: Mapping[UUID, str]) -> dict[str, Any] | None:
    if isinstance(event, HeartbeatRecorded):
        return {"at": event.recorded_at, "type": HEARTBEAT, **heartbeat_item(event)}
    return entry(event, customer_names)

"""The routes that answer for vehicles: load, call one method, dump."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from projections.customer_vehicles.model import limit_of
from projections.paging import decode_cursor, encode_cursor
from read_service import queries, schemas
from read_service.items import answer, heartbeat_item, page_answer, vehicle_item
from read_service.positions import log_position
from vehicle_tracker.domain.values import is_vin, utc_now, vehicle_stream
from vehicle_tracker.errors import unknown_vehicle
from vehicle_tracker.web import ApiBlueprint

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Response

    from projections.vehicle_search.model import VehicleQuery
    from read_service.models import ReadModels

_Aware = Annotated[datetime, msgspec.Meta(tz=True)]
BEHIND = "`read_model_behind`, `read_model_unavailable`"
NO_SEARCH = f"{BEHIND}, `search_unavailable`"


def vehicles_api(models: ReadModels) -> ApiBlueprint:
    """`/vehicles` and what is below it, and the vehicles of a customer."""
    blueprint = ApiBlueprint("vehicles", __name__, url_prefix="/api/v1")

    @blueprint.route("/vehicles")
    @blueprint.arguments(queries.VehiclesQuery, location="query")
    @blueprint.response(200, schemas.VehiclePage)
    @blueprint.alt_response(503, description=NO_SEARCH)
    def search_vehicles(query: dict[str, Any]) -> Response:
        """Find vehicles in use."""
        return _search(models, query)

    @blueprint.route("/customers/<uuid:customer_id>/vehicles")
    @blueprint.arguments(queries.CustomerVehiclesQuery, location="query")
    @blueprint.response(200, schemas.VehiclePage)
    @blueprint.alt_response(404, description="`unknown_customer`")
    @blueprint.alt_response(503, description=NO_SEARCH)
    def search_vehicles_of_customer(query: dict[str, Any], customer_id: UUID) -> Response:
        """Find vehicles in use of one customer."""
        models.customer(customer_id, query["at_least"], models.as_of())
        return _search(models, {**query, "customer_id": [customer_id]})

    @blueprint.route("/vehicles/<vin>")
    @blueprint.arguments(queries.AsOfQuery, location="query")
    @blueprint.response(200, schemas.Vehicle)
    @blueprint.alt_response(404, description="`unknown_vehicle`")
    @blueprint.alt_response(503, description=BEHIND)
    def show_vehicle(query: dict[str, Any], vin: str) -> Response:
        """A vehicle in use, with the numbers behind its status."""
        now = models.as_of()
        view, position = models.vehicle(vin, query["at_least"])
        vehicle_id = view.vehicle.vehicle_id
        open_trips = models.trips.open_trips([vehicle_id], now)
        return answer(
            {
                **vehicle_item(view, now, models.settings, open_trips.get(vehicle_id)),
                "heartbeat_interval_s": models.settings.heartbeat_interval_s,
                "disconnect_after_s": limit_of(view, models.settings.disconnect_after_s),
                "position": position,
                "as_of": now,
            }
        )

    @blueprint.route("/vehicles/<vin>/heartbeats")
    @blueprint.arguments(queries.HeartbeatsQuery, location="query")
    @blueprint.response(200, schemas.HeartbeatPage)
    @blueprint.alt_response(404, description="`unknown_vehicle`: never registered")
    @blueprint.alt_response(503, description="`read_model_behind`, `event_log_unavailable`")
    def list_heartbeats(query: dict[str, Any], vin: str) -> Response:
        """A vehicle's heartbeats out of the event log, the oldest first.

        Those of a decommissioned vehicle, too.
        """
        return _heartbeats(models, vin, query)

    return blueprint


def _search(models: ReadModels, query: dict[str, Any]) -> Response:
    models.wait_for_search(query["at_least"])
    now = models.search_as_of()
    page = models.search.search(vehicle_query(query), now)
    open_trips = models.trips.open_trips([one.vehicle.vehicle_id for one in page.items], now)
    return page_answer(page, now, models.settings, open_trips)


def vehicle_query(query: dict[str, Any]) -> VehicleQuery:
    """What is asked of vehicles, as it was loaded."""
    page = {name: query[name] for name in ("sort", "limit", "cursor")}
    return replace(queries.vehicle_filter(query), **page)


def _heartbeats(models: ReadModels, vin: str, query: dict[str, Any]) -> Response:
    now, limit = utc_now(), query["limit"]
    position = log_position(models.log, query["at_least"])
    if not is_vin(vin) or not models.log.rows.last_topics([vehicle_stream(vin)]):
        raise unknown_vehicle(vin)
    after = _just_before(query["from_"])
    if query["cursor"] is not None:
        (last,) = decode_cursor(query["cursor"], tuple[_Aware])
        after = max(filter(None, (after, last)))
    found = models.log.heartbeats(
        vin, after=after, until=_just_before(query["to"]), limit=limit + 1
    )
    more = len(found) > limit
    return answer(
        {
            "items": [heartbeat_item(event) for event in found[:limit]],
            "next_cursor": encode_cursor(found[limit - 1].recorded_at) if more else None,
            "position": position,
            "as_of": now,
        }
    )


def _just_before(instant: datetime | None) -> datetime | None:
    """The last microsecond before: the log's ranges are open below and closed above, ours not."""
    try:
        return instant - timedelta(microseconds=1) if instant else None
    except OverflowError:
        return instant

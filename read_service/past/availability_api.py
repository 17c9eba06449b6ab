"""The routes of availability: load, ask the log, dump as JSON or CSV."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, request

from projections.catalog import CUSTOMER_VEHICLES
from projections.customer_vehicles.model import limit_of
from projections.paging import decode_cursor, encode_cursor
from projections.vehicle_search.model import VehicleQuery
from projections.vehicle_search.relational import RelationalVehicleSearch
from read_service.items import answer
from read_service.past import queries, schemas
from read_service.past.availability import (
    COLUMNS,
    Asked,
    Available,
    as_csv,
    availability,
    availability_item,
    period_of,
    share,
    theirs_since,
)
from read_service.positions import log_position
from read_service.vehicles_api import BEHIND
from vehicle_tracker.domain.values import is_vin, utc_now, vehicle_stream
from vehicle_tracker.errors import unknown_vehicle
from vehicle_tracker.history import History
from vehicle_tracker.web import ApiBlueprint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from read_service.models import ReadModels

MOST_VEHICLES = 1_000_000
"""All there are: what limits the answer is the time that reading their heartbeats takes."""

_CSV = {
    "responses": {
        "200": {
            "content": {
                "text/csv": {
                    "schema": {"type": "string", "description": f"columns: {', '.join(COLUMNS)}"},
                }
            }
        }
    }
}
_place = partial(encode_cursor, "availability")


def availability_api(models: ReadModels) -> ApiBlueprint:
    """`/vehicles/{vin}/availability` and `/customers/{customer_id}/availability`."""
    blueprint = ApiBlueprint("availability", __name__, url_prefix="/api/v1")
    customers = _Customers(models)

    @blueprint.route("/vehicles/<vin>/availability")
    @blueprint.arguments(queries.AvailabilityQuery, location="query")
    @blueprint.response(200, schemas.VehicleAvailability)
    @blueprint.alt_response(404, description="`unknown_vehicle`: never registered")
    @blueprint.alt_response(422, description="`invalid_request`, `too_much_to_read`")
    @blueprint.alt_response(503, description="`read_model_behind`, `event_log_unavailable`")
    @blueprint.doc(**_CSV)
    def show_vehicle_availability(query: dict[str, Any], vin: str) -> Response:
        """When a vehicle was connected, by all its heartbeats; also if it is decommissioned."""
        return _of_vehicle(models, vin, query)

    @blueprint.route("/customers/<uuid:customer_id>/availability")
    @blueprint.arguments(queries.CustomerAvailabilityQuery, location="query")
    @blueprint.response(200, schemas.CustomerAvailability)
    @blueprint.alt_response(404, description="`unknown_customer`")
    @blueprint.alt_response(422, description="`invalid_request`, `too_much_to_read`")
    @blueprint.alt_response(503, description=BEHIND)
    @blueprint.doc(**_CSV)
    def show_customer_availability(query: dict[str, Any], customer_id: UUID) -> Response:
        """When a customer's vehicles in use were connected, each since it became theirs.

        As CSV it is all of them, whatever the page.
        """
        return customers.availability(customer_id, query)

    return blueprint


def _of_vehicle(models: ReadModels, vin: str, query: dict[str, Any]) -> Response:
    now, position = utc_now(), log_position(models.log, query["at_least"])
    start, end = period_of(query, now)
    stream = vehicle_stream(vin)
    vehicle = models.log.aggregates([stream]).get(stream) if is_vin(vin) else None
    if vehicle is None:
        raise unknown_vehicle(vin)
    limit = vehicle.disconnect_after_s or _limit_of_customer(models, vehicle.customer_id)
    asked = Asked(vin, vehicle.registration_number, limit, start, end)
    found = availability(History(models.log.rows), [asked])
    if _wants_csv(query):
        return _csv_answer(found, vin)
    return answer(
        {
            **availability_item(found[0]),
            **_shown(start, end),
            "position": position,
            "as_of": now,
        }
    )


class _Customers:
    """Customers' vehicles come from the relational read model, whatever finds vehicles."""

    def __init__(self, models: ReadModels) -> None:
        self._models = models
        self._search = RelationalVehicleSearch(
            models.engine, CUSTOMER_VEHICLES.name, models.settings.disconnect_after_s
        )

    def availability(self, customer_id: UUID, query: dict[str, Any]) -> Response:
        """All vehicles are counted, a page of them is shown."""
        last = ""
        if query["cursor"] is not None:
            _, last = decode_cursor(query["cursor"], tuple[Literal["availability"], str])
        now = self._models.as_of()
        self._models.customer(customer_id, query["at_least"], now)
        start, end = period_of(query, now)
        asked, position = self._asked(customer_id, start, end, now)
        found = availability(History(self._models.log.rows), asked)
        if _wants_csv(query):
            return _csv_answer(found, str(customer_id))
        rest = [one for one in found if one.asked.vin > last]
        page = rest[: query["limit"]]
        return answer(
            {
                "customer_id": customer_id,
                **_shown(start, end),
                **share(found),
                "items": [availability_item(one) for one in page],
                "next_cursor": _place(page[-1].asked.vin) if len(rest) > len(page) else None,
                "position": position,
                "as_of": now,
            }
        )

    def _asked(
        self, customer_id: UUID, start: datetime, end: datetime, now: datetime
    ) -> tuple[list[Asked], int]:
        """Its vehicles in use by VIN, each from when it became theirs, and the position."""
        theirs = VehicleQuery(customer_ids=(customer_id,), sort="vin", limit=MOST_VEHICLES)
        page = self._search.search(theirs, now)
        changed = [view.vehicle.vehicle_id for view in page.items if view.vehicle.version > 1]
        events = self._models.log.streams(changed)
        asked = []
        for view in page.items:
            one, limit = view.vehicle, limit_of(view, self._models.settings.disconnect_after_s)
            since = theirs_since(events.get(one.vehicle_id, ())) or one.registered_at or start
            plate = one.registration_number or ""
            asked.append(Asked(one.vin, plate, limit, max(start, since), end))
        return asked, page.position


def _limit_of_customer(models: ReadModels, customer_id: UUID) -> int:
    """How long a customer's vehicles may be silent if they have no limit of their own."""
    customer = models.log.aggregates([customer_id]).get(customer_id)
    own: int | None = customer.disconnect_after_s if customer else None
    return own or models.settings.disconnect_after_s


def _wants_csv(query: dict[str, Any]) -> bool:
    if query["format"]:
        return bool(query["format"] == "csv")
    offered = ("application/json", "text/csv")
    return request.accept_mimetypes.best_match(offered) == "text/csv"


def _csv_answer(found: Sequence[Available], name: str) -> Response:
    response = Response(as_csv(found), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="availability-{name}.csv"'
    return response


def _shown(start: datetime, end: datetime) -> dict[str, datetime]:
    return {"from": start, "to": end}

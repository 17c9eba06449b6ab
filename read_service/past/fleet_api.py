"""The route of the fleet in the past: load, search, dump."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from projections.catalog import CUSTOMER_VEHICLES
from projections.paging import decode_cursor, encode_cursor, invalid_cursor
from projections.vehicle_search.past import PastVehicleSearch
from read_service.items import answer, page_body
from read_service.past import queries, schemas
from read_service.vehicles_api import BEHIND, vehicle_query
from vehicle_tracker.errors import Invalid
from vehicle_tracker.schemas import rfc3339
from vehicle_tracker.web import ApiBlueprint

if TYPE_CHECKING:
    from flask import Response

    from read_service.models import ReadModels

_Aware = Annotated[datetime, msgspec.Meta(tz=True)]
_Place = tuple[Literal["fleet"], _Aware, str]


def fleet_api(models: ReadModels) -> ApiBlueprint:
    """`/fleet`."""
    blueprint = ApiBlueprint("fleet", __name__, url_prefix="/api/v1")
    search = PastVehicleSearch(
        models.engine, models.log, CUSTOMER_VEHICLES.name, models.settings.disconnect_after_s
    )

    @blueprint.route("/fleet")
    @blueprint.arguments(queries.FleetQuery, location="query")
    @blueprint.response(200, schemas.Fleet)
    @blueprint.alt_response(422, description="`invalid_request`, `too_much_to_read`")
    @blueprint.alt_response(503, description=f"{BEHIND}, `event_log_unavailable`")
    def show_fleet(query: dict[str, Any]) -> Response:
        """Find vehicles as they were at an instant, by all that is known of it today."""
        return _fleet(models, search, query)

    return blueprint


def _fleet(models: ReadModels, search: PastVehicleSearch, query: dict[str, Any]) -> Response:
    models.wait_for(query["at_least"])
    now = models.as_of()
    if query["at"] > now:
        expected = f"expected a time that is not after `as_of`, {rfc3339(now)}"
        raise Invalid("invalid_request", f"at: {expected}.", errors={"at": [expected]})
    at = query["at"]
    cursor = _cursor_of(query["cursor"], at)
    page = search.search(vehicle_query({**query, "cursor": cursor}), at)
    trips = models.trips.trips_at([one.vehicle.vehicle_id for one in page.items], at)
    following = page.next_cursor
    return answer(
        {
            **page_body(page, at, models.settings, trips),
            "next_cursor": encode_cursor("fleet", at, following) if following else None,
            "at": at,
            "as_of": now,
        }
    )


def _cursor_of(cursor: str | None, at: datetime) -> str | None:
    """The search's own cursor, if this one is of the same instant. Errors: `invalid_cursor`."""
    if cursor is None:
        return None
    _, its_at, own = decode_cursor(cursor, _Place)
    if its_at != at:
        raise invalid_cursor()
    return str(own)

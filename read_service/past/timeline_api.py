"""The route of a vehicle's timeline: load, put together, dump."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from projections.paging import decode_cursor, encode_cursor
from read_service.items import answer
from read_service.past import happened, queries, schemas
from read_service.past.timeline import BEGINNING, END, Asked, Place, entries, page_of
from read_service.positions import log_position
from vehicle_tracker.domain.values import is_vin, utc_now, vehicle_stream
from vehicle_tracker.errors import unknown_vehicle
from vehicle_tracker.web import ApiBlueprint

if TYPE_CHECKING:
    from flask import Response

    from read_service.models import ReadModels

_Microseconds = Annotated[int, msgspec.Meta(ge=BEGINNING, le=END)]


def timeline_api(models: ReadModels) -> ApiBlueprint:
    """`/vehicles/{vin}/timeline`."""
    blueprint = ApiBlueprint("timeline", __name__, url_prefix="/api/v1")

    @blueprint.route("/vehicles/<vin>/timeline")
    @blueprint.arguments(queries.TimelineQuery, location="query")
    @blueprint.response(200, schemas.Timeline)
    @blueprint.alt_response(404, description="`unknown_vehicle`: never registered")
    @blueprint.alt_response(
        503,
        description="`read_model_behind`, `read_model_unavailable`, `event_log_unavailable`",
    )
    def show_timeline(query: dict[str, Any], vin: str) -> Response:
        """What happened to a vehicle, the newest first; also if it is decommissioned."""
        return _timeline(models, vin, query)

    return blueprint


def _timeline(models: ReadModels, vin: str, query: dict[str, Any]) -> Response:
    now, position = utc_now(), log_position(models.log, query["at_least"])
    if not is_vin(vin) or not models.log.rows.last_topics([vehicle_stream(vin)]):
        raise unknown_vehicle(vin)
    before = None
    if query["cursor"] is not None:
        before = Place(*decode_cursor(query["cursor"], tuple[_Microseconds, str, int]))
    asked = Asked(vin, query["from_"], query["to"], before, query["limit"])
    page, rest = page_of(entries(models.log, models.trips, asked, now), before, asked.limit)
    owners = {owner for one in page if (owner := happened.customer_of(one.event))}
    names = models.customers.known([], list(owners)).customer_names if owners else {}
    return answer(
        {
            "items": [happened.entry(one.event, names) for one in page],
            "next_cursor": encode_cursor(*rest) if rest else None,
            "position": position,
            "as_of": now,
        }
    )

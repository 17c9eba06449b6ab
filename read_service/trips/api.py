"""The routes that answer for trips: load, call one method, dump."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, request

from projections.trips.model import TripQuery
from read_service import queries
from read_service.items import answer
from read_service.trips import queries as trips_queries
from read_service.trips import schemas as trips_schemas
from read_service.trips.items import geojson, gpx, heartbeats_of, trip_item
from vehicle_tracker.domain.values import is_vin
from vehicle_tracker.errors import Unacceptable, unknown_trip, unknown_vehicle
from vehicle_tracker.web import ApiBlueprint

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from projections.trips.model import TripSearch, TripView
    from read_service.models import ReadModels

BEHIND = "`read_model_behind`, `read_model_unavailable`, `event_log_unavailable`"
GEOJSON, GPX = "application/geo+json", "application/gpx+xml"
_FORMATS = {"geojson": GEOJSON, "gpx": GPX}
_GPX_TOO = {
    "responses": {
        "200": {"content": {GPX: {"schema": {"type": "string", "description": "GPX 1.1"}}}}
    }
}


def trips_api(models: ReadModels) -> ApiBlueprint:
    """`/trips`, what is below it, and the trips of a vehicle."""
    blueprint = ApiBlueprint("trips", __name__, url_prefix="/api/v1")

    @blueprint.route("/trips")
    @blueprint.arguments(trips_queries.TripsQuery, location="query")
    @blueprint.response(200, trips_schemas.TripPage)
    @blueprint.alt_response(503, description=f"{BEHIND}, `search_unavailable`")
    def list_trips(query: dict[str, Any]) -> Response:
        """Find trips, reported and derived: those that began last come first.

        With `bbox` those that said a place in it; one that is open only once it is over.
        A page may have fewer than `limit` although there is a `next_cursor`.
        """
        models.wait_for_trip_search(query["at_least"])
        return _page(models, models.trip_search, query, models.trip_search_as_of())

    @blueprint.route("/vehicles/<vin>/trips")
    @blueprint.arguments(trips_queries.VehicleTripsQuery, location="query")
    @blueprint.response(200, trips_schemas.TripPage)
    @blueprint.alt_response(404, description="`unknown_vehicle`: never registered")
    @blueprint.alt_response(503, description=BEHIND)
    def list_trips_of_vehicle(query: dict[str, Any], vin: str) -> Response:
        """A vehicle's trips: those that began last come first. Also if it is decommissioned."""
        models.trips_watch.wait_for(query["at_least"])
        if not is_vin(vin) or not models.trips.knows(vin):
            raise unknown_vehicle(vin)
        return _page(models, models.trips, {**query, "vin": vin}, models.trips_as_of())

    @blueprint.route("/trips/<uuid:trip_id>")
    @blueprint.arguments(queries.AsOfQuery, location="query")
    @blueprint.response(200, trips_schemas.Trip)
    @blueprint.alt_response(404, description="`unknown_trip`")
    @blueprint.alt_response(503, description=BEHIND)
    def show_trip(query: dict[str, Any], trip_id: UUID) -> Response:
        """A trip."""
        now = models.trips_as_of()
        view, position = _trip(models, trip_id, query["at_least"], now)
        item = trip_item(view, models.log, now)
        return answer({**item, "position": position, "as_of": now})

    @blueprint.route("/trips/<uuid:trip_id>/track")
    @blueprint.arguments(trips_queries.TrackQuery, location="query")
    @blueprint.response(200, trips_schemas.Track, content_type=GEOJSON)
    @blueprint.alt_response(404, description="`unknown_trip`")
    @blueprint.alt_response(406, description="`not_acceptable`")
    @blueprint.alt_response(503, description=BEHIND)
    @blueprint.doc(**_GPX_TOO)
    def show_track(query: dict[str, Any], trip_id: UUID) -> Response:
        """Where a trip went: a GeoJSON Feature or, if asked for, GPX 1.1."""
        return _track(models, trip_id, query)

    return blueprint


def _page(models: ReadModels, search: TripSearch, query: dict[str, Any], now: datetime) -> Response:
    page = search.find(
        TripQuery(
            q=query.get("q", ""),
            vin=query.get("vin"),
            customer_ids=tuple(query.get("customer_id", ())),
            since=query["from_"],
            until=query["to"],
            box=query.get("bbox"),
            limit=query["limit"],
            cursor=query["cursor"],
        ),
        now,
    )
    items = [trip_item(view, models.log, now) for view in page.items]
    return answer({**page._asdict(), "items": items, "as_of": now})


def _trip(models: ReadModels, trip_id: UUID, at_least: int, now: datetime) -> tuple[TripView, int]:
    models.trips_watch.wait_for(at_least)
    view, position = models.trips.trip(trip_id, now)
    if view is None:
        raise unknown_trip(trip_id)
    return view, position


def _track(models: ReadModels, trip_id: UUID, query: dict[str, Any]) -> Response:
    wanted = _FORMATS[query["format"]] if query["format"] else _accepted()
    now = models.trips_as_of()
    view, position = _trip(models, trip_id, query["at_least"], now)
    item = trip_item(view, models.log, now)
    heartbeats = heartbeats_of(view.trip, models.log)
    if wanted == GPX:
        response = Response(gpx(item, heartbeats), content_type=GPX)
        response.headers["Content-Disposition"] = f'attachment; filename="{trip_id}.gpx"'
    else:
        response = answer({**geojson(item, heartbeats), "position": position, "as_of": now})
        response.content_type = GEOJSON
    response.vary.add("Accept")
    return response


def _accepted() -> str:
    """What of the two the client would rather have. Errors: `Unacceptable`."""
    offered = (GEOJSON, "application/json", GPX)
    wanted = request.accept_mimetypes.best_match(offered) if request.accept_mimetypes else GEOJSON
    if wanted is None:
        raise Unacceptable("not_acceptable", f"A track is {GEOJSON} or {GPX}.")
    return GPX if wanted == GPX else GEOJSON

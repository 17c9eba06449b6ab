"""Where the read service is put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from projections import database
from projections.catalog import CUSTOMER_VEHICLES, TRIPS, names_of
from projections.customer_vehicles.reader import RelationalCustomerVehicles
from projections.database import db, is_unreachable
from projections.migrated import expect_migrated
from projections.trips.reader import RelationalTrips
from projections.vehicle_search.model import VehicleQuery
from projections.vehicle_search.relational import RelationalVehicleSearch
from read_service.api import customers_api, projections_api
from read_service.demo_wire import demo_wire
from read_service.freshness import Freshness
from read_service.live.api import changes_api, stream_api
from read_service.live.cursor import LogCursors
from read_service.live.feed import Feed
from read_service.models import ReadModels
from read_service.past.availability_api import availability_api
from read_service.past.fleet_api import fleet_api
from read_service.past.timeline_api import timeline_api
from read_service.positions import PositionWatch
from read_service.trips.api import trips_api
from read_service.vehicles_api import vehicles_api
from vehicle_tracker import web
from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.errors import Unavailable
from vehicle_tracker.importing import without_other_transports
from vehicle_tracker.starting import open_log
from vehicle_tracker.telemetry import configure_logging, log

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response
    from sqlalchemy import Engine

    from projections.customer_vehicles.model import CustomerVehicles
    from projections.trips.model import TripSearch
    from projections.vehicle_search.model import VehicleSearch
    from vehicle_tracker.settings import Settings


def create_app(settings: Settings) -> Flask:
    """The read service over the event log and the read models that the settings name."""
    configure_logging(settings)
    event_log = open_log(settings)

    def search_answers() -> object:
        return search.search(VehicleQuery(limit=1), utc_now())

    ready: dict[str, Callable[[], object]] = {
        "event_log": event_log.head,
        "read_model": lambda: expect_migrated(engine),
    }
    if settings.elasticsearch_url:
        ready["elasticsearch"] = search_answers
    app, api = web.create_app(
        "read_service",
        "Vehicle tracker: read service",
        settings,
        ready=ready,
    )
    app.config.update(database.configuration(settings, "statement_timeout=10s"))
    app.register_error_handler(SQLAlchemyError, read_model_failed)
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    customers = RelationalCustomerVehicles(*_relational(engine, settings))
    trips = RelationalTrips(engine, TRIPS, CUSTOMER_VEHICLES.name)
    search, trip_search = _searches(settings, engine, customers, trips)
    found_in = (trips.position, trip_search.position)
    models = ReadModels(
        settings=settings,
        log=event_log,
        engine=engine,
        search=search,
        customers=customers,
        watch=PositionWatch(customers.position, settings.wait_for_position_s),
        projections=names_of(settings),
        search_watch=PositionWatch(search.position, settings.wait_for_position_s),
        freshness=Freshness(event_log, (customers.position,)),
        search_freshness=Freshness(
            event_log,
            (customers.position, search.position),
            by_verdicts=bool(settings.elasticsearch_url),
        ),
        trips=trips,
        trips_watch=PositionWatch(trips.position, settings.wait_for_position_s),
        trips_freshness=Freshness(event_log, (trips.position,)),
        trip_search=trip_search,
        trip_search_watch=PositionWatch(trip_search.position, settings.wait_for_position_s),
        trip_search_freshness=Freshness(event_log, found_in),
    )
    present = (vehicles_api, customers_api, trips_api, projections_api, demo_wire)
    past = (availability_api, timeline_api, fleet_api)
    for blueprint in present + past:
        api.register_blueprint(blueprint(models))
    cursors = LogCursors(event_log)
    feed = Feed(models, cursors)
    api.register_blueprint(changes_api(models, cursors))
    api.register_blueprint(stream_api(feed, cursors))
    app.extensions["read_models"] = models
    app.extensions["feed"] = feed
    return app


def _relational(engine: Engine, settings: Settings) -> tuple[Engine, str, int]:
    return engine, CUSTOMER_VEHICLES.name, settings.disconnect_after_s


def _searches(
    settings: Settings, engine: Engine, customers: CustomerVehicles, trips: RelationalTrips
) -> tuple[VehicleSearch, TripSearch]:
    """Elasticsearch finds vehicles and trips if there is one; else PostgreSQL does."""
    vehicles = RelationalVehicleSearch(*_relational(engine, settings))
    if not settings.elasticsearch_url:
        return vehicles, trips
    with without_other_transports():
        from read_service import indexed  # noqa: PLC0415 # that is a good part of the start

    return indexed.searches(settings, customers, vehicles, trips, engine)


def read_model_failed(error: SQLAlchemyError) -> Response:
    """The database of the read models: away for a while, or a defect of ours."""
    if not is_unreachable(error):
        return web.unexpected_problem(error)
    log.error("read model unreachable", error=str(error))
    return web.problem(Unavailable("read_model_unavailable", "The read model cannot be reached."))

"""Where the read service is put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import stamina
from sqlalchemy.exc import SQLAlchemyError

from projections import database
from projections.app import expect_migrated
from projections.catalog import CUSTOMER_VEHICLES
from projections.customer_vehicles.reader import RelationalCustomerVehicles
from projections.database import db, is_unreachable
from projections.vehicle_search.relational import RelationalVehicleSearch
from read_service.api import customers_api, projections_api
from read_service.demo_wire import demo_wire
from read_service.models import ReadModels
from read_service.positions import PositionWatch
from read_service.vehicles_api import vehicles_api
from vehicle_tracker import web
from vehicle_tracker.errors import Unavailable
from vehicle_tracker.event_log import LOG_UNREACHABLE, EventLog
from vehicle_tracker.telemetry import configure_logging, log

if TYPE_CHECKING:
    from flask import Flask, Response

    from vehicle_tracker.settings import Settings


def create_app(settings: Settings) -> Flask:
    """The read service over the event log and the read models that the settings name."""
    configure_logging(settings)
    event_log = stamina.retry(on=LOG_UNREACHABLE, attempts=None, timeout=60)(EventLog)(
        settings.event_log_url
    )
    app, api = web.create_app(
        "read_service",
        "Vehicle tracker: read service",
        settings,
        ready={"event_log": event_log.head, "read_model": lambda: expect_migrated(engine)},
    )
    app.config.update(database.configuration(settings, "statement_timeout=10s"))
    app.register_error_handler(SQLAlchemyError, read_model_failed)
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    where = (engine, CUSTOMER_VEHICLES.name, settings.disconnect_after_s)
    customers = RelationalCustomerVehicles(*where)
    models = ReadModels(
        settings=settings,
        log=event_log,
        engine=engine,
        search=RelationalVehicleSearch(*where),
        customers=customers,
        watch=PositionWatch(customers.position, settings.wait_for_position_s),
    )
    for blueprint in (vehicles_api, customers_api, projections_api, demo_wire):
        api.register_blueprint(blueprint(models))
    return app


def read_model_failed(error: SQLAlchemyError) -> Response:
    """The database of the read models: away for a while, or a defect of ours."""
    if not is_unreachable(error):
        return web.unexpected_problem(error)
    log.error("read model unreachable", error=str(error))
    return web.problem(Unavailable("read_model_unavailable", "The read model cannot be reached."))

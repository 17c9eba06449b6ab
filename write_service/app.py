"""Where the write service is put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vehicle_tracker import web
from vehicle_tracker.starting import open_log
from vehicle_tracker.telemetry import configure_logging
from write_service.api import fleet_api
from write_service.application import VehicleTracker
from write_service.demo_wire import demo_wire
from write_service.heartbeat_api import heartbeats_api
from write_service.heartbeats import HeartbeatRecorder
from write_service.trips import TripRecorder
from write_service.trips_api import trips_api

if TYPE_CHECKING:
    from flask import Flask

    from vehicle_tracker.settings import Settings


def create_app(settings: Settings) -> Flask:
    """The write service over the event log that the settings name."""
    configure_logging(settings)
    log = open_log(settings)
    recorder = HeartbeatRecorder(log, most_waiting=settings.max_waiting_heartbeats)
    app, api = web.create_app(
        "write_service", "Vehicle tracker: write service", settings, ready={"event_log": log.head}
    )
    api.register_blueprint(heartbeats_api(recorder, settings))
    api.register_blueprint(fleet_api(VehicleTracker(log), settings))
    api.register_blueprint(trips_api(TripRecorder(log)))
    app.register_blueprint(demo_wire(recorder))
    return app

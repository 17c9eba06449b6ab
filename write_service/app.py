"""Where the write service is put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vehicle_tracker import web
from vehicle_tracker.starting import open_log
from vehicle_tracker.telemetry import configure_logging
from write_service.admission import Admission
from write_service.api import fleet_api
from write_service.application import VehicleTracker
from write_service.demo_wire import demo_wire
from write_service.fair_share import FairShare
from write_service.heartbeat_api import heartbeats_api
from write_service.heartbeat_door import HeartbeatDoor
from write_service.heartbeat_intake import HeartbeatIntake
from write_service.heartbeats import HeartbeatRecorder
from write_service.trips import TripRecorder
from write_service.trips_api import trips_api

if TYPE_CHECKING:
    from flask import Flask

    from vehicle_tracker.settings import Settings

NAME = "write_service"


def create_app(settings: Settings) -> Flask:
    """The write service over the event log that the settings name."""
    configure_logging(settings)
    log = open_log(settings)
    recorder = HeartbeatRecorder(log)
    intake = HeartbeatIntake(
        recorder,
        most_items=settings.max_batch_items,
        most_waiting=settings.max_waiting_heartbeats,
    )
    app, api = web.create_app(
        NAME, "Vehicle tracker: write service", settings, ready={"event_log": log.head}
    )
    bodies = FairShare(settings.max_waiting_bytes, "bytes")
    api.register_blueprint(heartbeats_api(intake, bodies, settings))
    api.register_blueprint(fleet_api(VehicleTracker(log), settings))
    api.register_blueprint(trips_api(TripRecorder(log)))
    app.register_blueprint(demo_wire(recorder))
    most_bytes = settings.max_body_bytes
    door = HeartbeatDoor(app.wsgi_app, intake, service=NAME, most_bytes=most_bytes)
    app.wsgi_app = Admission(  # type: ignore[method-assign]
        door, most_requests=settings.max_requests, bodies=bodies, most_bytes=most_bytes
    )
    return app

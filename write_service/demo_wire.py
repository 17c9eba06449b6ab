"""The wire of the demo this project grew from, so that its simulator and clients run unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, request

from vehicle_tracker.domain.heartbeat import Heartbeat
from vehicle_tracker.domain.values import is_vin, utc_now, vehicle_stream
from vehicle_tracker.errors import unknown_vehicle
from write_service.heartbeats import Outcome, encoded

if TYPE_CHECKING:
    from write_service.heartbeats import HeartbeatRecorder


def demo_wire(recorder: HeartbeatRecorder) -> Blueprint:
    """`POST /heartbeat/{vin}` and `GET /heartbeat/ping`."""
    blueprint = Blueprint("demo_wire", __name__, url_prefix="/heartbeat")

    @blueprint.get("/ping")
    def ping() -> dict[str, str]:
        return {"message": "pong"}

    @blueprint.post("/<vin>")
    def heartbeat(vin: str) -> dict[str, Any]:
        if not is_vin(vin):
            raise unknown_vehicle(vin)
        said = encoded(Heartbeat(vin=vin), utc_now(), request_id=None)
        outcomes, _ = recorder.record([said], request.remote_addr or "")
        if outcomes == [Outcome.UNKNOWN_VEHICLE]:
            raise unknown_vehicle(vin)
        return {"entity_id": str(vehicle_stream(vin))}

    return blueprint

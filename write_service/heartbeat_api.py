"""The routes that vehicles and gateways post to: load, call one method, dump."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from flask import Response, g, request

from vehicle_tracker.web import ApiBlueprint
from write_service import heartbeat_body, schemas
from write_service.heartbeat_message import BareHeartbeatSchema, HeartbeatSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vehicle_tracker.settings import Settings
    from write_service.fair_share import FairShare
    from write_service.heartbeat_intake import HeartbeatIntake

_BODIES = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "oneOf": [HeartbeatSchema, {"type": "array", "items": HeartbeatSchema}],
            }
        },
        heartbeat_body.NDJSON: {"schema": {"type": "string"}},
    },
}
_BODY = {"content": {"application/json": {"schema": BareHeartbeatSchema}}}


def heartbeats_api(intake: HeartbeatIntake, bodies: FairShare, settings: Settings) -> ApiBlueprint:
    """The routes that vehicles and gateways post to. `bodies` is the memory for them, in bytes."""
    blueprint = ApiBlueprint("heartbeats", __name__, url_prefix="/api/v1")

    @blueprint.route("/heartbeats", methods=["POST"])
    @blueprint.response(202, schemas.HeartbeatsRecorded)
    @_refusals(blueprint, "batch_rejected")
    @blueprint.doc(requestBody=_BODIES)
    def record_heartbeats() -> Response:
        """Record a heartbeat, an array of them, or one a line. 202 means committed to the log."""
        client = _client()
        with _body(client) as body:
            return _accepted(intake.take(body, request.mimetype, client, g.given_request_id))

    @blueprint.route("/vehicles/<vin>/heartbeats", methods=["POST"])
    @blueprint.response(202, schemas.HeartbeatsRecorded)
    @_refusals(blueprint)
    @blueprint.doc(requestBody=_BODY)
    def record_heartbeat_of(vin: str) -> Response:
        """Record a heartbeat of one vehicle; an empty body is a bare heartbeat."""
        client = _client()
        with _body(client) as body:
            return _accepted(intake.take_one(vin, body, client, g.given_request_id))

    @contextmanager
    def _body(client: str) -> Iterator[bytes]:
        """The body, unpacked. Whoever let the request in could know only its size when packed."""
        body = heartbeat_body.body_of(request, settings.max_body_bytes)
        packed = "Content-Encoding" in request.headers
        with bodies.holding(client, len(body) or 1) if packed else nullcontext():
            yield body

    return blueprint


def _client() -> str:
    return request.remote_addr or ""


def _accepted(answer: bytes) -> Response:
    return Response(answer, 202, content_type="application/json")


def _refusals(blueprint: ApiBlueprint, *more: str) -> Callable[[Any], Any]:
    """Document what a route for heartbeats answers when it takes none."""
    refusals = (
        blueprint.refuses(400, "malformed_json", "malformed_gzip", "torn_body", "duplicate_key"),
        blueprint.refuses(404, "unknown_vehicle"),
        blueprint.refuses(413, "body_too_large", "batch_too_large"),
        blueprint.refuses(415, "unsupported_encoding"),
        blueprint.refuses(
            422, "invalid_heartbeat", "recorded_in_future", *more, schema=schemas.BatchRejected
        ),
        blueprint.refuses(503, "overloaded", "event_log_unavailable"),
    )

    def document(route: Any) -> Any:
        for refusal in refusals:
            route = refusal(route)
        return route

    return document

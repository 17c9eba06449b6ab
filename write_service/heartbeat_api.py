"""The routes that vehicles and gateways post to: load, call one method, dump."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
from flask import Response, g, request

from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.errors import Invalid, unknown_vehicle
from vehicle_tracker.web import ApiBlueprint
from write_service import heartbeat_body, schemas
from write_service.heartbeat_message import (
    BareHeartbeatSchema,
    HeartbeatMessage,
    HeartbeatSchema,
    Rejection,
    reason_to_reject,
)
from write_service.heartbeats import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from vehicle_tracker.settings import Settings
    from write_service.heartbeat_body import Batch
    from write_service.heartbeats import HeartbeatRecorder

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


def heartbeats_api(recorder: HeartbeatRecorder, settings: Settings) -> ApiBlueprint:
    """The routes that vehicles and gateways post to."""
    blueprint = ApiBlueprint("heartbeats", __name__, url_prefix="/api/v1")

    @blueprint.route("/heartbeats", methods=["POST"])
    @blueprint.response(202, schemas.HeartbeatsRecorded)
    @_refusals(blueprint, "batch_rejected")
    @blueprint.doc(requestBody=_BODIES)
    def record_heartbeats() -> Response:
        """Record a heartbeat, an array of them, or one a line. 202 means committed to the log."""
        body = heartbeat_body.body_of(request, settings.max_body_bytes)
        batch = heartbeat_body.decode(body, request.mimetype, settings.max_batch_items)
        return _record(recorder, batch)

    @blueprint.route("/vehicles/<vin>/heartbeats", methods=["POST"])
    @blueprint.response(202, schemas.HeartbeatsRecorded)
    @_refusals(blueprint)
    @blueprint.doc(requestBody=_BODY)
    def record_heartbeat_of(vin: str) -> Response:
        """Record a heartbeat of one vehicle; an empty body is a bare heartbeat."""
        body = heartbeat_body.body_of(request, settings.max_body_bytes)
        return _record(recorder, heartbeat_body.decode_one(vin, body))

    return blueprint


def _refusals(blueprint: ApiBlueprint, *more: str) -> Callable[[Any], Any]:
    """Document what a route for heartbeats answers when it takes none."""
    refusals = (
        blueprint.refuses(400, "malformed_json", "malformed_gzip", "duplicate_key"),
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


def _record(recorder: HeartbeatRecorder, batch: Batch) -> Response:
    now = utc_now()
    good: list[HeartbeatMessage] = []
    places: list[int] = []
    rejected: dict[int, Rejection] = {}
    for index, item in enumerate(batch.items):
        reason = item if isinstance(item, Rejection) else reason_to_reject(item, now)
        if reason is not None:
            rejected[index] = reason
        elif not isinstance(item, Rejection):
            good.append(item)
            places.append(index)
    outcomes, position = recorder.record(good, now, g.given_request_id)
    for index, one, outcome in zip(places, good, outcomes, strict=True):
        if outcome is Outcome.UNKNOWN_VEHICLE:
            detail = unknown_vehicle(one.vin).detail
            rejected[index] = Rejection(Outcome.UNKNOWN_VEHICLE.value, detail, {})
    if rejected and len(rejected) == len(batch.items):
        _refuse(batch, rejected)
    return _json(
        {
            "accepted": outcomes.count(Outcome.ACCEPTED),
            "duplicates": outcomes.count(Outcome.DUPLICATE),
            "rejected": _listed(rejected),
            "position": position,
        }
    )


def _refuse(batch: Batch, rejected: dict[int, Rejection]) -> NoReturn:
    """Nothing was stored: a single heartbeat's own reason, or the list of a batch's."""
    if not batch.is_single:
        raise Invalid(
            "batch_rejected", "Every heartbeat of the batch is wrong.", rejected=_listed(rejected)
        )
    (reason,) = rejected.values()
    (item,) = batch.items
    if reason.code == Outcome.UNKNOWN_VEHICLE.value and isinstance(item, HeartbeatMessage):
        raise unknown_vehicle(item.vin)
    raise Invalid(reason.code, reason.detail, errors=reason.errors)


def _listed(rejected: dict[int, Rejection]) -> list[dict[str, Any]]:
    return [
        {"index": index, "code": reason.code, "detail": reason.detail}
        for index, reason in sorted(rejected.items())
    ]


def _json(value: dict[str, Any], status: int = 202) -> Response:
    return Response(msgspec.json.encode(value), status, content_type="application/json")

"""From the body of a request to its answer: decode, judge, record, and say what became of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import msgspec

from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.errors import Invalid, unknown_vehicle
from write_service import heartbeat_body
from write_service.fair_share import FairShare
from write_service.heartbeat_message import Rejection, reason_to_reject
from write_service.heartbeats import Outcome, encoded

if TYPE_CHECKING:
    from write_service.heartbeat_body import Batch
    from write_service.heartbeats import EncodedHeartbeat, HeartbeatRecorder


class _Judged(NamedTuple):
    """Of a batch what is to be recorded and at which places that was, and why the rest is not."""

    good: list[EncodedHeartbeat]
    places: list[int]
    rejected: dict[int, Rejection]
    is_single: bool


class HeartbeatIntake:
    """What both doors to the heartbeat routes do: Flask's and the lean one.

    The answer is the JSON of `schemas.HeartbeatsRecorded`; what it counts is durable.

    Room for them is taken before they are decoded: who is refused has cost next to nothing.

    Errors: any `TrackerError`, or one of `LOG_UNREACHABLE`; then nothing was acknowledged.
    """

    def __init__(self, recorder: HeartbeatRecorder, *, most_items: int, most_waiting: int) -> None:
        self._recorder = recorder
        self._most_items = most_items
        self._waiting = FairShare(most_waiting, "heartbeats")

    def take(
        self, body: bytes, content_type: str, client: str, request_id: str | None = None
    ) -> bytes:
        """Take a heartbeat, an array of them, or one a line."""
        most = min(heartbeat_body.at_most(body), self._most_items)  # beyond it none is taken
        with self._waiting.holding(client, most):
            batch = heartbeat_body.decode(body, content_type, self._most_items)
            judged = _judge(batch, request_id)
            del batch  # what waits for a commit is the rows of the log, a third of all that
            return self._record(judged, client, request_id)

    def take_one(self, vin: str, body: bytes, client: str, request_id: str | None = None) -> bytes:
        """Take a heartbeat of this vehicle."""
        with self._waiting.holding(client, 1):
            judged = _judge(heartbeat_body.decode_one(vin, body), request_id)
            return self._record(judged, client, request_id)

    def _record(self, judged: _Judged, client: str, request_id: str | None) -> bytes:
        good, places, rejected, is_single = judged
        outcomes, position = self._recorder.record(good, client, request_id)
        if Outcome.UNKNOWN_VEHICLE in outcomes:
            for index, one, outcome in zip(places, good, outcomes, strict=True):
                if outcome is Outcome.UNKNOWN_VEHICLE:
                    if is_single:
                        raise unknown_vehicle(one.vin)
                    detail = unknown_vehicle(one.vin).detail
                    rejected[index] = Rejection(Outcome.UNKNOWN_VEHICLE.value, detail, {})
        accepted, duplicates = map(outcomes.count, (Outcome.ACCEPTED, Outcome.DUPLICATE))
        if rejected and not accepted + duplicates:
            _refuse(rejected, is_single=is_single)
        return msgspec.json.encode(
            {
                "accepted": accepted,
                "duplicates": duplicates,
                "rejected": _listed(rejected),
                "position": position,
            }
        )


def _judge(batch: Batch, request_id: str | None) -> _Judged:
    """What of a batch received now is to be recorded."""
    now = utc_now()
    good: list[EncodedHeartbeat] = []
    places: list[int] = []
    rejected: dict[int, Rejection] = {}
    for index, item in enumerate(batch.items):
        reason = item if isinstance(item, Rejection) else reason_to_reject(item, now)
        if reason is not None:
            rejected[index] = reason
        elif not isinstance(item, Rejection):
            good.append(encoded(item, now, request_id))
            places.append(index)
    return _Judged(good, places, rejected, batch.is_single)


def _refuse(rejected: dict[int, Rejection], *, is_single: bool) -> NoReturn:
    """Nothing was stored: a single heartbeat's own reason, or the list of a batch's."""
    if is_single:
        (reason,) = rejected.values()
        raise Invalid(reason.code, reason.detail, errors=reason.errors)
    raise Invalid(
        "batch_rejected", "Every heartbeat of the batch is wrong.", rejected=_listed(rejected)
    )


def _listed(rejected: dict[int, Rejection]) -> list[dict[str, Any]]:
    return [
        {"index": index, "code": reason.code, "detail": reason.detail}
        for index, reason in sorted(rejected.items())
    ]

"""Bad input over real HTTP: a problem document with a stable code, and nothing stored or lost."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from vehicle_tracker.schemas import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from vehicle_tracker.event_log import EventLog

VIN, UNKNOWN_VIN = "YS2R4X20005399401", "WVWZZZ1JZXW000001"
HEARTBEATS = "/api/v1/heartbeats"
SQL = "'; DROP TABLE vehicle_tracker_events; --"


def _heartbeat(**fields: Any) -> bytes:
    return json.dumps({"vin": VIN, **fields}).encode()


CASES: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "not JSON": (b"hello", {}, 400, "malformed_json"),
    "empty": (b"", {}, 400, "malformed_json"),
    "wrong type": (_heartbeat(speed_kmh="fast"), {}, 422, "invalid_heartbeat"),
    "NaN": (b'{"vin": "%s", "speed_kmh": NaN}' % VIN.encode(), {}, 400, "malformed_json"),
    "latitude 91": (_heartbeat(latitude=91, longitude=0), {}, 422, "invalid_heartbeat"),
    "half a position": (_heartbeat(latitude=59), {}, 422, "invalid_heartbeat"),
    "naive time": (_heartbeat(recorded_at="2026-01-31T12:00:00"), {}, 422, "invalid_heartbeat"),
    "100,000 items": (json.dumps([{"vin": VIN}] * 100_000).encode(), {}, 413, "batch_too_large"),
    "50 MB": (b" " * 50_000_000, {}, 413, "body_too_large"),
    "gzip bomb": (
        gzip.compress(bytes(500_000_000)), {"Content-Encoding": "gzip"}, 413, "body_too_large"
    ),
    "torn gzip": (
        gzip.compress(_heartbeat())[:-4], {"Content-Encoding": "gzip"}, 400, "malformed_gzip"
    ),
    "unknown encoding": (_heartbeat(), {"Content-Encoding": "br"}, 415, "unsupported_encoding"),
    "unknown VIN": (_heartbeat(vin=UNKNOWN_VIN), {}, 404, "unknown_vehicle"),
    "VIN with O": (_heartbeat(vin=VIN[:-1] + "O"), {}, 422, "invalid_heartbeat"),
    "invalid UTF-8": (b'{"vin": "\xff"}', {}, 400, "malformed_json"),
    "half a surrogate": (b'{"vin": "\\ud800"}', {}, 400, "malformed_json"),
    "the same key twice": (b'{"vin": "a", "vin": "a"}', {}, 400, "duplicate_key"),
    "an unknown field": (_heartbeat(lattitude=59), {}, 422, "invalid_heartbeat"),
    "SQL for a VIN": (_heartbeat(vin=SQL), {}, 422, "invalid_heartbeat"),
    "a list of nonsense": (b"[1, null, []]", {}, 422, "batch_rejected"),
    "nested deep": (b"[" * 100_000, {}, 400, "nested_too_deep"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_bad_heartbeat_is_refused_with_its_code(
    name: str,
    write_client: FlaskClient,
    register: Callable[..., Any],
    event_log: EventLog,
) -> None:
    """Each kind of bad heartbeat has its code, and the log is exactly as it was."""
    register()
    body, headers, status, code = CASES[name]
    before = event_log.head()
    answer = write_client.post(HEARTBEATS, data=body, headers=headers)
    assert answer.content_type == "application/problem+json"
    assert (answer.status_code, answer.json["status"], answer.json["code"]) == (
        status,
        status,
        code,
    )
    assert answer.json["type"].endswith(code)
    assert "Traceback" not in answer.text
    assert event_log.head() == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/api/v1/customers", {"name": "Kalle 🚚", "address": "A"}, 422, "invalid_request"),
        ("POST", "/api/v1/customers", {"name": "K\x00", "address": "A"}, 422, "invalid_request"),
        ("POST", "/api/v1/customers", {"name": "K" * 121, "address": "A"}, 422, "invalid_request"),
        ("POST", "/api/v1/customers", {"name": 5, "address": "A"}, 422, "invalid_request"),
        ("POST", "/api/v1/customers", [], 422, "invalid_request"),
        ("POST", "/api/v1/customers", None, 422, "invalid_request"),
        ("PATCH", f"/api/v1/customers/{SQL}", {"name": "K"}, 404, "not_found"),
        ("POST", "/api/v1/vehicles", {"vin": VIN, "customer_id": SQL}, 422, "invalid_request"),
        ("PATCH", f"/api/v1/vehicles/{SQL}", {"labels": {}}, 404, "unknown_vehicle"),
        ("PATCH", "/api/v1/vehicles/%00", {"labels": {}}, 404, "unknown_vehicle"),
        ("DELETE", f"/api/v1/vehicles/{SQL}", None, 404, "unknown_vehicle"),
        ("DELETE", "/api/v1/customers/x", None, 404, "not_found"),
        ("PUT", "/api/v1/customers", None, 405, "method_not_allowed"),
        ("POST", "/nowhere", None, 404, "not_found"),
        ("POST", "/api/v1/vehicles/import", {"vin": VIN}, 415, "unsupported_media_type"),
        ("POST", f"/api/v1/vehicles/{SQL}/heartbeats", None, 422, "invalid_heartbeat"),
    ],
)
def test_a_bad_command_is_refused_with_its_code(
    method: str,
    path: str,
    body: Any,
    status: int,
    code: str,
    write_client: FlaskClient,
    event_log: EventLog,
) -> None:
    """Each bad command has its code, names what was expected, and leaves the log as it was."""
    answer = write_client.open(path, method=method, json=body)
    assert answer.content_type == "application/problem+json"
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.json["detail"]
    assert event_log.head() == 0


def test_a_clock_ten_minutes_ahead_is_refused(
    write_client: FlaskClient, register: Callable[..., Any], event_log: EventLog
) -> None:
    """A heartbeat from the future has its code, and the log is exactly as it was."""
    register()
    before = event_log.head()
    ahead = rfc3339(datetime.now(UTC) + timedelta(minutes=10))
    answer = write_client.post(HEARTBEATS, data=_heartbeat(recorded_at=ahead))
    assert (answer.status_code, answer.json["code"]) == (422, "recorded_in_future")
    assert event_log.head() == before


def test_an_error_names_every_wrong_field(write_client: FlaskClient) -> None:
    """One answer is enough to mend all that is wrong."""
    wrong = {"vin": "x", "registration_number": "", "customer_id": "y", "labels": {"a": 1}, "z": 1}
    answer = write_client.post("/api/v1/vehicles", json=wrong)
    assert set(answer.json["errors"]) == {
        "vin", "registration_number", "customer_id", "labels.a.value", "z",
    }  # fmt: skip
    assert all(field in answer.json["detail"] for field in answer.json["errors"])


def test_of_many_wrong_fields_the_first_are_named(
    write_client: FlaskClient, register: Callable[..., Any]
) -> None:
    """However many are wrong, the answer is short: whoever mends those is told of the next."""
    register()
    wrong = {str(number): 1 for number in range(1_000)}
    for method, path, body in (
        ("POST", HEARTBEATS, {"vin": VIN, **wrong}),
        ("POST", HEARTBEATS, {"vin": VIN, "attributes": dict.fromkeys(wrong)}),
        ("PATCH", f"/api/v1/vehicles/{VIN}", {"labels": wrong}),
    ):
        answer = write_client.open(path, method=method, json=body)
        assert (answer.status_code, len(answer.json["errors"])) == (422, 20)
        assert all(field in answer.json["detail"] for field in answer.json["errors"])
        assert len(answer.data) < 5_000


def test_a_body_of_another_type_is_refused(write_client: FlaskClient) -> None:
    """A form is not JSON: the answer says which content type to send."""
    answer = write_client.post("/api/v1/customers", data={"name": "Kalle"})
    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")
    assert "application/json" in answer.json["detail"]


def test_an_answer_carries_the_request_s_id(write_client: FlaskClient) -> None:
    """A request's id comes back, so that it can be found in the logs; nonsense is replaced."""
    given = write_client.get("/health/live", headers={"X-Request-ID": "abc-123"})
    assert given.headers["X-Request-ID"] == "abc-123"
    made = write_client.get("/health/live", headers={"X-Request-ID": "a b\tc"})
    assert len(made.headers["X-Request-ID"]) == 32

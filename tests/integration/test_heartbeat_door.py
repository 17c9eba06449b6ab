"""Two doors, one answer: heartbeats are taken before Flask, and there it is as it is in Flask."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from vehicle_tracker.event_log import EventLog

VIN, UNKNOWN_VIN = "YS2R4X20005399401", "WVWZZZ1JZXW000001"
HEARTBEATS, OF_ONE = "/api/v1/heartbeats", f"/api/v1/vehicles/{VIN}/heartbeats"
THROUGH_FLASK = {"X-Request-ID": "given"}
GOOD = {"vin": VIN, "recorded_at": "2026-01-31T12:00:00Z", "latitude": 59.1, "longitude": 17.6}
NDJSON = "application/x-ndjson; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        (HEARTBEATS, json.dumps(GOOD), "application/json"),
        (HEARTBEATS, json.dumps(GOOD), ""),
        (HEARTBEATS, json.dumps([GOOD, GOOD]), "Application/JSON; charset=utf-8"),
        (HEARTBEATS, json.dumps([GOOD, {"vin": UNKNOWN_VIN}, 7]), "application/json"),
        (HEARTBEATS, f"{json.dumps(GOOD)}\n{{", NDJSON),
        (HEARTBEATS, "[]", "application/json"),
        (HEARTBEATS, json.dumps([{"vin": UNKNOWN_VIN}]), "application/json"),
        (HEARTBEATS, json.dumps({"vin": UNKNOWN_VIN}), "application/json"),
        (HEARTBEATS, json.dumps(GOOD | {"latitude": 91}), "application/json"),
        (HEARTBEATS, "{", "application/json"),
        (HEARTBEATS, "", "application/json"),
        (HEARTBEATS, f'{{"vin": "{VIN}", "vin": "{VIN}"}}', "application/json"),
        (HEARTBEATS, json.dumps([GOOD] * 10_001), "application/json"),
        (HEARTBEATS, "x" * 8_000_001, "application/json"),
        (OF_ONE, json.dumps({"recorded_at": "2026-01-31T12:00:00Z"}), "application/json"),
        (OF_ONE, "[]", "application/json"),
        (OF_ONE, json.dumps({"vin": UNKNOWN_VIN}), "application/json"),
        (f"/api/v1/vehicles/{UNKNOWN_VIN}/heartbeats", "", ""),
        ("/api/v1/vehicles/nonsense/heartbeats", "", ""),
        ("/api/v1/vehicles//heartbeats", "", ""),
        (f"/api/v1/vehicles/{VIN}/x/heartbeats", "", ""),
    ],
    ids=lambda value: value[:30] or "none",
)
def test_both_doors_give_the_same_answer(
    path: str,
    body: str,
    content_type: str,
    write_client: FlaskClient,
    register: Callable[..., Any],
) -> None:
    """Status, headers and body: nobody can see through which door a heartbeat went."""
    register()
    write_client.post(HEARTBEATS, json=GOOD)
    write_client.post(OF_ONE, json={"recorded_at": "2026-01-31T12:00:00Z"})
    headers = {"Content-Type": content_type} if content_type else {}
    lean = write_client.post(path, data=body, headers=headers)
    through_flask = write_client.post(path, data=body, headers=headers | THROUGH_FLASK)
    assert lean.status == through_flask.status
    assert lean.json == through_flask.json
    assert through_flask.headers["X-Request-ID"] == "given"
    for answer in (lean, through_flask):
        answer.headers["X-Request-ID"] = "any"
    assert sorted(lean.headers) == sorted(through_flask.headers)


def test_both_doors_are_counted_as_one(
    write_client: FlaskClient, register: Callable[..., Any]
) -> None:
    """The metric of answers tells the route, the method and the status, whichever the door was."""
    register()

    def counted() -> dict[str, float]:
        lines = write_client.get("/metrics").text.splitlines()
        return {
            line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in lines
            if line.startswith("http_request_seconds_count{") and "write_service" in line
        }

    before = counted()
    for headers in ({}, THROUGH_FLASK):
        for path, item in ((HEARTBEATS, GOOD), (OF_ONE, {}), (HEARTBEATS, {"vin": UNKNOWN_VIN})):
            write_client.post(path, json=item, headers=headers)
    new = {key: value - before.get(key, 0) for key, value in counted().items() if "/heartb" in key}
    of_one = "/api/v1/vehicles/<vin>/heartbeats"
    expected = {(HEARTBEATS, 202): 2, (HEARTBEATS, 404): 2, (of_one, 202): 2}
    for (route, status), number in expected.items():
        (key,) = (one for one in new if f'route="{route}"' in one and f'status="{status}"' in one)
        assert 'method="POST"' in key
        assert new[key] == number


@pytest.mark.parametrize("path", [HEARTBEATS, OF_ONE])
@pytest.mark.parametrize("headers", [{}, THROUGH_FLASK], ids=["lean", "flask"])
def test_a_torn_body_is_no_heartbeat(
    path: str,
    headers: dict[str, str],
    write_client: FlaskClient,
    register: Callable[..., Any],
    event_log: EventLog,
) -> None:
    """If the sender goes away before the end of the body nothing is stored, not even a bare one."""
    register()
    before = event_log.head()
    torn = {"CONTENT_LENGTH": "50", "wsgi.input": io.BytesIO(b"")}
    answer = write_client.post(path, headers=headers, environ_overrides=torn)
    assert (answer.status_code, event_log.head()) == (400, before)

"""Both functions of deploy/serverless, invoked with what an API gateway sends."""

from __future__ import annotations

import base64
import gzip
import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.following import VINS, catch_up
from tests.running import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog

    Handler = Callable[[dict[str, Any], object], dict[str, Any]]

pytestmark = pytest.mark.usefixtures("settings", "fleet")


def function(name: str) -> Handler:
    """The handler of one function, as a cold start finds it."""
    path = Path(CHECKOUT, "deploy", "serverless", f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"cold_{name}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Handler = module.handler
    return handler


def event(
    method: str, path: str, query: str = "", body: bytes = b"", **headers: str
) -> dict[str, Any]:
    """A request as an HTTP API hands it on (payload format 2.0)."""
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {
            "host": "a1b2c3.execute-api.eu-north-1.amazonaws.com",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            "content-length": str(len(body)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        "requestContext": {
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8.5.0",
            },
            "stage": "$default",
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def decoded(answer: dict[str, Any]) -> Any:
    """The JSON body of an answer."""
    body = answer["body"]
    return json.loads(base64.b64decode(body) if answer["isBase64Encoded"] else body)


def test_a_packed_batch_is_recorded_and_found(event_log: EventLog, engine: Engine) -> None:
    """Heartbeats that come through the one function are found through the other."""
    beats = gzip.compress(json.dumps([{"vin": vin} for vin in VINS[:2]]).encode())
    packed = {"content_type": "application/json", "content_encoding": "gzip"}
    answer = function("heartbeats")(event("POST", "/api/v1/heartbeats", "", beats, **packed), None)
    assert answer["statusCode"] == 202
    told = decoded(answer)
    assert told["accepted"] == 2
    catch_up(event_log, engine)
    query = f"status=connected&limit=5&at_least={told['position']}"
    found = function("search")(event("GET", "/api/v1/vehicles", query), None)
    assert found["statusCode"] == 200
    assert {one["vin"] for one in decoded(found)["items"]} == set(VINS[:2])


def test_errors_are_the_services_own() -> None:
    """What is wrong with a heartbeat is told as a problem document, with its code."""
    told = event("POST", "/api/v1/heartbeats", "", b"{}", content_type="application/json")
    answer = function("heartbeats")(told, None)
    assert answer["statusCode"] == 422
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert decoded(answer)["code"] == "invalid_heartbeat"

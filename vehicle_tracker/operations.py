"""What an operator asks any process: whether it lives, whether it is ready, its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from vehicle_tracker.telemetry import metrics_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def add_operations(app: Flask, ready: Mapping[str, Callable[[], object]]) -> None:
    """Answer `/health/*` and `/metrics`.

    `ready` names what the process needs and how to try it: a check that raises is a failing part.
    """

    @app.get("/health/live")
    def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready")
    def is_ready() -> tuple[dict[str, Any], int]:
        ok: list[str] = []
        failing: dict[str, str] = {}
        for name, check in ready.items():
            try:
                check()
            except Exception as error:  # noqa: BLE001 # whatever it is, it is why we are not ready
                failing[name] = " ".join(str(error).split()) or type(error).__name__
            else:
                ok.append(name)
        return {"ok": ok, "failing": failing}, 503 if failing else 200

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(metrics_text(), content_type="text/plain; version=0.0.4; charset=utf-8")

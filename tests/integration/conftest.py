"""The write service over a fresh event log, in this process, on a real PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from write_service.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from vehicle_tracker.settings import Settings

VIN = "YS2R4X20005399401"
OTHER_VIN = "VLUR4X20009093588"


@pytest.fixture
def write_client(settings: Settings) -> FlaskClient:
    """A client of the write service."""
    return create_app(settings).test_client()


@pytest.fixture
def customer_id(write_client: FlaskClient) -> str:
    """A registered customer."""
    answer = write_client.post("/api/v1/customers", json={"name": "Kalle", "address": "Väg 1"})
    return str(answer.json["customer_id"])


@pytest.fixture
def register(write_client: FlaskClient, customer_id: str) -> Callable[..., Any]:
    """Registers a vehicle of the customer."""

    def register(vin: str = VIN, plate: str = "ABC123", **more: Any) -> Any:
        vehicle = {"vin": vin, "registration_number": plate, "customer_id": customer_id, **more}
        return write_client.post("/api/v1/vehicles", json=vehicle)

    return register

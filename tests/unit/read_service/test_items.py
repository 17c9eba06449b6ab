"""What is written by hand for speed is what the schemas document, field by field."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import pytest

from projections.customer_vehicles.model import (
    CustomerDocument,
    CustomerView,
    VehicleDocument,
    VehicleView,
)
from read_service import items, schemas
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.settings import Settings

if TYPE_CHECKING:
    from marshmallow import Schema

NOW = datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)
OWNER = UUID(int=1)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a log that is never opened."""
    monkeypatch.setenv("EVENT_LOG_URL", "postgresql://nowhere/log")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere/read")
    return replace(Settings.from_environment(), disconnect_after_s=120)


def _shown(item: Any, schema: Schema) -> dict[str, Any]:
    """The item as a client reads it, having every field of its schema and no other."""
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(item))
    schema.load(shown)
    assert set(shown) == set(schema.fields)
    return shown


VEHICLE = VehicleDocument(
    vehicle_id=UUID(int=2),
    vin="YS2R4X20005399401",
    version=1,
    registration_number="ABC123",
    customer_id=OWNER,
    labels={"depå": "Umeå"},
    registered_at=NOW - timedelta(days=1),
    last_heartbeat_at=NOW - timedelta(seconds=121),
    latitude=59.2,
    longitude=17.6,
    position_recorded_at=NOW - timedelta(minutes=9),
    attributes={"seat": True},
)
VIEW = VehicleView(VEHICLE, "Kalle", "Väg 1")


def test_a_vehicle(settings: Settings) -> None:
    """Times are UTC with `Z`, microseconds kept; the status is derived for the instant asked."""
    shown = _shown(items.vehicle_item(VIEW, NOW, settings, None), schemas.VehicleItem())
    assert shown["last_heartbeat_at"] == "2026-01-31T11:57:59.000001Z"
    assert (shown["status"], shown["status_since"]) == (
        "disconnected",
        "2026-01-31T11:59:59.000001Z",
    )
    assert (shown["attributes"], shown["labels"]) == ({"seat": True}, {"depå": "Umeå"})


def test_a_vehicle_of_the_demo(settings: Settings) -> None:
    """The old names, and online is connected."""
    shown = _shown(items.demo_item(VIEW, NOW, settings), schemas.DemoVehicle())
    assert shown["online"] is False
    earlier = items.demo_item(VIEW, NOW - timedelta(minutes=1), settings)
    assert earlier["online"] is True


def test_a_customer() -> None:
    """All its vehicles are the sum of those in each status."""
    customer = CustomerDocument(
        customer_id=OWNER, version=1, name="Kalle", address="", folded_name="", registered_at=NOW
    )
    counts: Any = {"connected": 1, "disconnected": 2, "never_seen": 3}
    shown = _shown(items.customer_item(CustomerView(customer, counts)), schemas.CustomerItem())
    assert shown["vehicles"] == 6


def test_a_heartbeat() -> None:
    """What was said and when; without a time of its own it is as old as its receipt."""
    event = HeartbeatRecorded(NOW, Heartbeat(vin=VEHICLE.vin, fuel_level=0.5))
    shown = _shown(items.heartbeat_item(event), schemas.HeartbeatItem())
    assert (shown["recorded_at"], shown["fuel_level"]) == ("2026-01-31T12:00:00.000001Z", 0.5)


def test_a_heartbeat_with_an_offset() -> None:
    """Wherever the vehicle's clock is set, its times are shown in UTC with `Z`."""
    said = Heartbeat(vin=VEHICLE.vin, recorded_at=NOW.astimezone(timezone(timedelta(hours=5))))
    shown = _shown(items.heartbeat_item(HeartbeatRecorded(NOW, said)), schemas.HeartbeatItem())
    assert shown["recorded_at"] == "2026-01-31T12:00:00.000001Z"

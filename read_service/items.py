"""Documents as the API shows them, by hand: 500 take 5 ms, through a schema 30 ms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response

from projections.customer_vehicles.model import status_of, status_since
from projections.customer_vehicles.said import MEASURED
from vehicle_tracker.domain.values import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from projections.customer_vehicles.model import CustomerView, VehicleView
    from projections.vehicle_search.model import VehiclePage
    from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
    from vehicle_tracker.settings import Settings

_SAID = ("latitude", "longitude", *MEASURED)


def answer(body: dict[str, Any] | list[Any]) -> Response:
    """The body as JSON. Instants are RFC 3339 in UTC with `Z`, microseconds kept.

    `answered_at` is what our clock says: a screen counts ages by it, not by its own clock.
    """
    if isinstance(body, dict):
        body = {**body, "answered_at": utc_now()}
    return Response(msgspec.json.encode(body), content_type="application/json")


def page_answer(
    page: VehiclePage, now: datetime, settings: Settings, open_trips: Mapping[UUID, UUID]
) -> Response:
    """A page of vehicles with its counts, and their open trips by vehicle."""
    return answer(page_body(page, now, settings, open_trips))


def page_body(
    page: VehiclePage, now: datetime, settings: Settings, open_trips: Mapping[UUID, UUID]
) -> dict[str, Any]:
    """The same, not written yet."""
    return {
        "items": [
            vehicle_item(view, now, settings, open_trips.get(view.vehicle.vehicle_id))
            for view in page.items
        ],
        **counts_of(page),
        "next_cursor": page.next_cursor,
        "position": page.position,
        "as_of": now,
    }


def counts_of(page: VehiclePage) -> dict[str, Any]:
    """How many vehicles were found, and what another choice would find."""
    return {
        "total": page.total,
        "facets": {"status": page.statuses, "customers": page.customers},
    }


def vehicle_item(
    view: VehicleView, now: datetime, settings: Settings, open_trip_id: UUID | None
) -> dict[str, Any]:
    """A vehicle as lists show it."""
    vehicle, default_s = view.vehicle, settings.disconnect_after_s
    status = status_of(view, now, default_s)
    return {
        "vin": vehicle.vin,
        "registration_number": vehicle.registration_number,
        "customer": {"customer_id": vehicle.customer_id, "name": view.customer_name},
        "labels": vehicle.labels or {},
        "status": status,
        "status_since": status_since(view, status, default_s),
        "registered_at": vehicle.registered_at,
        "open_trip_id": open_trip_id,
        "last_heartbeat_at": vehicle.last_heartbeat_at,
        "latitude": vehicle.latitude,
        "longitude": vehicle.longitude,
        "position_recorded_at": vehicle.position_recorded_at,
        "speed_kmh": vehicle.speed_kmh,
        "heading_deg": vehicle.heading_deg,
        "altitude_m": vehicle.altitude_m,
        "accuracy_m": vehicle.accuracy_m,
        "odometer_km": vehicle.odometer_km,
        "fuel_level": vehicle.fuel_level,
        "battery_level": vehicle.battery_level,
        "ignition": vehicle.ignition,
        "attributes": vehicle.attributes,
    }


def demo_item(view: VehicleView, now: datetime, settings: Settings) -> dict[str, Any]:
    """A vehicle as the demo this project grew from showed it."""
    vehicle = view.vehicle
    return {
        "id": vehicle.vin,
        "reg_no": vehicle.registration_number,
        "heartbeat_ts": vehicle.last_heartbeat_at,
        "online": status_of(view, now, settings.disconnect_after_s) == "connected",
        "customer": {
            "id": vehicle.customer_id,
            "name": view.customer_name,
            "address": view.customer_address,
        },
    }


def customer_item(view: CustomerView) -> dict[str, Any]:
    """A customer, with its vehicles counted by status."""
    customer = view.customer
    return {
        "customer_id": customer.customer_id,
        "name": customer.name,
        "address": customer.address,
        "registered_at": customer.registered_at,
        "disconnect_after_s": customer.disconnect_after_s,
        "trip_rules": customer.trip_rules,
        "vehicles": sum(view.statuses.values()),
        "status": view.statuses,
    }


def heartbeat_item(event: HeartbeatRecorded) -> dict[str, Any]:
    """A heartbeat: what the vehicle said, and when it was received."""
    said = {name: getattr(event.heartbeat, name, None) for name in _SAID}
    return {"recorded_at": event.recorded_at, "received_at": event.received_at, **said}

"""What Elasticsearch keeps of customers and vehicles: only what can be searched or sorted by."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from projections.text import folded

_folded = lru_cache(maxsize=100_000)(folded)
"""The same names, plates and labels come again with every heartbeat."""

_BETWEEN = "\x1f"
"""Between a label's key and value: a character that is in neither."""


class SearchedCustomer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What of a customer its vehicles are found by."""

    version: int
    customer_name: str
    disconnect_after_s: int | None = None


class SearchedVehicle(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A vehicle. Without `registered` only its heartbeats have been seen so far.

    Times are in microseconds since 1970.
    """

    vin: str
    version: int = 0
    registered: bool = False
    decommissioned: bool = False
    registration_number: str | None = None
    customer_id: str | None = None
    labels: dict[str, str] | None = None
    disconnect_after_s: int | None = None
    last_heartbeat_us: int | None = None
    placed_us: int | None = None
    latitude: float | None = None
    longitude: float | None = None


Document = SearchedCustomer | SearchedVehicle


class Key(NamedTuple):
    """Which document an event is folded into; `id` is the one it has in Elasticsearch."""

    kind: type[Document]
    id: str


def customer_source(customer: SearchedCustomer) -> bytes:
    """A customer as it is kept."""
    return msgspec.json.encode({"kind": "customer", **msgspec.to_builtins(customer)})


def vehicle_source(vehicle: SearchedVehicle, owner: SearchedCustomer | None) -> bytes:
    """A vehicle as it is kept: itself, and what it is found by.

    The customer's name and limit are no part of the vehicle: whoever keeps it puts them in, and
    again when they are others. The default limit is in no document, but in what is asked: so
    without a limit of anybody's there is no `connected_until_us`.
    """
    labels = vehicle.labels or {}
    customer = _folded(owner.customer_name) if owner else ""
    tokens = [
        vehicle.vin.casefold(),
        _folded(vehicle.registration_number or "").replace(" ", ""),
        *(token for key, value in labels.items() for token in _folded(f"{key}={value}").split()),
        *customer.split(),
    ]
    found_by: dict[str, Any] = {
        "kind": "vehicle",
        "in_use": vehicle.registered and not vehicle.decommissioned,
        "customer_folded": customer,
        "label": [label(key, value) for key, value in labels.items()],
        "tokens": tokens,
        "words": " ".join(tokens).replace("=", " "),
    }
    if vehicle.latitude is not None:
        found_by["location"] = [vehicle.longitude, vehicle.latitude]
    limits = (vehicle.disconnect_after_s, owner.disconnect_after_s if owner else None)
    limit_s = next((limit for limit in limits if limit is not None), None)
    if limit_s is not None and vehicle.last_heartbeat_us is not None:
        found_by["connected_until_us"] = vehicle.last_heartbeat_us + limit_s * 1_000_000
    return msgspec.json.encode({**found_by, **msgspec.to_builtins(vehicle)})


def label(key: str, value: str) -> str:
    """A label as it is asked for."""
    return f"{key}{_BETWEEN}{value}"


def decoded(kind: type[Document], kept: Any) -> Document:
    """The document that was kept."""
    return msgspec.convert(kept, kind)

"""A vehicle as Elasticsearch keeps it: only what it is found, filtered, sorted or counted by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from projections.customer_vehicles.cells import COLUMNS
from projections.text import folded
from vehicle_tracker.domain.values import to_microseconds

if TYPE_CHECKING:
    from sqlalchemy import Row

GONE = msgspec.json.encode({"kind": "gone"})
"""What stays of a vehicle that is not in use: whoever comes late cannot bring it back."""

_BETWEEN = "\x1f"
"""Between a label's key and value: a character that is in neither."""

IN_A_ROW = 3
"""Fragments are found by rows of so many characters."""

BEGINNINGS = range(3, 21)
"""By beginnings of so many characters words are found, and as a whole."""

_GAP = (IN_A_ROW - 1) * " "
"""Between words: so a row begins at each of their characters, and none is of two words."""


def source(vehicle: Row[Any]) -> bytes:
    """A row of `vehicle_search.changes` as it is kept.

    The status is what was judged of it last. Only of a vehicle that was judged silent it is said
    when it was heard, for only then no heartbeat can have come since without another document. The
    default limit is in no document, but in what is asked.
    """
    if not vehicle.in_use:
        return GONE
    labels: dict[str, str] = msgspec.json.decode(vehicle.labels or "{}")
    own = [
        vehicle.vin.casefold(),
        folded(vehicle.registration_number or "").replace(" ", ""),
        *(token for key, value in labels.items() for token in folded(f"{key}={value}").split()),
    ]
    tokens = [*own, *vehicle.customer_folded.split()]
    found_by: dict[str, Any] = {
        "kind": "vehicle",
        "vin": vehicle.vin,
        "registration_number": vehicle.registration_number,
        "customer_id": vehicle.customer_id,
        "customer_folded": vehicle.customer_folded,
        "label": [label(key, value) for key, value in labels.items()],
        "fragments": "".join(token + _GAP for token in own),
        "words": " ".join(tokens).replace("=", " "),
        "status": "connected",
    }
    if vehicle.grid_cell is not None:
        found_by["grid_row"], found_by["grid_column"] = divmod(vehicle.grid_cell, COLUMNS)
    if vehicle.limit_s is not None:
        found_by["limit_s"] = vehicle.limit_s
    if vehicle.last_heartbeat_at is None:
        found_by["status"] = "never_seen"
    elif vehicle.connected_until is not None:
        heard_us = to_microseconds(vehicle.last_heartbeat_at)
        found_by |= {"status": "disconnected", "last_heartbeat_us": heard_us}
        if vehicle.limit_s is not None:
            found_by["connected_until_us"] = heard_us + vehicle.limit_s * 1_000_000
    return msgspec.json.encode(found_by)


def is_beginning(word: str) -> bool:
    """Whether any text that has a word that begins so is found by it in `words`."""
    return len(word) in BEGINNINGS and "=" not in word


def label(key: str, value: str) -> str:
    """A label as it is asked for."""
    return f"{key}{_BETWEEN}{value}"

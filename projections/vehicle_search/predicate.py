"""What a query asks, of one vehicle that is at hand: the same as the searches, without a server.

It lets a bit more through: a word may begin a word with one typo even where another vehicle has
it as it is. Whether one has is not asked for each vehicle that changes.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from projections.customer_vehicles.model import status_of
from projections.text import folded
from projections.vehicle_search.model import EARTH_RADIUS_KM, SHORTEST_FORGIVEN
from projections.vehicle_search.words import words

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from projections.customer_vehicles.model import VehicleDocument, VehicleView
    from projections.vehicle_search.model import Box, Circle, VehicleQuery


def matches(query: VehicleQuery, view: VehicleView, now: datetime, disconnect_after_s: int) -> bool:
    """Whether the vehicle, which is in use, is among those that are asked for at `now`."""
    vehicle, labels = view.vehicle, view.vehicle.labels or {}
    return (
        (not query.customer_ids or vehicle.customer_id in query.customer_ids)
        and (not query.statuses or status_of(view, now, disconnect_after_s) in query.statuses)
        and (query.silent_for is None or _is_silent(vehicle, now, query.silent_for))
        and all(labels.get(key) == value for key, value in query.labels)
        and (query.box is None or in_box(vehicle, query.box))
        and (query.near is None or near(vehicle, query.near))
        and (not query.q or _has_words(view, query.q))
    )


def _is_silent(vehicle: VehicleDocument, now: datetime, silent_for: timedelta) -> bool:
    return vehicle.last_heartbeat_at is not None and vehicle.last_heartbeat_at < now - silent_for


def in_box(vehicle: VehicleDocument, box: Box) -> bool:
    """Whether its last known place is in the rectangle."""
    if vehicle.latitude is None or vehicle.longitude is None:
        return False
    east, west = vehicle.longitude <= box.east, vehicle.longitude >= box.west
    between = (east and west) if box.west <= box.east else (east or west)
    return box.south <= vehicle.latitude <= box.north and between


def near(vehicle: VehicleDocument, circle: Circle) -> bool:
    """Whether its last known place is in the circle, along a sphere."""
    if vehicle.latitude is None or vehicle.longitude is None:
        return False
    here, there = math.radians(vehicle.latitude), math.radians(circle.latitude)
    across = math.radians(vehicle.longitude - circle.longitude)
    haversine = (
        math.sin((here - there) / 2) ** 2
        + math.cos(here) * math.cos(there) * math.sin(across / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, haversine))) <= circle.km


def _has_words(view: VehicleView, q: str) -> bool:
    own, name = view.vehicle.search_text, _folded(view.customer_name)
    return all(
        word in own
        or word in name
        or (
            len(word) >= SHORTEST_FORGIVEN
            and (begins_nearly(own.replace("=", " "), word) or begins_nearly(name, word))
        )
        for word in _words(q)
    )


def begins_nearly(text: str, word: str) -> bool:
    """Whether a word of the text begins with this one, which has one typo or none."""
    starts = [0, *(at + 1 for at, character in enumerate(text) if character == " ")]
    return any(_nearly_at(text, start, word) for start in starts)


def _nearly_at(text: str, start: int, word: str) -> bool:
    """The first difference is the typo: what is said after it must be there as it is."""
    same = 0
    while same < len(word) and text[start + same : start + same + 1] == word[same]:
        same += 1
    at, said = start + same, word[same:]
    return (
        text.startswith(said[1:], at)  # one too many was said, or it is the same
        or text.startswith(said[1:], at + 1)  # another was said
        or text.startswith(said, at + 1)  # one too few was said
        or (len(said) > 1 and text.startswith(said[1] + said[0] + said[2:], at))
    )


@lru_cache(maxsize=2_000)
def _words(q: str) -> tuple[str, ...]:
    return tuple(words(q))


@lru_cache(maxsize=20_000)
def _folded(name: str) -> str:
    return folded(name)

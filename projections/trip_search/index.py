"""The index of trips: only what they are found by, and of that nothing that other events change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from projections.elasticsearch_index import KEYWORD, POSITION_FIELDS, Definition
from vehicle_tracker.domain.values import to_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Row

DECIMALS = 3
"""Places are rounded to a hundred metres: a trip has fewer of those. PostgreSQL knows better."""

GONE = msgspec.json.encode({"kind": "gone"})
"""What stays of a trip that is none any more: whoever comes late cannot bring it back."""

DEFINITION = Definition(
    format=1,
    settings={
        # One shard, so that whoever sees the position sees everything that was stored before it.
        "number_of_shards": 1,
        "number_of_replicas": 0,
        "refresh_interval": "500ms",
    },
    mappings={
        "dynamic": "strict",
        "properties": {
            **POSITION_FIELDS,
            "trip_id": KEYWORD,
            "vin": {"type": "keyword", "doc_values": False},
            "customer_id": {"type": "keyword", "doc_values": False},
            "tokens": {"type": "keyword", "doc_values": False},
            # Whole microseconds: Elasticsearch's own dates end at milliseconds.
            "started_us": {"type": "long"},
            "ended_us": {"type": "long"},
            "places": {"type": "geo_point", "doc_values": False},
        },
    },
)


def source(trip: Row[Any]) -> bytes:
    """A row of `trip` as it is found. Without an `ended_us` it is open, and in no box yet."""
    found_by = {
        "kind": "trip",
        "trip_id": trip.trip_id,
        "vin": trip.vin,
        "tokens": trip.folded_driver.split(),
        "started_us": to_microseconds(trip.started_at),
        "places": _rounded(zip(trip.longitudes, trip.latitudes, strict=True)),
    }
    if trip.customer_id:
        found_by["customer_id"] = trip.customer_id
    if trip.ended_at:
        found_by["ended_us"] = to_microseconds(trip.ended_at)
    return msgspec.json.encode(found_by)


def _rounded(places: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """As [longitude, latitude]; what is no place on earth would be refused with the trip."""
    return sorted(
        {
            (round(longitude, DECIMALS), round(latitude, DECIMALS))
            for longitude, latitude in places
            if abs(longitude) <= 180 and abs(latitude) <= 90  # noqa: PLR2004 # degrees
        }
    )

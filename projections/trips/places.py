"""Where a vehicle was on a trip: by that a trip is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projections.trips.measure import Reading
    from projections.trips.model import Trip


def with_places(trip: Trip, readings: Iterable[Reading]) -> Trip:
    """The trip with the places of its heartbeats."""
    places = [place for reading in readings if (place := reading.place)]
    latitudes = [place.latitude for place in places]
    longitudes = [place.longitude for place in places]
    return replace(
        trip,
        latitudes=latitudes,
        longitudes=longitudes,
        south=min(latitudes, default=None),
        north=max(latitudes, default=None),
        west=min(longitudes, default=None),
        east=max(longitudes, default=None),
    )

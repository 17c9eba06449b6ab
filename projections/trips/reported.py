"""The reported trips as they are kept: what was said of them, and what their vehicles measured."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from projections.text import folded
from projections.trips import model
from projections.trips.measure import Measured, Place, mean_kmh, measure
from projections.trips.places import with_places
from vehicle_tracker.domain.trip import Trip
from vehicle_tracker.domain.values import vehicle_stream

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from projections.trips.measure import Reading

_NOTHING = timedelta()


def told(trip: model.Trip | None, event: Trip.Created | Trip.Ended) -> model.Trip:
    """A reported trip after one of its events, however often it was told before.

    An end of a trip that never began raises `LookupError`.
    """
    if isinstance(event, Trip.Created):
        return _begun(trip, event)
    if trip is None or trip.said is None:
        raise LookupError(f"trip {event.originator_id} never began")
    end = _place(event.latitude, event.longitude)
    said = replace(trip.said, end=end, end_odometer_km=event.odometer_km)
    return replace(trip, ended_at=event.ended_at, said=said)


def over(trip: model.Trip, readings: Iterable[Reading]) -> model.Trip:
    """The trip as its vehicle's heartbeats on the way measure it; open it is not measured yet."""
    if trip.ended_at is None:
        return trip
    on_the_way = list(readings)
    measured = measured_with(trip, on_the_way, trip.ended_at)
    return replace(with_places(trip, on_the_way), measured=measured)


def measured_with(trip: model.Trip, readings: Iterable[Reading], until: datetime) -> Measured:
    """What a reported trip measures until an instant: by what was said of it, else as heard."""
    heard, said = measure(readings), trip.said or model.Said()
    distance, by = heard.distance_km, heard.distance_by
    first, last = said.start_odometer_km, said.end_odometer_km
    if first is not None and last is not None and last >= first:
        distance, by = last - first, "odometer"
    return Measured(
        distance,
        by,
        heard.maximum_speed_kmh,
        mean_kmh(distance, max(until - trip.started_at, _NOTHING)),
        said.start or heard.start,
        said.end or heard.end,
    )


def _begun(trip: model.Trip | None, event: Trip.Created) -> model.Trip:
    start = _place(event.latitude, event.longitude)
    said = replace(
        (trip and trip.said) or model.Said(), start=start, start_odometer_km=event.odometer_km
    )
    begun = model.Trip(
        trip_id=event.originator_id,
        source="reported",
        vehicle_id=vehicle_stream(event.vin),
        vin=event.vin,
        customer_id=None,
        driver=event.driver,
        folded_driver=folded(event.driver or ""),
        started_at=event.started_at,
        said=said,
    )
    return replace(begun, ended_at=trip.ended_at) if trip else begun


def _place(latitude: float | None, longitude: float | None) -> Place | None:
    return None if latitude is None or longitude is None else Place(latitude, longitude)

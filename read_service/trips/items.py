"""Trips and their tracks as the API shows them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gpxpy.gpx import GPX, GPXTrack, GPXTrackPoint, GPXTrackSegment
from msgspec.structs import asdict

from projections.trips.measure import Measured, Reading
from projections.trips.reported import measured_with

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from projections.trips.measure import Place
    from projections.trips.model import Trip, TripView
    from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
    from vehicle_tracker.event_log import EventLog

_MICROSECOND = timedelta(microseconds=1)
"""The log's ranges are open below; a trip's first heartbeat is a part of it."""

METRES, TENTHS = 3, 1
"""Decimals of km and of km/h: no vehicle measures them better."""

_UNKNOWN = Measured(None, None, None, None, None, None)


def trip_item(view: TripView, log: EventLog, now: datetime) -> dict[str, Any]:
    """A trip as lists show it. One that was reported and is open is measured now."""
    trip = view.trip
    until = trip.ended_at or max(now, trip.started_at)
    measured = trip.measured or _so_far(trip, log, until)
    return {
        "trip_id": trip.trip_id,
        "source": trip.source,
        "vin": trip.vin,
        "registration_number": view.registration_number,
        "customer": {"customer_id": trip.customer_id, "name": view.customer_name},
        "driver": trip.driver,
        "started_at": trip.started_at,
        "ended_at": trip.ended_at,
        "duration_s": (until - trip.started_at).total_seconds(),
        "start": _place(measured.start),
        "end": _place(measured.end),
        "distance_km": _rounded(measured.distance_km, METRES),
        "distance_by": measured.distance_by,
        "maximum_speed_kmh": _rounded(measured.maximum_speed_kmh, TENTHS),
        "mean_speed_kmh": _rounded(measured.mean_speed_kmh, TENTHS),
    }


def heartbeats_of(trip: Trip, log: EventLog) -> list[HeartbeatRecorded]:
    """The heartbeats of a trip by `recorded_at`; of an open one, those so far."""
    return log.heartbeats(trip.vin, after=trip.started_at - _MICROSECOND, until=trip.ended_at)


def geojson(item: dict[str, Any], heartbeats: Sequence[HeartbeatRecorded]) -> dict[str, Any]:
    """The track as a GeoJSON Feature."""
    placed = [one for one in heartbeats if one.heartbeat.latitude is not None]
    coordinates = [[one.heartbeat.longitude, one.heartbeat.latitude] for one in placed]
    geometry: dict[str, Any] | None = {"type": "LineString", "coordinates": coordinates}
    if len(coordinates) == 1:
        geometry = {"type": "Point", "coordinates": coordinates[0]}
    return {
        "type": "Feature",
        "id": item["trip_id"],
        "geometry": geometry if coordinates else None,
        "properties": {**item, "times": [one.recorded_at for one in placed]},
    }


def gpx(item: dict[str, Any], heartbeats: Sequence[HeartbeatRecorded]) -> str:
    """The track as GPX 1.1."""
    segment = GPXTrackSegment(
        [
            GPXTrackPoint(said.latitude, said.longitude, said.altitude_m, one.recorded_at)
            for one in heartbeats
            if (said := one.heartbeat).latitude is not None
        ]
    )
    track = GPXTrack(name=f"{item['registration_number']} {item['started_at']:%Y-%m-%d %H:%M}")
    track.segments.append(segment)
    document = GPX()
    document.creator = "vehicle-tracker"
    document.tracks.append(track)
    return str(document.to_xml(version="1.1"))


def _so_far(trip: Trip, log: EventLog, until: datetime) -> Measured:
    if trip.source == "derived":
        return _UNKNOWN
    return measured_with(trip, map(Reading.of, heartbeats_of(trip, log)), until)


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals)


def _place(place: Place | None) -> dict[str, float] | None:
    return asdict(place) if place else None

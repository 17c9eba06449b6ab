"""A fleet that drives, and what is asked about it over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.following import record
from vehicle_tracker.domain.trip import Trip

if TYPE_CHECKING:
    from vehicle_tracker.event_log import EventLog

VIN, OTHER_VIN = "YS2R4X20005399401", "VLUR4X20009093588"
START = datetime.now(UTC).replace(microsecond=250_000) - timedelta(hours=6)
MINUTE = timedelta(minutes=1)


def drive(log: EventLog, first: int, minutes: int, vin: str = VIN, **said: Any) -> None:
    """Go north from a minute after the start on, then stand for seven minutes."""
    for minute in range(first, first + minutes):
        place = {"latitude": 59.0 + minute / 100, "longitude": 18.0}
        record(log, vin, START + minute * MINUTE, **{"speed_kmh": 60.0, **place, **said})
    for minute in range(first + minutes, first + minutes + 7):
        record(log, vin, START + minute * MINUTE, speed_kmh=0.0)


def told_of(started_at: datetime, vin: str = VIN, **said: Any) -> Trip:
    """A trip that somebody told of."""
    nothing = dict.fromkeys(("latitude", "longitude", "odometer_km", "driver"))
    return Trip(vin=vin, started_at=started_at, **{**nothing, **said})


def expect(answer: Any, schema: Any, content_type: str = "application/json") -> Any:
    """The body of a 200 that is what its schema says."""
    assert answer.status_code == 200, answer.text
    assert answer.content_type == content_type
    schema.load(answer.json)
    return answer.json

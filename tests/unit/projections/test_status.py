"""What a vehicle is, since when, and by whose limit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from projections.customer_vehicles.model import (
    VehicleDocument,
    VehicleView,
    limit_of,
    status_of,
    status_since,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SEEN = VehicleDocument(
    vehicle_id=UUID(int=1),
    vin="YS2R4X20005399401",
    registered_at=NOW - timedelta(days=1),
    last_heartbeat_at=NOW,
)
OWN = replace(SEEN, disconnect_after_s=30)
SHORT, LONG = timedelta(seconds=30), timedelta(hours=1)


@pytest.mark.parametrize(
    ("own", "customers", "limit"), [(None, None, 120), (30, None, 30), (None, 60, 60), (30, 60, 30)]
)
def test_whose_limit_holds(own: int | None, customers: int | None, limit: int) -> None:
    """The vehicle's own, else its customer's, else that of all."""
    view = VehicleView(replace(SEEN, disconnect_after_s=own), "Kalle", "", customers)
    assert limit_of(view, 120) == limit


@pytest.mark.parametrize(
    ("view", "age_s", "status", "since"),
    [
        (VehicleView(replace(SEEN, last_heartbeat_at=None), ""), 0, "never_seen", -86_400),
        (VehicleView(SEEN, ""), 120, "connected", None),
        (VehicleView(SEEN, ""), -300, "connected", None),
        (VehicleView(SEEN, ""), 120.000001, "disconnected", 120),
        (VehicleView(OWN, "", "", 600), 30.000001, "disconnected", 30),
        (VehicleView(SEEN, "", "", 600), 600, "connected", None),
        (VehicleView(SEEN, "", "", 600), 600.000001, "disconnected", 600),
    ],
)
def test_status(view: VehicleView, age_s: float, status: str, since: float | None) -> None:
    """Connected while the newest heartbeat is at most as old as its limit, to the microsecond."""
    now = NOW + timedelta(seconds=age_s)
    assert status_of(view, now, 120) == status
    expected = None if since is None else NOW + timedelta(seconds=since)
    assert status_since(view, status_of(view, now, 120), 120) == expected


@pytest.mark.parametrize(
    ("since", "until", "answer"),
    [
        (NOW - LONG, None, NOW - LONG),
        (NOW, None, NOW),
        (NOW - LONG, NOW + SHORT, NOW - LONG),
        (NOW - LONG, NOW, NOW - LONG),
        (NOW - LONG, NOW - SHORT, None),
        (NOW + SHORT, None, None),
        (None, None, None),
        (None, NOW + SHORT, None),
    ],
)
def test_since_when_it_is_connected(
    since: datetime | None, until: datetime | None, answer: datetime | None
) -> None:
    """Since the stretch began that its newest heartbeat is in; null if that was not judged yet."""
    view = VehicleView(SEEN, "", "", None, since, until)
    assert status_since(view, status_of(view, NOW, 120), 120) == answer
    long_after = NOW + timedelta(days=1)
    since = status_since(view, status_of(view, long_after, 120), 120)
    assert since == NOW + timedelta(seconds=120)

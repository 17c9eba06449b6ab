"""Trips in a vehicle's timeline."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from read_service.past.schemas import Timeline
from tests.driving import MINUTE, START, VIN, drive, expect, told_of
from vehicle_tracker.domain.trip import OpenTrip

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from vehicle_tracker.event_log import EventLog

URL = f"/api/v1/vehicles/{VIN}/timeline"


@pytest.mark.usefixtures("owner")
def test_derived_trips_are_in_the_timeline(
    read_client: FlaskClient, event_log: EventLog, follow: Callable[[], int]
) -> None:
    """They began and ended where and when their heartbeats say; page by page they come once."""
    for first in (0, 60, 120):
        drive(event_log, first, 10)
    follow()
    items = expect(read_client.get(URL), Timeline())["items"]
    edges = [one for one in items if one.get("source") == "derived"]
    assert [one["type"] for one in edges] == ["trip_ended", "trip_started"] * 3
    assert datetime.fromisoformat(edges[1]["at"]) == START + 120 * MINUTE
    assert (edges[1]["latitude"], edges[1]["longitude"]) == (60.2, 18.0)
    assert datetime.fromisoformat(edges[0]["at"]) == START + 130 * MINUTE
    for limit in (1, 2, 3):
        told, cursor = [], ""
        while cursor is not None:
            page = expect(read_client.get(f"{URL}?limit={limit}{cursor}"), Timeline())
            told += page["items"]
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        assert told == items


@pytest.mark.usefixtures("owner")
def test_a_reported_trip_stands_for_the_derived_one(
    read_client: FlaskClient, event_log: EventLog, follow: Callable[[], int]
) -> None:
    """What somebody told of is not told twice."""
    drive(event_log, 0, 10)
    trip = told_of(START, driver="Åsa")
    trip.end(VIN, START + 10 * MINUTE, None, None, None)
    opened = OpenTrip(VIN, trip.id)
    opened.close(trip.id)
    event_log.save(trip, opened)
    follow()
    items = expect(read_client.get(URL), Timeline())["items"]
    assert [one["source"] for one in items if "source" in one] == ["reported"] * 2

"""What is told of vehicles that changed: shown, gone, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest

from projections.customer_vehicles.model import VehicleDocument, VehicleView
from projections.vehicle_search.model import VehicleQuery
from read_service.live.news import News, Seen, Touched

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
VIN, OWNER, OTHER = "YS2R4X20005399401", UUID(int=1), UUID(int=2)
SETTINGS: Any = SimpleNamespace(disconnect_after_s=120)
ALL, NONE = frozenset[str](), frozenset({"WVWZZZ1JZXW000001"})
SILENT = VehicleQuery(statuses=("disconnected",))
LIVE = VehicleQuery(statuses=("connected",))
THEIRS = VehicleQuery(customer_ids=(OWNER,))


def _seen(age_s: float | None, minutes: float = 0, owner: UUID = OWNER) -> Seen:
    """A vehicle that had sent so long before noon, as it was seen so many minutes before noon."""
    last = None if age_s is None else NOW - timedelta(seconds=age_s)
    document = VehicleDocument(
        vehicle_id=UUID(int=9),
        vin=VIN,
        customer_id=owner,
        registered_at=NOW,
        last_heartbeat_at=last,
    )
    return Seen(VehicleView(document, "Kalle"), NOW - timedelta(minutes=minutes))


def _told(query: VehicleQuery, now: Seen, before: Seen | None, *, decided: bool = False) -> str:
    """What is told of the vehicle: the event's name, or that it is needless."""
    touched = Touched(VIN, 7, decided, now, before)
    told = News({UUID(int=9): touched}, 7, SETTINGS).told(query, ALL)
    if VIN not in told:
        return "nothing"
    name = told[VIN].text.split(b"\n")[0].removeprefix(b"event: ").decode()
    return "needless" if told[VIN].needless else name


NOT_IN_USE = Seen(None, NOW)


@pytest.mark.parametrize(
    ("query", "now", "before", "told"),
    [
        (SILENT, _seen(200), None, "vehicle"),
        (SILENT, _seen(0), None, "gone"),
        # connected then and now; silent until just now; silent then
        (SILENT, _seen(0), _seen(60, 1), "needless"),
        (SILENT, _seen(0), _seen(130, 2), "gone"),
        (SILENT, _seen(0), _seen(600, 2), "gone"),
        # connected when it was seen, and its limit has passed since
        (LIVE, _seen(130), _seen(130, 2), "gone"),
        (LIVE, _seen(600), _seen(600, 2), "needless"),
        # silent for a while between, which no event says
        (VehicleQuery(silent_for=timedelta(seconds=30)), _seen(0), _seen(60, 1), "gone"),
        (VehicleQuery(silent_for=timedelta(seconds=90)), _seen(0), _seen(60, 1), "needless"),
        (
            VehicleQuery(silent_for=timedelta(seconds=30), statuses=("connected",)),
            _seen(0),
            _seen(300, 5),
            "gone",
        ),
        # never theirs
        (THEIRS, _seen(0, owner=OTHER), None, "nothing"),
        (THEIRS, _seen(0, owner=OTHER), _seen(0, owner=OTHER), "nothing"),
        # not in use, and not before either
        (VehicleQuery(), NOT_IN_USE, None, "gone"),
        (VehicleQuery(), NOT_IN_USE, _seen(0), "gone"),
        (VehicleQuery(), NOT_IN_USE, NOT_IN_USE, "needless"),
    ],
)
def test_what_is_told(query: VehicleQuery, now: Seen, before: Seen | None, told: str) -> None:
    """Shown if it is asked for; gone if it may have been; nothing to whoever knows."""
    assert _told(query, now, before) == told


def test_a_decision_may_take_a_vehicle_away() -> None:
    """A vehicle that moved away is gone, whether it was seen before or not."""
    assert _told(THEIRS, _seen(0, owner=OTHER), _seen(0), decided=True) == "gone"
    assert _told(THEIRS, _seen(0, owner=OTHER), None, decided=True) == "gone"


def test_each_is_written_once() -> None:
    """All who hear of a vehicle hear the same bytes; whoever named others hears nothing."""
    news = News(
        {UUID(int=9): Touched(VIN, 7, decided=False, now=_seen(0), before=None)}, 8, SETTINGS
    )
    one, other = news.told(LIVE, ALL)[VIN], news.told(THEIRS, frozenset({VIN}))[VIN]
    assert one.text is other.text
    assert news.told(LIVE, NONE) == {}
    said = msgspec.json.decode(one.text.split(b"\n")[1].removeprefix(b"data: "))
    assert (said["position"], said["as_of"]) == (8, "2026-01-31T12:00:00Z")
    assert said["vehicle"]["status"] == "connected"

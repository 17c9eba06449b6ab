"""Which trips are found: the same in PostgreSQL and in Elasticsearch."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from projections.paging import encode_cursor
from projections.trip_search import names
from projections.trips.model import TripQuery
from projections.vehicle_search.model import Box
from tests.following import NOW
from vehicle_tracker.errors import Invalid

if TYPE_CHECKING:
    from tests.contract.trip_search.conftest import Fleet

REPORTED_OPEN, NORTH, TO_GOTHENBURG = "GHI789 300-", "GHI789 200-210", "DEF456 100-110"
ASA, WEST_OF_IT, EAST_OF_IT = "ABC123 58-73", "DEF456 40-50", "DEF456 5-15"
FIRST, KALLE = "ABC123 0-10", "GHI789 0-10"
ALL = [REPORTED_OPEN, NORTH, TO_GOTHENBURG, ASA, WEST_OF_IT, EAST_OF_IT, FIRST, KALLE]

NOBODY = UUID(int=1)


def _at(number: float) -> datetime:
    return NOW + timedelta(minutes=number)


def _sorted(found: list[str]) -> list[str]:
    """Trips that began at the same instant are in the order of their ids, which are any."""
    return sorted(found, key=ALL.index)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_all_trips_newest_first(fleet: Fleet, limit: int) -> None:
    """Each once, however long the pages; a derived trip under a reported one is not shown."""
    found = fleet.found(limit)
    assert found[:-2] == ALL[:-2]
    assert _sorted(found) == ALL


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, 5, [FIRST, KALLE]),
        (None, 5.001, [EAST_OF_IT, FIRST, KALLE]),
        (10.001, 30, [EAST_OF_IT]),
        (10, 10.001, [EAST_OF_IT, FIRST, KALLE]),
        (15.001, 40, []),
        (60, 61, [ASA]),
        (205, None, [REPORTED_OPEN, NORTH]),
        (400, 401, [REPORTED_OPEN]),
        (5, 5, []),
    ],
)
def test_by_period(
    fleet: Fleet, since: float | None, until: float | None, expected: list[str]
) -> None:
    """Those of which a part is in it: its end is not in it, theirs is; an open one has none."""
    period = {
        "since": None if since is None else _at(since),
        "until": None if until is None else _at(until),
    }
    assert _sorted(fleet.found(limit=2, **period)) == expected


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (
            Box(-180, -90, 180, 90),
            [NORTH, TO_GOTHENBURG, ASA, WEST_OF_IT, EAST_OF_IT, FIRST, KALLE],
        ),
        (Box(17.9, 58.9, 18.1, 59.05), [ASA, FIRST]),
        # its edges are in it, to the last digit
        (Box(18.0, 59.09, 18.0, 59.09), [ASA, FIRST]),
        (Box(18.0, 59.0900001, 18.0, 59.4), []),
        (Box(18.0000001, 50, 19, 60), []),
        (Box(11.97045, 57.70055, 12, 57.70055), [TO_GOTHENBURG]),
        (Box(11.970451, 57.70055, 12, 57.70055), []),
        # around all its places, but on none of them
        (Box(17.9, 59.001, 18.1, 59.009), []),
        # across the antimeridian, and one side of it each
        (Box(179, -18, -179, -16), [WEST_OF_IT, EAST_OF_IT]),
        (Box(179, -18, 180, -16), [EAST_OF_IT]),
        (Box(-180, -18, -179, -16), [WEST_OF_IT]),
        (Box(-179.8, -18, 179.8, -16), []),
        (Box(0.0001, -90, 0, 90), [NORTH, TO_GOTHENBURG, ASA, WEST_OF_IT, EAST_OF_IT, FIRST]),
    ],
)
def test_by_box(fleet: Fleet, box: Box, expected: list[str]) -> None:
    """Those of whose places one is in it; an open one is in none."""
    expected = [one for one in expected if one != KALLE]  # nobody said where it was
    assert fleet.found(limit=2, box=box) == expected


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        # plate and VIN
        ("abc-123", [ASA, FIRST]),
        ("R4X2000909", [TO_GOTHENBURG, WEST_OF_IT, EAST_OF_IT]),
        # the customer's name
        ("ÆRLIGE", [TO_GOTHENBURG, WEST_OF_IT, EAST_OF_IT]),
        ("akare aerlige", [TO_GOTHENBURG, WEST_OF_IT, EAST_OF_IT]),
        # the driver's
        ("oberg", [ASA]),
        ("ås", [ASA]),
        ("50%", [KALLE]),
        ("e_a", [KALLE]),
        # or either
        ("kalle", [REPORTED_OPEN, NORTH, ASA, FIRST, KALLE]),
        # each word must be found, and nothing is a pattern
        ("kalle grus ab öberg c123", [ASA]),
        ("kalle grus ab öberg f456", []),
        ("a*b", []),
        ("?", []),
        ("%", [KALLE]),
        ("\\", []),
        ("", ALL),
    ],
)
def test_by_words(fleet: Fleet, q: str, expected: list[str]) -> None:
    """Each word is somewhere in plate, VIN, customer or driver."""
    assert _sorted(fleet.found(limit=3, q=q)) == expected


def test_words_by_which_too_many_could_be_found(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They find the same, for what is found is judged by all words."""
    monkeypatch.setattr(names, "MOST_NAMED", 1)
    monkeypatch.setattr(names, "MOST_WORDS", 2)
    assert _sorted(fleet.found(limit=2, q="kalle")) == [REPORTED_OPEN, NORTH, ASA, FIRST, KALLE]
    assert fleet.found(limit=1, q="kalle grus ab c123 öberg") == [ASA]
    assert fleet.found(q="kalle grus ab f456") == []


def test_by_vehicle_and_customer(fleet: Fleet) -> None:
    """Of these customers; of this vehicle; of both at once."""
    kalle, aerlige = (fleet.owners[name].id for name in ("Kalles Grus AB", "Ærlige Åkare"))
    of_kalle = [REPORTED_OPEN, NORTH, ASA, FIRST, KALLE]
    assert _sorted(fleet.found(customer_ids=(kalle,))) == of_kalle
    assert _sorted(fleet.found(customer_ids=(kalle, aerlige))) == ALL
    assert fleet.found(customer_ids=(NOBODY,)) == []
    vin = "YS2R4X20005399401"
    assert fleet.found(vin=vin, customer_ids=(kalle,)) == [ASA, FIRST]
    assert fleet.found(vin=vin, customer_ids=(aerlige,)) == []


def test_trips_of_a_customer_through_a_box_in_a_period(fleet: Fleet) -> None:
    """All at once."""
    asked: dict[str, Any] = {
        "customer_ids": (fleet.owners["Kalles Grus AB"].id,),
        "box": Box(17, 59, 19, 60),
        "since": _at(30),
        "until": _at(150),
    }
    assert fleet.found(**asked) == [ASA]
    assert fleet.found(**asked, q="nobody") == []


@pytest.mark.parametrize("cursor", ["x", encode_cursor("ABC123"), encode_cursor(5, str(NOBODY))])
def test_a_cursor_of_another_list(fleet: Fleet, cursor: str) -> None:
    """It is an error of whoever sent it."""
    with pytest.raises(Invalid) as wrong:
        fleet.search.find(TripQuery(cursor=cursor), NOW)
    assert wrong.value.code == "invalid_cursor"


def test_heartbeats_that_come_late(own_fleet: Fleet) -> None:
    """Some split a trip; one lets it begin earlier, and the one that it was is gone."""
    fleet = own_fleet
    period = {"since": _at(410), "until": _at(500), "vin": "YS2R4X20005399401"}
    fleet.say("ABC123", 430, 5, 59.2, 18.0)
    fleet.drive("ABC123", 440, 10, 59.3, 18.0)
    fleet.follow()
    assert fleet.found(**period) == ["ABC123 430-450"]
    fleet.stand("ABC123", 434.5, 6)
    fleet.follow()
    assert fleet.found(**period) == ["ABC123 439.5-450", "ABC123 430-434.5"]
    fleet.say("ABC123", 429, 1, 59.19, 18.0)
    fleet.follow()
    assert fleet.found(**period) == ["ABC123 439.5-450", "ABC123 429-434.5"]
    assert fleet.found(**period, box=Box(17, 59.19, 19, 59.19)) == ["ABC123 429-434.5"]


def test_other_rules(own_fleet: Fleet) -> None:
    """Trips become one and the others are gone; with the rules as before all are back."""
    fleet, owner = own_fleet, own_fleet.owners["Ærlige Åkare"]
    for rules, expected in [
        ({"stop_after_s": 3_000.0}, ["DEF456 5-110"]),
        ({"shortest_km": 100.0}, []),
        (None, [TO_GOTHENBURG, WEST_OF_IT, EAST_OF_IT]),
    ]:
        owner.change_trip_rules(rules)
        fleet.log.save(owner)
        fleet.follow()
        assert fleet.found(customer_ids=(owner.id,)) == expected


def test_what_is_said_of_others_later(own_fleet: Fleet) -> None:
    """A customer's other name holds at once; a report hides what was derived."""
    fleet = own_fleet
    owner = fleet.owners["Ærlige Åkare"]
    owner.change_details("Nya Bolaget", "Vägen 1")
    fleet.log.save(owner)
    fleet.tell("ABC123", 2, 4)
    fleet.follow()
    assert fleet.found(q="aerlige") == []
    assert fleet.found(q="nya bolaget") == [TO_GOTHENBURG, WEST_OF_IT, EAST_OF_IT]
    assert fleet.found(until=_at(5), vin="YS2R4X20005399401") == ["ABC123 2-6"]

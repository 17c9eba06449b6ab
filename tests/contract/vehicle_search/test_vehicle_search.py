"""What `VehicleSearch` promises, whichever adapter keeps it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from projections.paging import encode_cursor
from projections.vehicle_search.model import SORTS, VehicleQuery
from vehicle_tracker.errors import Invalid

if TYPE_CHECKING:
    from projections.vehicle_search.model import VehiclePage, VehicleSearch

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
BY_PLATE = ["ABC123", "DEF 456", "GHI-789", "JKL012", "MNO345", "PQR678", "STU901"]


def _plates(page: VehiclePage) -> list[str | None]:
    return [view.vehicle.registration_number for view in page.items]


@pytest.mark.parametrize(
    ("q", "plates"),
    [
        ("", BY_PLATE),
        ("   ", BY_PLATE),
        ("-", BY_PLATE),
        # VIN, plate, customer, label: prefix and fragment, any case
        ("YS2R4X20005399401", ["ABC123"]),
        ("ys2r", ["ABC123", "JKL012", "MNO345", "PQR678", "STU901"]),
        ("5399401", ["ABC123"]),
        ("abc", ["ABC123"]),
        ("C12", ["ABC123"]),
        ("kalle", ["ABC123", "DEF 456", "GHI-789"]),
        ("transporter", ["ABC123", "DEF 456", "GHI-789"]),
        ("ohan", ["JKL012", "MNO345"]),
        ("ge", ["PQR678", "STU901"]),
        ("depå", ["ABC123", "GHI-789"]),
        ("Umeå", ["GHI-789"]),
        ("depå=umeå", ["GHI-789"]),
        # accents
        ("akare", ["PQR678", "STU901"]),
        ("ÅKARE", ["PQR678", "STU901"]),
        ("aerlige soner", ["PQR678", "STU901"]),
        ("sodertalje", ["ABC123"]),
        # plates with spaces and hyphens, on either side
        ("ABC 123", ["ABC123"]),
        ("abc-123", ["ABC123"]),
        ("DEF456", ["DEF 456"]),
        ("DEF 456", ["DEF 456"]),
        ("GHI789", ["GHI-789"]),
        ("ghi 789", ["GHI-789"]),
        # each word must be found
        ("kalles abc", ["ABC123"]),
        ("umeå kalles", ["GHI-789"]),
        ("johans abc", []),
        # one typo: another character, one too few, too many, two swapped
        ("ABD123", ["ABC123"]),
        ("AC123", ["ABC123"]),
        ("ABCC123", ["ABC123"]),
        ("BAC123", ["ABC123"]),
        ("AB1C23", ["ABC123"]),
        ("jhoans", ["JKL012", "MNO345"]),
        ("kales", ["ABC123", "DEF 456", "GHI-789"]),
        ("YS2R4X2000S399401", ["ABC123"]),
        ("umae depå", ["GHI-789"]),
        # the beginning of a word with a typo
        ("grsutrans", ["ABC123", "DEF 456", "GHI-789"]),
        ("södretä", ["ABC123"]),
        ("VLUX4X20009048", ["GHI-789"]),
        # no more than one, not in short words, not if the word is found as it is
        ("ABDD23", []),
        ("abd", []),
        ("5387", ["MNO345", "PQR678", "STU901"]),
        # decommissioned vehicles are not found, not even with a typo
        ("ABC999", []),
        ("skrot", []),
        # nothing is a wildcard
        ("%", ["MNO345"]),
        ("50%", ["MNO345"]),
        ("a_b", ["MNO345"]),
        ("_", ["MNO345"]),
        ("a\\b", ["PQR678"]),
        ("'; DROP TABLE vehicle; --", []),
        ("*", []),
        ("*:*", []),
        ("?", []),
        ("ABC?23", ["ABC123"]),  # one typo
        ('"abc123"', []),
        ("\\", ["PQR678"]),
        ("/.*/", []),
        ("(a+)+$", []),
        ("abc123 AND kalles", []),
        ("abc123~2", []),
        ("vin:ys2r", []),
        ("[a TO z]", []),
        ("_exists_:vin", []),
        ("a" * 200, []),
        ("kalles " * 10, ["ABC123", "DEF 456", "GHI-789"]),
        ("zzzz", []),
        ("😀😀😀😀", []),
    ],
)
def test_words(search: VehicleSearch, q: str, plates: list[str]) -> None:
    """Each word is found somewhere in the vehicle, and nothing else is."""
    page = search.search(VehicleQuery(q=q), NOW)
    assert _plates(page) == plates
    assert page.total == len(plates)


@pytest.mark.parametrize(
    ("statuses", "plates"),
    [
        (("connected",), ["ABC123", "JKL012", "MNO345", "STU901"]),
        (("disconnected",), ["DEF 456", "PQR678"]),
        (("never_seen",), ["GHI-789"]),
        (("never_seen", "disconnected"), ["DEF 456", "GHI-789", "PQR678"]),
        (("connected", "disconnected", "never_seen"), BY_PLATE),
    ],
)
def test_statuses(search: VehicleSearch, statuses: tuple[Any, ...], plates: list[str]) -> None:
    """A status is what it is at `now`; 120 s is connected, 121 s is not, 4 minutes ahead is."""
    page = search.search(VehicleQuery(statuses=statuses), NOW)
    assert _plates(page) == plates
    assert page.statuses == {"connected": 4, "disconnected": 2, "never_seen": 1}
    assert page.total == len(plates)


@pytest.mark.parametrize(
    ("names", "plates"),
    [
        (["Johans Bulk AB"], ["JKL012", "MNO345"]),
        (["Johans Bulk AB", "Ærlige Åkare & Söner"], ["JKL012", "MNO345", "PQR678", "STU901"]),
        (["Utan fordon AB"], []),
        (["Skrot AB"], []),
        (["nobody"], []),
    ],
)
def test_customers(
    search: VehicleSearch, customer_ids: dict[str, UUID], names: list[str], plates: list[str]
) -> None:
    """The vehicles of any of the customers; the facet still counts what others would show."""
    chosen = tuple(customer_ids.get(name, uuid4()) for name in names)
    page = search.search(VehicleQuery(customer_ids=chosen), NOW)
    assert _plates(page) == plates
    assert [(one.name, one.count) for one in page.customers] == [
        ("Ærlige Åkare & Söner", 2),
        ("Johans Bulk AB", 2),
        ("Kalles Grustransporter AB", 3),
    ]
    assert {one.customer_id for one in page.customers} < set(customer_ids.values())


def test_each_facet_is_counted_under_the_other_filters(
    search: VehicleSearch, customer_ids: dict[str, UUID]
) -> None:
    """`statuses` counts under all filters but the status, `customers` under all but theirs."""
    query = VehicleQuery(
        q="ys2r", statuses=("connected",), customer_ids=(customer_ids["Johans Bulk AB"],)
    )
    page = search.search(query, NOW)
    assert (page.total, _plates(page)) == (2, ["JKL012", "MNO345"])
    assert page.statuses == {"connected": 2, "disconnected": 0, "never_seen": 0}
    assert [(one.name, one.count) for one in page.customers] == [
        ("Ærlige Åkare & Söner", 1),
        ("Johans Bulk AB", 2),
        ("Kalles Grustransporter AB", 1),
    ]


ORDERS = {
    "registration_number": BY_PLATE,
    "-registration_number": BY_PLATE[::-1],
    # 5387055 before 5387765 before 5387949 before 5388011 before 5399401
    "vin": ["GHI-789", "DEF 456", "STU901", "PQR678", "MNO345", "JKL012", "ABC123"],
    "-vin": ["ABC123", "JKL012", "MNO345", "PQR678", "STU901", "DEF 456", "GHI-789"],
    "customer": ["STU901", "PQR678", "MNO345", "JKL012", "GHI-789", "DEF 456", "ABC123"],
    "-customer": ["GHI-789", "DEF 456", "ABC123", "MNO345", "JKL012", "STU901", "PQR678"],
    "status": ["STU901", "MNO345", "JKL012", "ABC123", "DEF 456", "PQR678", "GHI-789"],
    "-status": ["GHI-789", "DEF 456", "PQR678", "STU901", "MNO345", "JKL012", "ABC123"],
    "last_heartbeat_at": ["PQR678", "DEF 456", "MNO345", "ABC123", "JKL012", "STU901", "GHI-789"],
    "-last_heartbeat_at": ["STU901", "JKL012", "ABC123", "MNO345", "DEF 456", "PQR678", "GHI-789"],
}


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 500])
@pytest.mark.parametrize("q", ["", "000"])
def test_pages_in_any_order(search: VehicleSearch, q: str, sort: str, limit: int) -> None:
    """Page after page is the whole list, in order, ties by VIN, each vehicle once."""
    found: list[str | None] = []
    cursor: str | None = None
    while True:
        page = search.search(VehicleQuery(q, sort=sort, limit=limit, cursor=cursor), NOW)
        assert page.total == len(BY_PLATE)
        assert len(page.items) <= limit
        found += _plates(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == ORDERS[sort]


@pytest.mark.parametrize("limit", [1, 2])
@pytest.mark.parametrize(
    ("chosen", "plates"),
    [
        ({"statuses": ("disconnected",)}, ["PQR678", "DEF 456"]),
        ({"silent_for": timedelta(minutes=2)}, ["PQR678", "DEF 456"]),
        ({"statuses": ("disconnected", "connected")}, ["PQR678", "DEF 456", "MNO345", "ABC123"]),
    ],
)
def test_who_is_silent_by_since_when(
    search: VehicleSearch, chosen: dict[str, Any], plates: list[str], limit: int
) -> None:
    """The order that a dispatcher wants of them, page after page, in both directions."""
    for sort, order in (("last_heartbeat_at", plates), ("-last_heartbeat_at", plates[::-1])):
        found: list[str | None] = []
        cursor: str | None = None
        for _ in range(10):
            query = VehicleQuery(sort=sort, limit=limit, cursor=cursor, **chosen)
            page = search.search(query, NOW)
            found += _plates(page)
            cursor = page.next_cursor
            if cursor is None:
                break
        assert [plate for plate in found if plate in plates] == order
        assert page.total == len(found)


@pytest.mark.parametrize("statuses", [(), ("disconnected",)])
@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        encode_cursor("vin", "a", "b"),
        encode_cursor("-last_heartbeat_at", "yesterday", "b"),
        encode_cursor("-last_heartbeat_at", "", "b"),
        encode_cursor("-last_heartbeat_at", "2026-01-31T12:00:00", "b"),
        encode_cursor("-last_heartbeat_at", "2026-01-31T12:00:00+00:00", "b", "c"),
        encode_cursor("-last_heartbeat_at", 7, "b"),
        encode_cursor("-last_heartbeat_at", "infinityinfinity", "b"),
        encode_cursor("-last_heartbeat_at", "2026-01-31T12:00:00+00:00", "b\0"),
    ],
)
def test_a_cursor_of_another_list_is_refused(
    search: VehicleSearch, cursor: str, statuses: tuple[Any, ...]
) -> None:
    """Malformed, tampered with or of another order: `invalid_cursor`, never a wrong page."""
    query = VehicleQuery(sort="-last_heartbeat_at", cursor=cursor, statuses=statuses)
    with pytest.raises(Invalid) as refusal:
        search.search(query, NOW)
    assert refusal.value.code == "invalid_cursor"


def test_a_vehicle_is_shown_with_its_customer(search: VehicleSearch) -> None:
    """What is found is the whole vehicle and its customer's name, as of one position."""
    page = search.search(VehicleQuery(q="abc123"), NOW)
    (view,) = page.items
    assert view.customer_name == "Kalles Grustransporter AB"
    assert view.vehicle.labels == {"depå": "Södertälje"}
    assert page.position > 0

"""What the index cannot tell is not guessed: PostgreSQL is asked, or what is shown is left out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from projections.vehicle_search import elasticsearch, hints
from projections.vehicle_search.hints import Hints
from projections.vehicle_search.model import Box, Circle, VehicleQuery
from projections.vehicle_search.relational import RelationalVehicleSearch
from tests.following import VINS, record
from tests.integration.vehicle_search.conftest import HEARD_AT
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.vehicle_search.model import VehiclePage
    from tests.integration.vehicle_search.conftest import Copied

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def asked(copied: Copied, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[VehicleQuery]]:
    """What PostgreSQL was asked as a whole."""
    asked: list[VehicleQuery] = []
    search = RelationalVehicleSearch.search

    def noted(self: RelationalVehicleSearch, query: VehicleQuery, now: Any) -> VehiclePage:
        asked.append(query)
        return search(self, query, now)

    monkeypatch.setattr(RelationalVehicleSearch, "search", noted)
    copied.copy()
    copied.kept()
    return asked


def _found(copied: Copied, query: VehicleQuery, now: Any = HEARD_AT) -> set[str]:
    page = copied.search().search(query, now)
    assert page.total == len(page.items) == sum(page.statuses.values())
    return {view.vehicle.vin for view in page.items}


def test_who_is_silent_is_known_to_the_index_from_every_limit_on(
    copied: Copied, asked: list[VehicleQuery]
) -> None:
    """For less than the default limit, or than the limit of any, only their heartbeats tell."""
    now = HEARD_AT + 9 * MINUTE
    run = {"silent_for": 5 * MINUTE}
    copied.fold(judged_by=now)
    copied.copy()
    copied.kept()
    assert len(_found(copied, VehicleQuery(**run), now)) == 5  # one has a limit of ten minutes
    assert len(_found(copied, VehicleQuery(silent_for=MINUTE), now)) == 5
    assert len(_found(copied, VehicleQuery(silent_for=HOUR), now)) == 0
    assert [one.silent_for for one in asked] == [5 * MINUTE, MINUTE]


def test_the_order_by_heartbeats_is_that_of_postgresql(
    copied: Copied, asked: list[VehicleQuery]
) -> None:
    """Heartbeats are written there only."""
    record(copied.log, VINS[4], HEARD_AT + SECOND)
    copied.fold()
    page = copied.search().search(VehicleQuery(sort="-last_heartbeat_at", limit=1), HEARD_AT)
    assert [view.vehicle.vin for view in page.items] == [VINS[4]]
    assert len(asked) == 1


def test_since_when_the_silent_are_is_known_to_the_index(
    copied: Copied, asked: list[VehicleQuery]
) -> None:
    """Of those who were judged silent the index knows when they were heard: it sorts by that."""
    now = HEARD_AT + timedelta(hours=2)
    copied.fold(judged_by=now)
    copied.copy()
    copied.kept()
    by_heartbeat = {"sort": "-last_heartbeat_at"}
    assert len(_found(copied, VehicleQuery(statuses=("disconnected",), **by_heartbeat), now)) == 5
    assert len(_found(copied, VehicleQuery(silent_for=HOUR, **by_heartbeat), now)) == 5
    assert not asked


def test_who_moved_within_a_cell_is_where_it_is_now(
    copied: Copied, asked: list[VehicleQuery]
) -> None:
    """No document was written, and edges are exact all the same: in hits, total and facets."""
    small = Box(18.0, 59.0, 18.015, 59.015)
    assert len(_found(copied, VehicleQuery(box=small))) == 5
    record(copied.log, VINS[0], HEARD_AT + SECOND, latitude=59.02, longitude=18.02)
    copied.fold()
    assert _found(copied, VehicleQuery(box=small)) == {VINS[2], VINS[3], VINS[4], VINS[5]}
    assert _found(copied, VehicleQuery(near=Circle(59.02, 18.02, 0.5))) == {VINS[0]}
    assert len(_found(copied, VehicleQuery(box=Box(10, 50, 20, 60)))) == 5
    assert not asked


def test_who_has_left_is_not_at_the_edge_any_more(
    copied: Copied, asked: list[VehicleQuery]
) -> None:
    """Though the index has not heard of it: nobody is shown in a shape, and somewhere else."""
    edge = Box(18.005, 59.005, 18.2, 59.2)
    record(copied.log, VINS[0], HEARD_AT + SECOND, latitude=40.0, longitude=20.0)
    copied.fold()
    assert _found(copied, VehicleQuery(box=edge)) == {VINS[2], VINS[3], VINS[4], VINS[5]}
    assert not asked


def test_too_ragged_or_crowded_a_shape_is_postgresqls(
    copied: Copied, asked: list[VehicleQuery], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of too many blocks of cells, or with too many vehicles in those at its edge."""
    wide = VehicleQuery(near=Circle(59.0, 18.0, 9_000))
    assert len(_found(copied, wide)) == 5
    monkeypatch.setattr(elasticsearch, "MOST_AT_THE_EDGE", 4)
    assert len(_found(copied, VehicleQuery(box=Box(18.005, 59.005, 18.2, 59.2)))) == 5
    assert len(asked) == 2


@pytest.mark.parametrize("most_named", [0, 100])
@pytest.mark.parametrize(
    "q",
    ["eta", "ta gam", "beta", "alfa=b", "a=b", "=", "gammadeltaepsilonzeta", "deltaepsilonzetaeta"],
)
def test_a_word_of_the_owners_name_is_found_wherever_it_is_in_it(
    copied: Copied, monkeypatch: pytest.MonkeyPatch, most_named: int, q: str
) -> None:
    """Whether few names have it within a word or many, and however the index cuts them."""
    monkeypatch.setattr(hints, "MOST_NAMED", most_named)
    copied.owner.change_details("Alfa=Beta Gammadeltaepsilonzetaetatheta", "Vägen 1")
    copied.log.save(copied.owner)
    copied.fold()
    copied.copy()
    copied.kept()
    assert _found(copied, VehicleQuery(q=q)) >= set(VINS[2:])
    assert not _found(copied, VehicleQuery(q=f"x{q}x"))


def test_who_was_judged_silent_and_is_not_counts_as_connected(copied: Copied) -> None:
    """The limit is longer since, or the index ahead: statuses are of the instant asked for."""
    late = HEARD_AT + 130 * SECOND
    copied.fold(judged_by=late)
    copied.copy()
    copied.kept()
    search = copied.search().search
    assert search(VehicleQuery(), late).statuses == {
        "connected": 1,
        "disconnected": 4,
        "never_seen": 0,
    }
    assert search(VehicleQuery(), HEARD_AT + 120 * SECOND).statuses["disconnected"] == 1
    copied.owner.change_disconnect_after(140)
    copied.log.save(copied.owner)
    copied.fold()
    copied.copy()
    copied.kept()
    assert search(VehicleQuery(statuses=("disconnected",)), late).total == 1
    order = [view.vehicle.vin for view in search(VehicleQuery(sort="-status"), late).items]
    assert order == [VINS[2], VINS[0], VINS[3], VINS[4], VINS[5]]


def test_a_hit_that_postgresql_does_not_know_is_left_out(copied: Copied) -> None:
    """Not shown and not counted; the position is the older of both, for that is what is shown."""
    copied.copy()
    gone = copied.log.repository.get(vehicle_stream(VINS[3]))
    gone.decommission()
    copied.log.save(gone)
    before = copied.log.head() - 1
    copied.fold()
    copied.kept()
    page = copied.search().search(VehicleQuery(), HEARD_AT)
    assert (len(page.items), page.total, page.position) == (4, 4, before)
    copied.log.save(
        Vehicle(vin="N" * 17, registration_number="N", customer_id=copied.owner.id, labels={})
    )
    copied.fold()
    copied.copy()
    copied.kept()
    page = copied.search().search(VehicleQuery(), HEARD_AT)
    assert (len(page.items), page.total, page.position) == (5, 5, copied.log.head())


@pytest.mark.parametrize("sort", ["registration_number", "-registration_number", "vin", "-vin"])
def test_a_page_of_a_fleet_ends_where_the_index_says(copied: Copied, sort: str) -> None:
    """PostgreSQL says where to look; who it knows before the index does makes no page shorter."""
    copied.copy()
    for name in ("0" * 17, "Z" * 17):
        vehicle = Vehicle(
            vin=name, registration_number=name, customer_id=copied.owner.id, labels={}
        )
        copied.log.save(vehicle)
    copied.fold()
    copied.kept()
    pages = [copied.search().search(VehicleQuery(sort=sort, limit=2), HEARD_AT)]
    while cursor := pages[-1].next_cursor:
        query = VehicleQuery(sort=sort, limit=2, cursor=cursor)
        pages.append(copied.search().search(query, HEARD_AT))
    known = [VINS[n] for n in (0, 2, 3, 4, 5)]
    order = known[::-1] if sort.startswith("-") else known
    shown = [[view.vehicle.vin for view in page.items] for page in pages]
    assert shown == [order[:2], order[2:4], order[4:]]
    assert {page.total for page in pages} == {5}


def test_a_page_that_ends_elsewhere_by_now_is_whole(
    copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it ended is asked once, and again when who is in it has changed so that it is short."""
    copied.copy()
    copied.kept()
    ends: list[str | None] = []
    end_of_page = Hints.end_of_page

    def noted(*args: Any) -> str | None:
        ends.append(end_of_page(*args))
        return ends[-1]

    monkeypatch.setattr(Hints, "end_of_page", noted)
    search = copied.search()

    def plates() -> list[str | None]:
        page = search.search(VehicleQuery(limit=2), HEARD_AT)
        assert page.next_cursor
        return [view.vehicle.registration_number for view in page.items]

    def changed(vehicle: Vehicle) -> None:
        copied.log.save(vehicle)
        copied.fold()
        copied.copy()
        copied.kept()

    assert plates() == plates() == ["A0", "A2"]
    assert ends == ["A3"]
    first = copied.log.repository.get(vehicle_stream(VINS[0]))
    assert isinstance(first, Vehicle)
    first.decommission()
    changed(first)
    assert plates() == plates() == ["A2", "A3"]
    assert ends == ["A3", "A4"]
    owner = copied.owner.id
    changed(
        Vehicle(vin="YS2R4X20005399499", registration_number="A1", customer_id=owner, labels={})
    )
    assert plates() == plates() == ["A1", "A2"]
    assert ends == ["A3", "A4"]

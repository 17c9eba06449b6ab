"""The index of trips is what the trips are, however and how often it is copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from projections.database import projection
from projections.elasticsearch_index import first_index
from projections.store import StoreAwayError
from projections.trip_search import elasticsearch
from projections.trips.model import TripQuery
from projections.trips.tables import gone
from read_service.positions import PositionWatch
from tests.copying import cut_off
from tests.driving import told_of
from tests.following import NOW, VINS, record, running
from tests.integration.trip_search.conftest import MINUTE
from vehicle_tracker.errors import Unavailable

if TYPE_CHECKING:
    from projections.trip_search.elasticsearch import ElasticsearchTripSearch
    from tests.integration.trip_search.conftest import Driven


@pytest.mark.parametrize("page", [1, 3, 1_000])
def test_the_index_is_what_the_trips_are(driven: Driven, page: int) -> None:
    """However it is portioned; PostgreSQL knows how far it is."""
    driven.copy(page)
    assert len(driven.expected()) == 10
    assert driven.kept() == driven.expected()
    assert driven.state() == (driven.log.head(), 0)
    with driven.engine.connect() as connection:
        row = connection.execute(select(projection).filter_by(name=driven.index.name)).one()
    assert row.position == driven.log.head()


@pytest.mark.parametrize("fails_at", range(1, 10))
def test_a_page_that_was_stored_in_part_is_stored_again(driven: Driven, fails_at: int) -> None:
    """Cut off before any of its writes, gone on with after more has changed: the same documents."""

    def copy_while_they_drive() -> None:
        for first in (100, 130, 160, 190, 220):
            driven.copy(page=2)
            driven.drive(VINS[0], first)
            record(driven.log, VINS[1], NOW + (10 - first / 100) * MINUTE, speed_kmh=60.0)
            driven.fold()

    with cut_off(driven.client, fails_at), pytest.raises(StoreAwayError):
        copy_while_they_drive()
    driven.copy(page=3)
    assert driven.kept() == driven.expected()


def test_trips_that_are_gone(driven: Driven, monkeypatch: pytest.MonkeyPatch) -> None:
    """They vanish, also if one who was held up writes them after that; and may come back."""
    before, client, bulk = driven.expected(), driven.client, driven.client.bulk
    driven.index.follower(driven.log, driven.engine, 1).catch_up()

    def overtaken(**request: Any) -> Any:
        monkeypatch.setattr(client, "bulk", bulk)
        driven.owner.change_trip_rules({"shortest_km": 100.0})
        driven.log.save(driven.owner)
        driven.fold()
        driven.copy(page=2)
        assert len(driven.kept()) == 1
        return bulk(**request)

    monkeypatch.setattr(client, "bulk", overtaken)
    driven.index.follower(driven.log, driven.engine, 1_000).catch_up()
    assert driven.kept() == driven.expected()
    assert driven.state()[0] == driven.log.head()
    with driven.engine.connect() as connection:
        assert len(connection.execute(select(gone)).all()) == 9
    driven.owner.change_trip_rules(None)
    driven.log.save(driven.owner)
    driven.fold()
    driven.copy()
    assert driven.kept() == driven.expected() == before


def test_it_follows_by_itself(driven: Driven) -> None:
    """What the trips become it becomes; a lost index is filled again."""
    search = driven.search()
    with running(driven.index.follower(driven.log, driven.engine, 100)):
        _reached(search, driven.log.head())
        driven.client.indices.delete(index=first_index(driven.index.name))
        driven.drive(VINS[4], 0)
        driven.fold()
        _reached(search, driven.log.head())
    assert driven.kept() == driven.expected()


def _reached(search: ElasticsearchTripSearch, head: int) -> None:
    def position() -> int:
        try:
            return search.position()
        except Unavailable:
            return 0

    PositionWatch(position, patience_s=60).wait_for(head)


def test_a_page_of_trips_that_are_not_shown(
    driven: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many reported trips hide derived ones: the list goes on behind them, and ends."""
    reported = told_of(NOW, VINS[1])
    reported.end(VINS[1], NOW + 100 * MINUTE, None, None, None)
    driven.log.save(reported)
    driven.fold()
    driven.copy()
    driven.client.indices.refresh(index=driven.index.name)
    search, now = driven.search(), NOW + 1_000 * MINUTE
    whole = search.find(TripQuery(), now)
    assert (len(whole.items), whole.next_cursor) == (8, None)
    for fewest, rounds in ((1, 1), (1, 2), (2, 1), (3, 5)):
        monkeypatch.setattr(elasticsearch, "FEWEST", fewest)
        monkeypatch.setattr(elasticsearch, "MOST_ROUNDS", rounds)
        found, cursor = [], ""
        for _ in range(100):
            page = search.find(TripQuery(limit=1, cursor=cursor or None), now)
            found += page.items
            if page.next_cursor is None:
                break
            cursor = page.next_cursor
        assert found == whole.items

"""The index of trips in a real Elasticsearch is what the trips are, whatever happens to it."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import pytest
from elastic_transport import ConnectionError as ElasticsearchConnectionError
from sqlalchemy import delete, select, update

from projections import index_copy
from projections.catalog import TRIPS, trips
from projections.database import projection
from projections.elasticsearch import connect
from projections.elasticsearch_index import POSITION_ID, first_index
from projections.follower import alone
from projections.indexes import IndexCopy, trip_search
from projections.rebuild import BusyError
from projections.store import StoreAwayError
from projections.trip_search import elasticsearch
from projections.trip_search.elasticsearch import ElasticsearchTripSearch
from projections.trip_search.index import source
from projections.trips.model import TripQuery
from projections.trips.reader import RelationalTrips
from projections.trips.tables import gone, trip
from read_service.positions import PositionWatch
from tests.driving import told_of
from tests.following import NOW, VINS, record, running, to_the_end
from vehicle_tracker.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from vehicle_tracker.domain.customer import Customer
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

MINUTE = timedelta(minutes=1)


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    """A client of the server."""
    with connect(elasticsearch_url, 30) as client:
        yield client


@pytest.fixture
def index(client: Elasticsearch) -> Iterator[IndexCopy]:
    """The read model under a name of the test's own."""
    name = f"test_{uuid4().hex}"
    yield trip_search(client, name)
    for one in client.indices.get(index=f"{name}-*"):
        client.indices.delete(index=one)


@pytest.fixture
def driven(event_log: EventLog, engine: Engine, fleet: Customer) -> EventLog:
    """A log of three vehicles that drove three times each, and of a reported trip; folded."""
    for vin in VINS[:3]:
        for first in (10, 40, 70):
            _drive(event_log, vin, first)
    reported = told_of(NOW + 5 * MINUTE, VINS[3], driver="Åsa")
    reported.end(VINS[3], NOW + 9 * MINUTE, None, None, None)
    event_log.save(reported)
    _fold(event_log, engine)
    return event_log


def _drive(log: EventLog, vin: str, first: float) -> None:
    for number in range(20):
        moving = {"speed_kmh": 60.0, "latitude": 59 + number / 100, "longitude": 18.0}
        said = moving if number < 10 else {"speed_kmh": 0.0}
        record(log, vin, NOW + (first + number) * MINUTE, **said)


def _fold(log: EventLog, engine: Engine, page: int = 10) -> None:
    follower = trips(log).follower(log, engine, page)
    to_the_end(follower)


def _copy(index: IndexCopy, log: EventLog, engine: Engine, page: int = 1_000) -> None:
    follower = index.follower(log, engine, page)
    to_the_end(follower)


def _trips(engine: Engine) -> dict[str, Any]:
    """What the documents have to be."""
    with engine.connect() as connection:
        rows = connection.execute(select(trip)).all()
    return {str(row.trip_id): msgspec.json.decode(source(row)) for row in rows}


def _kept(client: Elasticsearch, index: IndexCopy) -> dict[str, Any]:
    """What the documents of trips are."""
    client.indices.refresh(index=index.name)
    hits = client.search(index=index.name, size=1_000)["hits"]["hits"]
    return {hit["_id"]: hit["_source"] for hit in hits if hit["_source"]["kind"] == "trip"}


def _position(client: Elasticsearch, index: IndexCopy) -> tuple[int, int]:
    kept = client.get(index=index.name, id=POSITION_ID)["_source"]
    return kept["position"], kept["generation"]


@pytest.mark.parametrize("page", [1, 3, 1_000])
def test_the_index_is_what_the_trips_are(
    client: Elasticsearch, index: IndexCopy, driven: EventLog, engine: Engine, page: int
) -> None:
    """However it is portioned; PostgreSQL knows how far it is."""
    _copy(index, driven, engine, page)
    assert len(_trips(engine)) == 10
    assert _kept(client, index) == _trips(engine)
    assert _position(client, index) == (driven.head(), 0)
    with engine.connect() as connection:
        row = connection.execute(select(projection).filter_by(name=index.name)).one()
    assert row.position == driven.head()


@pytest.mark.parametrize("fails_at", range(1, 10))
def test_a_page_that_was_stored_in_part_is_stored_again(
    client: Elasticsearch,
    index: IndexCopy,
    driven: EventLog,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    fails_at: int,
) -> None:
    """Cut off before any of its writes, gone on with after more has changed: the same documents."""
    bulk, calls = client.bulk, iter(range(1, 1_000))

    def cut_off(**request: Any) -> Any:
        if next(calls) == fails_at:
            raise ElasticsearchConnectionError("cut off")
        return bulk(**request)

    def copy_while_they_drive() -> None:
        for first in (100, 130, 160, 190, 220):
            _copy(index, driven, engine, page=2)
            _drive(driven, VINS[0], first)
            record(driven, VINS[1], NOW + (10 - first / 100) * MINUTE, speed_kmh=60.0)
            _fold(driven, engine)

    with monkeypatch.context() as patch:
        patch.setattr(client, "bulk", cut_off)
        with pytest.raises(StoreAwayError):
            copy_while_they_drive()
    _copy(index, driven, engine, page=3)
    assert _kept(client, index) == _trips(engine)


def test_trips_that_are_gone(
    client: Elasticsearch,
    index: IndexCopy,
    driven: EventLog,
    engine: Engine,
    fleet: Customer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They vanish, also if one who was held up writes them after that; and may come back."""
    before, bulk = _trips(engine), client.bulk
    index.follower(driven, engine, 1).catch_up()

    def overtaken(**request: Any) -> Any:
        monkeypatch.setattr(client, "bulk", bulk)
        fleet.change_trip_rules({"shortest_km": 100.0})
        driven.save(fleet)
        _fold(driven, engine)
        _copy(index, driven, engine, page=2)
        assert len(_kept(client, index)) == 1
        return bulk(**request)

    monkeypatch.setattr(client, "bulk", overtaken)
    index.follower(driven, engine, 1_000).catch_up()
    assert _kept(client, index) == _trips(engine)
    assert _position(client, index)[0] == driven.head()
    with engine.connect() as connection:
        assert len(connection.execute(select(gone)).all()) == 9
    fleet.change_trip_rules(None)
    driven.save(fleet)
    _fold(driven, engine)
    _copy(index, driven, engine)
    assert _kept(client, index) == _trips(engine) == before


def test_trips_that_were_rebuilt(
    client: Elasticsearch,
    index: IndexCopy,
    driven: EventLog,
    engine: Engine,
    settings: Settings,
) -> None:
    """The index is filled anew beside and swapped: nothing of the trips before is left in it."""
    follower = index.follower(driven, engine, 3)
    to_the_end(follower)
    client.index(index=index.name, id="x", document={"kind": "trip", "vin": "NOT THERE"})
    rebuild = trips(driven).rebuild(driven, engine, settings, 7)
    assert rebuild.run(lambda *_: None, Event())
    with alone(f"rebuild {index.name}", engine):  # an operator is at it
        assert follower.catch_up() == 0
    to_the_end(follower)
    assert _kept(client, index) == _trips(engine)
    assert list(client.indices.get_alias(name=index.name)) == [f"{index.name}-000002"]
    assert _position(client, index) == (driven.head(), 1)
    _drive(driven, VINS[4], 0)
    _fold(driven, engine)
    _copy(index, driven, engine)
    assert _kept(client, index) == _trips(engine)


def test_trips_that_were_put_back(
    client: Elasticsearch, index: IndexCopy, driven: EventLog, engine: Engine
) -> None:
    """Behind the index, as after a backup was restored: what it knows too much is forgotten."""
    _copy(index, driven, engine)
    with engine.begin() as connection:
        connection.execute(update(projection).where(projection.c.name == TRIPS).values(position=20))
        connection.execute(delete(trip).where(trip.c.vin != VINS[0]))
    _copy(index, driven, engine)
    assert len(_kept(client, index)) == 3
    assert _kept(client, index) == _trips(engine)
    assert _position(client, index) == (20, 0)


def test_a_rebuild_goes_on_where_it_was_stopped(
    client: Elasticsearch,
    index: IndexCopy,
    driven: EventLog,
    engine: Engine,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped by hand, the live index stays; then it is swapped. One at a time."""
    monkeypatch.setattr(index_copy, "FILLED_AT_ONCE", 1)
    _copy(index, driven, engine)
    stop, said = Event(), list[tuple[int, int]]()

    def stop_after_a_page(position: int, head: int) -> None:
        said.append((position, head))
        stop.set()

    assert not index.rebuild(driven, engine, settings, 2).run(stop_after_a_page, stop)
    assert list(client.indices.get_alias(name=index.name)) == [first_index(index.name)]
    again = index.rebuild(driven, engine, settings, 2)
    with alone(f"rebuild {index.name}", engine), pytest.raises(BusyError):
        again.run(lambda *_: None, Event())
    assert again.run(lambda *one: said.append(one), Event())
    assert said == sorted(set(said))
    assert said[-1] == (driven.head(), driven.head())
    assert _kept(client, index) == _trips(engine)
    assert list(client.indices.get_alias(name=f"{index.name}*")) == [f"{index.name}-000002"]


def test_it_follows_by_itself(
    client: Elasticsearch, index: IndexCopy, driven: EventLog, engine: Engine
) -> None:
    """What the trips become it becomes; a lost index is filled again."""
    search = _search(client, index, engine)
    with running(index.follower(driven, engine, 100)):
        _reached(search, driven)
        client.indices.delete(index=first_index(index.name))
        _drive(driven, VINS[4], 0)
        _fold(driven, engine)
        _reached(search, driven)
    assert _kept(client, index) == _trips(engine)


def _search(client: Elasticsearch, index: IndexCopy, engine: Engine) -> ElasticsearchTripSearch:
    relational = RelationalTrips(engine, TRIPS, TRIPS)
    return ElasticsearchTripSearch(client, index.name, relational, engine)


def _reached(search: ElasticsearchTripSearch, log: EventLog) -> None:
    def position() -> int:
        try:
            return search.position()
        except Unavailable:
            return 0

    PositionWatch(position, patience_s=60).wait_for(log.head())


def test_a_page_of_trips_that_are_not_shown(
    client: Elasticsearch,
    index: IndexCopy,
    driven: EventLog,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many reported trips hide derived ones: the list goes on behind them, and ends."""
    reported = told_of(NOW, VINS[1])
    reported.end(VINS[1], NOW + 100 * MINUTE, None, None, None)
    driven.save(reported)
    _fold(driven, engine)
    _copy(index, driven, engine)
    client.indices.refresh(index=index.name)
    search, now = _search(client, index, engine), NOW + 1_000 * MINUTE
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

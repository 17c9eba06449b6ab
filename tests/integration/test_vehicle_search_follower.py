"""The search read model in a real Elasticsearch is the fold of the log, whatever happens to it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import pytest
from elastic_transport import ConnectionError as ElasticsearchConnectionError
from sqlalchemy import select

from embedded.elasticsearch import NAME, find_or_provision
from embedded.supervisor import Supervisor
from projections import create_app
from projections.catalog import CUSTOMER_VEHICLES, vehicle_search
from projections.customer_vehicles.reader import RelationalCustomerVehicles
from projections.database import db, parked_event, projection
from projections.elasticsearch import connect
from projections.elasticsearch_index import POSITION_ID, first_index
from projections.follower import Follower
from projections.rebuild import Rebuild
from projections.store import StoreAwayError
from projections.vehicle_search import fold
from projections.vehicle_search.document import (
    SearchedCustomer,
    customer_source,
    vehicle_source,
)
from projections.vehicle_search.elasticsearch import ElasticsearchVehicleSearch
from projections.vehicle_search.index import MAPPINGS, SETTINGS
from projections.vehicle_search.model import VehicleQuery
from read_service.positions import PositionWatch
from vehicle_tracker.domain import heartbeat
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.errors import Invalid, Unavailable
from vehicle_tracker.recorder import NewEvent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from projections.catalog import Projection
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
VINS = [f"YS2R4X2000539940{n}" for n in range(6)]


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """The migrated database of the read models."""
    with create_app(settings).app_context():
        yield db.engine
        db.engine.dispose()


@pytest.fixture
def client(elasticsearch_url: str) -> Iterator[Elasticsearch]:
    """A client of the real Elasticsearch."""
    with connect(elasticsearch_url, 30) as client:
        yield client


@pytest.fixture
def searched(client: Elasticsearch) -> Iterator[Projection]:
    """The projection, under a name of its own."""
    projection = vehicle_search(client, f"test_{uuid4().hex}")
    yield projection
    names = client.indices.get(index=f"{projection.name}*")
    client.indices.delete(index=list(names))


@pytest.fixture
def fleet(event_log: EventLog) -> Customer:
    """A customer of two with six vehicles that beat, is renamed, limited and gives one away."""
    owner, other = Customer(name="Kalle", address="Väg 1"), Customer(name="Johan", address="Väg 2")
    event_log.save(owner, other)
    vehicles = [
        Vehicle(vin=vin, registration_number=f"A{n}", customer_id=owner.id, labels={"n": str(n)})
        for n, vin in enumerate(VINS)
    ]
    event_log.save(*vehicles)
    for minute in (2, 0, 1):
        for vin in VINS:
            _record(event_log, vin, NOW + timedelta(minutes=minute), latitude=59.0, longitude=18.0)
    owner.change_details("Kalles Åkeri", "Väg 1")
    other.change_disconnect_after(600)
    event_log.save(owner, other)
    owner.change_disconnect_after(30)
    vehicles[2].change_disconnect_after(5)
    event_log.save(owner, vehicles[2])
    vehicles[0].move_to_customer(other.id)
    vehicles[1].decommission()
    event_log.save(*vehicles[:2])
    owner.change_details("Östers Åkeri", "Väg 1")
    event_log.save(owner)
    return owner


def _record(log: EventLog, vin: str, at: datetime, **said: Any) -> None:
    event = HeartbeatRecorded(at, Heartbeat(vin=vin, recorded_at=at, **said))
    state = heartbeat.encode(event)
    with log.writing() as writing:
        writing.insert([NewEvent(heartbeat_stream(vin), event.version, event.TOPIC, state)])


def _catch_up(searched: Projection, log: EventLog, engine: Engine, page: int = 1_000) -> None:
    follower = Follower(searched, log, engine, page)
    while follower.catch_up():
        pass


def _folded(log: EventLog) -> dict[str, Any]:
    """What the documents have to be: the fold of the whole log, without any store."""
    documents: dict[Any, Any] = {}
    for logged in log.read(0, 100_000):
        if logged.topic in fold.TOPICS:
            event = log.event(logged)
            key = fold.key_of(event)
            documents[key] = fold.evolve(documents.get(key), event)
    owners = {key.id: one for key, one in documents.items() if isinstance(one, SearchedCustomer)}
    return {
        key.id: msgspec.json.decode(
            customer_source(one)
            if isinstance(one, SearchedCustomer)
            else vehicle_source(one, owners.get(one.customer_id))
        )
        for key, one in documents.items()
    }


def _kept(client: Elasticsearch, searched: Projection) -> dict[str, Any]:
    """What the documents are."""
    client.indices.refresh(index=searched.name)
    hits = client.search(index=searched.name, size=1_000)["hits"]["hits"]
    kept = {hit["_id"]: hit["_source"] for hit in hits}
    del kept[POSITION_ID]
    return kept


def _search(
    client: Elasticsearch, searched: Projection, engine: Engine
) -> ElasticsearchVehicleSearch:
    known = RelationalCustomerVehicles(engine, CUSTOMER_VEHICLES.name, 120)
    return ElasticsearchVehicleSearch(client, searched.name, known, 120)


@contextmanager
def _running(follower: Follower) -> Iterator[None]:
    stop = Event()
    thread = Thread(target=follower.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize("page", [1, 2, 5, 1_000])
def test_the_index_is_the_fold_of_the_log(
    client: Elasticsearch,
    searched: Projection,
    event_log: EventLog,
    engine: Engine,
    fleet: Customer,
    page: int,
) -> None:
    """However the log is portioned, every document is what the log says, changed customers too."""
    _catch_up(searched, event_log, engine, page)
    assert _kept(client, searched) == _folded(event_log)
    assert searched.store(searched.name, engine).position() == event_log.head()


@pytest.mark.parametrize("fails_at", range(1, 8))
def test_a_page_that_was_stored_in_part_is_stored_again(
    client: Elasticsearch,
    searched: Projection,
    event_log: EventLog,
    engine: Engine,
    fleet: Customer,
    monkeypatch: pytest.MonkeyPatch,
    fails_at: int,
) -> None:
    """Cut off before any of its writes, folded again in other portions: the same documents."""
    bulk, calls = client.bulk, iter(range(1, 1_000))

    def cut_off(**request: Any) -> Any:
        if next(calls) == fails_at:
            raise ElasticsearchConnectionError("cut off")
        return bulk(**request)

    with monkeypatch.context() as patch:
        patch.setattr(client, "bulk", cut_off)
        with pytest.raises(StoreAwayError):
            _catch_up(searched, event_log, engine, page=12)
    _catch_up(searched, event_log, engine, page=5)
    assert _kept(client, searched) == _folded(event_log)


def test_a_page_is_delivered_twice_at_once(
    client: Elasticsearch,
    searched: Projection,
    event_log: EventLog,
    engine: Engine,
    fleet: Customer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that was held up writes after the other has gone on: nothing goes back."""
    late = Follower(searched, event_log, engine, page=9)
    late.catch_up()
    bulk = client.bulk

    def overtaken(**request: Any) -> Any:
        monkeypatch.setattr(client, "bulk", bulk)
        _catch_up(searched, event_log, engine)
        return bulk(**request)

    monkeypatch.setattr(client, "bulk", overtaken)
    late.catch_up()
    assert _kept(client, searched) == _folded(event_log)
    assert searched.store(searched.name, engine).position() == event_log.head()


def test_a_lost_index_is_filled_again_by_itself(
    client: Elasticsearch,
    searched: Projection,
    event_log: EventLog,
    engine: Engine,
    fleet: Customer,
) -> None:
    """Its position is lost with it, so who follows begins anew."""
    follower = Follower(searched, event_log, engine, page=1_000)
    with _running(follower):
        position = _patient(searched.store(searched.name, engine).position)
        watch = PositionWatch(position, patience_s=60)
        watch.wait_for(event_log.head())
        client.indices.delete(index=first_index(searched.name))
        _record(event_log, VINS[2], NOW + timedelta(hours=1))
        watch.wait_for(event_log.head())
    assert _kept(client, searched) == _folded(event_log)


def test_an_index_of_an_older_release_takes_new_fields(
    client: Elasticsearch,
    searched: Projection,
    event_log: EventLog,
    engine: Engine,
    fleet: Customer,
) -> None:
    """Nothing is parked for want of a field; what was stored before has it once it is rebuilt."""
    older = {**MAPPINGS, "properties": dict(MAPPINGS["properties"])}
    for field in ("disconnect_after_s", "connected_until_us"):
        del older["properties"][field]
    client.indices.create(
        index=first_index(searched.name),
        aliases={searched.name: {}},
        settings=SETTINGS,
        mappings=older,
    )
    _catch_up(searched, event_log, engine)
    assert _kept(client, searched) == _folded(event_log)


def test_a_full_disk_stops_it_and_loses_nothing(
    client: Elasticsearch,
    searched: Projection,
    event_log: EventLog,
    engine: Engine,
    fleet: Customer,
) -> None:
    """What Elasticsearch does on a full disk is refused writing; it goes on where it was."""
    _catch_up(searched, event_log, engine)
    full = "index.blocks.read_only_allow_delete"
    client.indices.put_settings(index=searched.name, settings={full: True})
    _record(event_log, VINS[2], NOW + timedelta(hours=1))
    with pytest.raises(StoreAwayError, match="block"):
        _catch_up(searched, event_log, engine)
    client.indices.put_settings(index=searched.name, settings={full: None})
    _catch_up(searched, event_log, engine)
    assert _kept(client, searched) == _folded(event_log)


def test_a_document_that_cannot_be_read_now_is_not_taken_for_none(
    client: Elasticsearch,
    searched: Projection,
    event_log: EventLog,
    engine: Engine,
    fleet: Customer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A shard that is not back yet is waited for; else a vehicle would begin anew as unknown."""
    _catch_up(searched, event_log, engine)
    _record(event_log, VINS[2], NOW + timedelta(hours=1))
    no_shard = {"type": "no_shard_available_action_exception", "reason": "not yet"}
    with monkeypatch.context() as patch:
        patch.setattr(
            client,
            "mget",
            lambda ids, **_: {"docs": [{"_id": id_, "error": no_shard} for id_ in ids]},
        )
        with pytest.raises(StoreAwayError, match="not yet"):
            _catch_up(searched, event_log, engine)
    _catch_up(searched, event_log, engine)
    assert _kept(client, searched) == _folded(event_log)


def test_what_cannot_be_stored_is_parked(
    client: Elasticsearch,
    searched: Projection,
    event_log: EventLog,
    engine: Engine,
    fleet: Customer,
) -> None:
    """A place that is none is refused by Elasticsearch: parked, with why; the rest goes on."""
    _record(event_log, VINS[2], NOW + timedelta(hours=1), latitude=95.0, longitude=18.0)
    refused = event_log.head()
    _record(event_log, VINS[3], NOW + timedelta(hours=1))
    _catch_up(searched, event_log, engine)
    with engine.connect() as connection:
        (parked,) = connection.execute(select(parked_event)).all()
        row = connection.execute(select(projection).filter_by(name=searched.name)).one()
    assert (parked.projection, parked.position) == (searched.name, refused)
    assert "document_parsing_exception" in parked.error
    assert row.position == event_log.head()
    assert _kept(client, searched).keys() == _folded(event_log).keys()


def test_it_survives_a_restart_of_elasticsearch(
    event_log: EventLog, engine: Engine, fleet: Customer, cache: Path
) -> None:
    """Away while events come and searches are asked: then it is where the log is, by itself."""
    without = {k: v for k, v in os.environ.items() if k != "ELASTICSEARCH_URL"}
    supervisor = Supervisor(cache)
    server = find_or_provision(cache / "server", lambda _: None, environment=without, heap="384m")
    assert server.program is not None
    try:
        server.start(supervisor)
        with connect(server.url, 5) as client:
            searched = vehicle_search(client, "vehicle_search")
            search = _search(client, searched, engine)
            with _running(Follower(searched, event_log, engine, page=1_000)):
                PositionWatch(_patient(search.position), 60).wait_for(event_log.head())
                supervisor.stop(NAME, within_s=20)
                _record(event_log, VINS[2], NOW + timedelta(hours=1))
                with pytest.raises(Unavailable) as away:
                    search.search(VehicleQuery(), NOW)
                assert away.value.code == "search_unavailable"
                server.start(supervisor)
                PositionWatch(_patient(search.position), 60).wait_for(event_log.head())
            assert _kept(client, searched) == _folded(event_log)
    finally:
        supervisor.stop(NAME, within_s=20)
        supervisor.close()


def _patient(position: Callable[[], int]) -> Callable[[], int]:
    """The position; 0 while it cannot be had."""

    def found() -> int:
        try:
            return position()
        except (StoreAwayError, Unavailable):
            return 0

    return found


@pytest.mark.parametrize("sort", ["last_heartbeat_at", "-last_heartbeat_at", "status", "-status"])
def test_an_order_that_moves_stands_still_from_page_to_page(
    client: Elasticsearch,
    searched: Projection,
    event_log: EventLog,
    engine: Engine,
    fleet: Customer,
    sort: str,
) -> None:
    """All vehicles beat and change places between the pages; each comes once."""
    projections = (CUSTOMER_VEHICLES, searched)
    search, now, found = _search(client, searched, engine), NOW + timedelta(hours=1), list[str]()
    cursor: str | None = None
    for number in range(10):
        for n, vin in enumerate(VINS):
            _record(event_log, vin, now + timedelta(minutes=number, seconds=(n * 7 + number) % 5))
        for one in projections:
            _catch_up(one, event_log, engine)
        client.indices.refresh(index=searched.name)
        page = search.search(
            VehicleQuery(sort=sort, limit=2, cursor=cursor), now + timedelta(minutes=number)
        )
        found += [view.vehicle.vin for view in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(found) == [vin for vin in VINS if vin != VINS[1]]
    assert page.total == len(found)


def test_a_list_that_was_given_up_is_said_to_be(
    client: Elasticsearch,
    searched: Projection,
    event_log: EventLog,
    engine: Engine,
    fleet: Customer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A cursor that comes too late is a 422 that says what to do."""
    for one in (CUSTOMER_VEHICLES, searched):
        _catch_up(one, event_log, engine)
    client.indices.refresh(index=searched.name)
    search = _search(client, searched, engine)
    query = VehicleQuery(sort="status", limit=2)
    cursor = search.search(query, NOW).next_cursor
    assert cursor is not None
    snapshot = msgspec.json.decode(_unpacked(cursor))[2]
    client.close_point_in_time(id=snapshot)
    with pytest.raises(Invalid, match="given up") as late:
        search.search(VehicleQuery(sort="status", limit=2, cursor=cursor), NOW)
    assert late.value.code == "invalid_cursor"


def _unpacked(cursor: str) -> bytes:
    from base64 import urlsafe_b64decode

    return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


def test_a_hit_that_postgresql_does_not_know_is_left_out(
    client: Elasticsearch,
    searched: Projection,
    event_log: EventLog,
    engine: Engine,
    fleet: Customer,
) -> None:
    """Not shown and not counted; the position is the older of both, for that is what is shown."""
    for one in (CUSTOMER_VEHICLES, searched):
        _catch_up(one, event_log, engine)
    known = event_log.head()
    event_log.save(
        Vehicle(vin="NEW00000000000000", registration_number="N", customer_id=fleet.id, labels={})
    )
    _catch_up(searched, event_log, engine)
    client.indices.refresh(index=searched.name)
    page = _search(client, searched, engine).search(VehicleQuery(), NOW)
    assert (len(page.items), page.total, page.position) == (5, 5, known)
    _catch_up(CUSTOMER_VEHICLES, event_log, engine)
    page = _search(client, searched, engine).search(VehicleQuery(), NOW)
    assert (len(page.items), page.total, page.position) == (6, 6, event_log.head())


def test_a_rebuild_makes_what_is_live(
    client: Elasticsearch,
    searched: Projection,
    event_log: EventLog,
    engine: Engine,
    fleet: Customer,
    settings: Settings,
) -> None:
    """Built beside under the follower's eyes, swapped, the old one gone; and followed on."""
    with _running(Follower(searched, event_log, engine, page=7)):
        beside = searched.beside(searched.name, engine, settings)
        rebuilt = Rebuild(searched, beside, event_log, engine, page=4)
        assert rebuilt.run(lambda *_: None, Event())
        _record(event_log, VINS[3], NOW + timedelta(hours=2))
        PositionWatch(_search(client, searched, engine).position, patience_s=60).wait_for(
            event_log.head()
        )
    assert list(client.indices.get_alias(name=searched.name)) == [f"{searched.name}-000002"]
    assert _kept(client, searched) == _folded(event_log)

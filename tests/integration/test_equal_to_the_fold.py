"""Whatever happens, in whichever portions it is followed: what is kept is the fold of the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import update

from projections import parked
from projections.catalog import CUSTOMER_VEHICLES
from projections.customer_vehicles.relational import vehicle
from projections.customer_vehicles.said import PLACED
from projections.rebuild import Rebuild
from projections.store import Parked, advance, park
from tests.chaos.fold import PAGE
from tests.fleet_lives import Life
from tests.fleet_truth import rows_of, stored_rows
from tests.following import NOW, VINS, append, catch_up, new_follower, parked_rows, record, rewind
from vehicle_tracker.domain.heartbeat import HeartbeatRecorded
from vehicle_tracker.domain.values import heartbeat_stream
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from vehicle_tracker.domain.customer import Customer
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

STEPS = (*["heard"] * 9, "plated", "moved", "out", "renamed", "connected", "disconnected", "broken")
steps = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(STEPS), st.integers(0, 3), st.integers(0, 120)),
    min_size=5,
    max_size=50,
)
"""After how many seconds what happens to whom, and how."""

_LOG_AND_MODEL = (
    "vehicle_tracker_events, vehicle, customer, connections, fleet_size, projection, parked_event"
)


def _folded(log: EventLog) -> tuple[dict[Any, Any], set[int]]:
    """The rows that the log makes, one event after the other, and what cannot be folded."""
    documents: dict[Any, Any] = {}
    refused = set()
    for logged in log.read(0, PAGE):
        if logged.topic in CUSTOMER_VEHICLES.topics:
            try:
                event = log.event(logged)
                key = CUSTOMER_VEHICLES.key_of(event)
                documents[key] = CUSTOMER_VEHICLES.evolve(documents.get(key), event)
            except Exception:  # noqa: BLE001 # whatever it is
                refused.add(logged.position)
    return rows_of(documents), refused


def _lived(log: EventLog, engine: Engine, taken: list[tuple[int, str, int, int]]) -> None:
    """A life and nothing else, in the log; the read model is empty."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {_LOG_AND_MODEL} RESTART IDENTITY")
    life, number = Life(), 0
    for pause, step, who, how in taken:
        life.go("wait", 0, pause)
        if step == "broken":
            life.store(log)
            number += 1
            stream = heartbeat_stream(VINS[who])
            append(log, NewEvent(stream, number, HeartbeatRecorded.TOPIC, b"broken"))
        else:
            life.go(step, who, how)
    life.store(log)


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(taken=steps, data=st.data())
def test_what_is_kept_is_the_fold(
    event_log: EventLog,
    engine: Engine,
    settings: Settings,
    taken: list[tuple[int, str, int, int]],
    data: st.DataObject,
) -> None:
    """Late, repeated, unregistered, undecodable; pages cut anywhere, delivered again, rebuilt."""
    _lived(event_log, engine, taken)
    page, pages = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 5))
    catch_up(event_log, engine, page, pages)
    expected = _folded(event_log)
    assert (stored_rows(engine), {row.position for row in parked_rows(engine)}) == expected
    rewind(engine, min(data.draw(st.integers(0, 60)), event_log.head()))
    catch_up(event_log, engine, pages, page)
    assert (stored_rows(engine), {row.position for row in parked_rows(engine)}) == expected
    if data.draw(st.booleans()):
        projection = replace(CUSTOMER_VEHICLES, rebuilt_pages=pages)
        beside = projection.beside(projection.name, engine, settings)
        assert Rebuild(projection, beside, event_log, engine, page).run(lambda *_: 0, Event())
        assert (stored_rows(engine), {row.position for row in parked_rows(engine)}) == expected


def test_the_one_event_that_is_refused_is_parked(
    event_log: EventLog, engine: Engine, fleet: Customer
) -> None:
    """PostgreSQL refuses a stretch of many pages for one event in it: all the others are kept."""
    fleet.change_details("a\0b", "Väg 1")
    event_log.save(fleet)
    refused = event_log.head()
    for second in range(20):
        record(event_log, VINS[0], NOW + timedelta(hours=1, seconds=second))
    assert new_follower(event_log, engine, page=3, pages=100).catch_up()
    catch_up(event_log, engine, page=3, pages=100)
    assert [row.position for row in parked_rows(engine)] == [refused]
    expected, _ = _folded(event_log)
    kept = stored_rows(engine)
    changed = {key for key, row in expected.items() if kept[key] != row}
    assert {key.id for key in changed} == {str(fleet.id)}


def test_a_parked_heartbeat_is_merged_when_it_is_replayed(
    event_log: EventLog, engine: Engine, fleet: Customer
) -> None:
    """Parked for a defect that is mended since, it finds its place among those that came after."""
    name = CUSTOMER_VEHICLES.name
    record(event_log, VINS[0], NOW + timedelta(minutes=30), latitude=59.25, longitude=17.65)
    with engine.begin() as connection:
        (row,) = event_log.read(event_log.head() - 1, 1)
        park(connection, name, [Parked(row, "DefectError")])
        advance(connection, name, row.position)
    record(event_log, VINS[0], NOW + timedelta(hours=1), speed_kmh=70.0)
    catch_up(event_log, engine)
    rewind(engine, 0)
    catch_up(event_log, engine)
    with engine.begin() as connection:
        connection.execute(update(vehicle).values(dict.fromkeys(PLACED)))
    (one,) = parked.parked_events(engine, name)
    store = CUSTOMER_VEHICLES.store(name, engine)
    parked.replay(CUSTOMER_VEHICLES, store, event_log, one)
    assert (stored_rows(engine), parked_rows(engine)) == (_folded(event_log)[0], [])

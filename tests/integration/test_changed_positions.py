"""Each row knows when what is searched of it changed last: by that an index is kept up to date."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from projections.catalog import CUSTOMER_VEHICLES
from projections.customer_vehicles.cells import cell_of
from projections.customer_vehicles.relational import customer, vehicle
from projections.rebuild import Rebuild
from tests.following import NOW, VINS, append, catch_up, record, rewind
from vehicle_tracker.domain import connection
from vehicle_tracker.domain.connection import (
    ConnectionMended,
    VehicleConnected,
    VehicleDisconnected,
    connection_stream,
)
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.writing import NewEvent

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from vehicle_tracker.domain.connection import ConnectionEvent
    from vehicle_tracker.domain.customer import Customer
    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

LATER = NOW + timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def followed(event_log: EventLog, engine: Engine, fleet: Customer) -> int:
    """The fleet is in the read model, one vehicle in a known place; the log's head."""
    position = record(event_log, VINS[0], LATER, latitude=59.25, longitude=17.65)
    catch_up(event_log, engine)
    return position


def _changed(engine: Engine) -> dict[str, int]:
    """The vehicles' positions by VIN."""
    columns = vehicle.c["vin", "changed_position"]
    with engine.connect() as connection:
        return {row.vin: row.changed_position for row in connection.execute(select(*columns))}


def _cell(engine: Engine) -> int | None:
    with engine.connect() as connection:
        found = connection.execute(select(vehicle.c.grid_cell).where(vehicle.c.vin == VINS[0]))
        return found.scalar_one()


def test_heartbeats_in_a_cell_change_nothing_that_is_searched(
    event_log: EventLog, engine: Engine, followed: int
) -> None:
    """A heartbeat in the same cell, without a place, late, or delivered again."""
    before = _changed(engine)
    assert _cell(engine) == cell_of(59.25, 17.65)
    record(event_log, VINS[0], LATER + SECOND, latitude=59.39, longitude=17.61)
    record(event_log, VINS[0], LATER + 2 * SECOND, speed_kmh=1.0)
    record(event_log, VINS[0], LATER - SECOND, latitude=10, longitude=10)
    catch_up(event_log, engine)
    assert _changed(engine) == before
    rewind(engine, 20)
    catch_up(event_log, engine)
    assert _changed(engine) == before


def test_another_cell_changes_it(event_log: EventLog, engine: Engine, followed: int) -> None:
    """The first heartbeat in another cell tells its page's position, of that vehicle alone."""
    before = _changed(engine)
    position = record(event_log, VINS[0], LATER + SECOND, latitude=59.41, longitude=17.65)
    catch_up(event_log, engine)
    assert _changed(engine) == {**before, VINS[0]: position}
    assert _cell(engine) == cell_of(59.41, 17.65)


def test_the_first_heartbeat_changes_it(
    event_log: EventLog, engine: Engine, followed: int, fleet: Customer
) -> None:
    """Until it is heard a vehicle is never seen; from then on it is not."""
    new_vehicle = Vehicle("VLUR4X20009093588", "NEW 1", fleet.id, {})
    event_log.save(new_vehicle)
    catch_up(event_log, engine)
    position = record(event_log, new_vehicle.vin, LATER)
    catch_up(event_log, engine)
    assert _changed(engine)[new_vehicle.vin] == position
    record(event_log, new_vehicle.vin, LATER + SECOND)
    catch_up(event_log, engine)
    assert _changed(engine)[new_vehicle.vin] == position


def test_what_is_decided_and_judged_changes_it(
    event_log: EventLog, engine: Engine, followed: int, fleet: Customer
) -> None:
    """Its own events, verdicts on its connection; of customers what is decided about them."""
    before = _changed(engine)
    own = event_log.repository.get(vehicle_stream(VINS[1]))
    own.change_labels({"depot": "oslo"})
    event_log.save(own)
    catch_up(event_log, engine)
    labelled = event_log.head()
    event = VehicleConnected(VINS[2], LATER, 120)
    state = connection.encode(event)
    row = NewEvent(connection_stream(event.vin), event.version, event.TOPIC, state)
    judged = append(event_log, row)
    catch_up(event_log, engine)
    assert _changed(engine) == {**before, VINS[1]: labelled, VINS[2]: judged}
    fleet.change_details("Kalles Grus", "Väg 2")
    event_log.save(fleet)
    catch_up(event_log, engine)
    with engine.connect() as connected:
        assert connected.execute(select(customer.c.changed_position)).scalars().all() == [
            event_log.head()
        ]


def test_a_mended_past_changes_nothing_that_is_searched(
    event_log: EventLog, engine: Engine, followed: int
) -> None:
    """But where it tells of a connection that lasted longer: vehicles are searched by its end."""

    def judged(event: ConnectionEvent) -> int:
        row = NewEvent(
            connection_stream(event.vin), event.version, event.TOPIC, connection.encode(event)
        )
        position = append(event_log, row)
        catch_up(event_log, engine)
        return position

    judged(VehicleConnected(VINS[2], LATER, 120))
    silent = judged(VehicleDisconnected(VINS[2], LATER + 60 * SECOND, 120))
    before = {**_changed(engine), VINS[2]: silent}
    early, late = LATER - 600 * SECOND, LATER + 90 * SECOND
    judged(ConnectionMended(VINS[2], early, 120, early, early))
    assert _changed(engine) == before
    longer = judged(ConnectionMended(VINS[2], late, 120, late, late))
    assert _changed(engine) == {**before, VINS[2]: longer}


def test_a_rebuild_tells_positions_of_its_pages(
    event_log: EventLog, engine: Engine, settings: Settings, followed: int
) -> None:
    """After a rebuild no row is said to have changed before it did, and none later than the end."""
    live = _changed(engine)
    beside = CUSTOMER_VEHICLES.beside(CUSTOMER_VEHICLES.name, engine, settings)
    assert Rebuild(CUSTOMER_VEHICLES, beside, event_log, engine, 7).run(lambda *_: None, Event())
    rebuilt = _changed(engine)
    assert rebuilt.keys() == live.keys()
    assert max(rebuilt.values()) <= followed
    with engine.connect() as connected:
        indexes = connected.execute(
            text("SELECT indexname FROM pg_indexes WHERE indexname LIKE '%changed_position_idx'")
        ).scalars()
        assert sorted(indexes) == ["customer_changed_position_idx", "vehicle_changed_position_idx"]

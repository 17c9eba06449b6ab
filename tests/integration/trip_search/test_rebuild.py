"""When trips were rebuilt or put back, the index becomes what they are; it may be rebuilt, too."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, update

from projections import index_copy
from projections.catalog import TRIPS, trips
from projections.database import projection
from projections.elasticsearch_index import first_index
from projections.follower import alone
from projections.rebuild import BusyError
from projections.trips.tables import trip
from tests.following import VINS, to_the_end

if TYPE_CHECKING:
    from tests.integration.trip_search.conftest import Driven
    from vehicle_tracker.settings import Settings


def test_trips_that_were_rebuilt(driven: Driven, settings: Settings) -> None:
    """The index is filled anew beside and swapped: nothing of the trips before is left in it."""
    log, engine, name = driven.log, driven.engine, driven.index.name
    follower = driven.index.follower(log, engine, 3)
    to_the_end(follower)
    driven.client.index(index=name, id="x", document={"kind": "trip", "vin": "NOT THERE"})
    rebuild = trips(log).rebuild(log, engine, settings, 7)
    assert rebuild.run(lambda *_: None, Event())
    with alone(f"rebuild {name}", engine):  # an operator is at it
        assert follower.catch_up() == 0
    to_the_end(follower)
    assert driven.kept() == driven.expected()
    assert driven.indices() == [f"{name}-000002"]
    assert driven.state() == (log.head(), 1)
    driven.drive(VINS[4], 0)
    driven.fold()
    driven.copy()
    assert driven.kept() == driven.expected()


def test_trips_that_were_put_back(driven: Driven) -> None:
    """Behind the index, as after a backup was restored: what it knows too much is forgotten."""
    driven.copy()
    with driven.engine.begin() as connection:
        connection.execute(update(projection).where(projection.c.name == TRIPS).values(position=20))
        connection.execute(delete(trip).where(trip.c.vin != VINS[0]))
    driven.copy()
    assert len(driven.kept()) == 3
    assert driven.kept() == driven.expected()
    assert driven.state() == (20, 0)


def test_a_rebuild_goes_on_where_it_was_stopped(
    driven: Driven, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped by hand, the live index stays; then it is swapped. One at a time."""
    monkeypatch.setattr(index_copy, "FILLED_AT_ONCE", 1)
    log, engine, name = driven.log, driven.engine, driven.index.name
    driven.copy()
    stop, said = Event(), list[tuple[int, int]]()

    def stop_after_a_page(position: int, head: int) -> None:
        said.append((position, head))
        stop.set()

    assert not driven.index.rebuild(log, engine, settings, 2).run(stop_after_a_page, stop)
    assert driven.indices() == [first_index(name)]
    again = driven.index.rebuild(log, engine, settings, 2)
    with alone(f"rebuild {name}", engine), pytest.raises(BusyError):
        again.run(lambda *_: None, Event())
    assert again.run(lambda *one: said.append(one), Event())
    assert said == sorted(set(said))
    assert said[-1] == (log.head(), log.head())
    assert driven.kept() == driven.expected()
    assert list(driven.client.indices.get_alias(name=f"{name}*")) == [f"{name}-000002"]

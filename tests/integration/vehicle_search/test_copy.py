"""The index of vehicles is what the tables say, however and how often it is copied."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from projections import elasticsearch_index
from projections.catalog import CUSTOMER_VEHICLES
from projections.customer_vehicles.relational import vehicle
from projections.store import StoreAwayError
from tests.copying import cut_off
from tests.following import NOW, VINS, record
from tests.integration.vehicle_search.conftest import HEARD_AT
from vehicle_tracker.domain.values import vehicle_stream

if TYPE_CHECKING:
    from tests.integration.vehicle_search.conftest import Copied
    from vehicle_tracker.settings import Settings

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("page", [1, 2, 5, 1_000])
def test_the_index_is_what_the_tables_are(copied: Copied, page: int) -> None:
    """However it is portioned: vehicles in use, each with its customer's name, limit and status."""
    copied.copy(page)
    assert len(copied.kept()) == 5
    assert copied.kept() == copied.expected()
    assert copied.state() == (copied.log.head(), 0)


def test_ordinary_heartbeats_write_nothing(copied: Copied) -> None:
    """Of a connected vehicle in the cell where it was; a verdict, or another cell, does."""
    copied.copy()
    before = copied.versions()
    record(copied.log, VINS[0], HEARD_AT + 10 * SECOND, latitude=59.02, longitude=18.02)
    copied.fold()
    copied.copy()
    assert copied.versions() == before
    assert copied.state() == (copied.log.head(), 0)
    record(copied.log, VINS[0], HEARD_AT + 20 * SECOND, latitude=59.22, longitude=18.02)
    copied.fold(judged_by=HEARD_AT + 6 * SECOND)  # VINS[2] has a limit of 5 s
    copied.copy()
    after = copied.versions()
    assert {vin for vin in VINS if after.get(vin) != before.get(vin)} == {VINS[0], VINS[2]}
    statuses = {one["vin"]: one["status"] for one in copied.kept().values()}
    assert [vin for vin, status in statuses.items() if status == "disconnected"] == [VINS[2]]
    assert copied.kept() == copied.expected()


def test_a_changed_customer_rewrites_its_vehicles(copied: Copied) -> None:
    """Their documents have its new name or limit, though no row of theirs was touched."""
    copied.copy()
    changed = select(func.max(vehicle.c.changed_position))
    with copied.engine.connect() as connection:
        before = connection.execute(changed).scalar_one()
    copied.owner.change_details("Östers Åkeri", "Väg 1")
    copied.other.change_disconnect_after(7)
    copied.log.save(copied.owner, copied.other)
    copied.fold()
    copied.copy(page=1)
    with copied.engine.connect() as connection:
        assert connection.execute(changed).scalar_one() == before
    assert copied.kept() == copied.expected()
    assert {one["customer_folded"] for one in copied.kept().values()} == {"johan", "osters akeri"}
    assert {one.get("limit_s") for one in copied.kept().values()} == {None, 5, 7}


@pytest.mark.parametrize("fails_at", range(1, 8))
def test_a_page_that_was_written_in_part_is_written_again(
    copied: Copied, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    """Cut off before any of its writes, gone on with after more has changed: the same documents."""

    def copy_while_they_change() -> None:
        for number in range(8):
            copied.owner.change_details(f"Kalle {number}", "Väg 1")
            copied.log.save(copied.owner)
            copied.fold(judged_by=HEARD_AT + number * 60 * SECOND)
            copied.copy(page=2)

    with monkeypatch.context() as patch:
        patch.setattr(elasticsearch_index, "AT_ONCE", 2)
        with cut_off(copied.client, fails_at), pytest.raises(StoreAwayError):
            copy_while_they_change()
    copied.copy(page=3)
    assert copied.kept() == copied.expected()


def test_whoever_is_late_takes_nothing_back(
    copied: Copied, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was held up writes after another has gone on: the newer documents stay."""
    bulk = copied.client.bulk

    def overtaken(**request: Any) -> Any:
        monkeypatch.setattr(copied.client, "bulk", bulk)
        copied.owner.change_details("Östers Åkeri", "Väg 1")
        scrapped = copied.log.repository.get(vehicle_stream(VINS[3]))
        scrapped.decommission()
        copied.log.save(copied.owner, scrapped)
        copied.fold(judged_by=NOW + timedelta(hours=1))
        copied.copy()
        return bulk(**request)

    monkeypatch.setattr(copied.client, "bulk", overtaken)
    copied.copy()
    assert len(copied.kept()) == 4
    assert copied.kept() == copied.expected()


def test_tables_that_were_rebuilt_are_copied_anew(copied: Copied, settings: Settings) -> None:
    """Beside, and swapped: nothing of what was before is left."""
    copied.copy()
    copied.client.index(index=copied.index.name, id="x", document={"kind": "vehicle", "vin": "X"})
    rebuild = CUSTOMER_VEHICLES.rebuild(copied.log, copied.engine, settings, 7)
    assert rebuild.run(lambda *_: None, Event())
    copied.copy()
    assert copied.kept() == copied.expected()
    assert copied.indices() == [f"{copied.index.name}-000002"]
    assert copied.state() == (copied.log.head(), 1)
    interval = copied.client.indices.get_settings(index=copied.index.name, flat_settings=True)
    assert interval[f"{copied.index.name}-000002"]["settings"]["index.refresh_interval"] == "500ms"

"""Whatever becomes of Elasticsearch, the index of vehicles comes back by itself and whole."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from embedded.elasticsearch import NAME, find_or_provision
from embedded.supervisor import Supervisor
from projections.elasticsearch import connect
from projections.elasticsearch_index import first_index
from projections.indexes import vehicle_search
from projections.store import StoreAwayError
from projections.vehicle_search.index import DEFINITION
from projections.vehicle_search.model import VehicleQuery
from read_service.positions import PositionWatch
from tests.following import NOW, running
from vehicle_tracker.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.vehicle_search.conftest import Copied


def _change(copied: Copied) -> None:
    copied.fold(judged_by=NOW + timedelta(hours=1))


def _reached(copied: Copied) -> None:
    search = copied.search()

    def position() -> int:
        try:
            return search.position()
        except Unavailable:
            return 0

    PositionWatch(position, patience_s=60).wait_for(copied.log.head())


def test_a_lost_index_is_filled_again_by_itself(copied: Copied) -> None:
    """Its position is lost with it, so who follows begins anew."""
    with running(copied.index.follower(copied.log, copied.engine, 1_000)):
        _reached(copied)
        copied.client.indices.delete(index=first_index(copied.index.name))
        _change(copied)
        _reached(copied)
    assert copied.kept() == copied.expected()


def test_an_index_of_another_release_is_filled_anew(copied: Copied) -> None:
    """Its documents have other fields, or none of these: they are not waited for one by one."""
    older = {
        **DEFINITION.mappings,
        "properties": {
            name: kind
            for name, kind in DEFINITION.mappings["properties"].items()
            if name != "grid_row"
        },
    }
    copied.client.indices.create(
        index=first_index(copied.index.name),
        aliases={copied.index.name: {}},
        settings=DEFINITION.settings,
        mappings=older,
    )
    old = {"kind": "position", "position": copied.log.head(), "generation": 0}
    copied.client.index(index=copied.index.name, id="position", document=old)
    copied.copy()
    assert copied.kept() == copied.expected()
    assert copied.state() == (copied.log.head(), 0)


def test_a_full_disk_stops_it_and_loses_nothing(copied: Copied) -> None:
    """What Elasticsearch does on a full disk is refused writing; it goes on where it was."""
    copied.copy()
    full = "index.blocks.read_only_allow_delete"
    copied.client.indices.put_settings(index=copied.index.name, settings={full: True})
    _change(copied)
    with pytest.raises(StoreAwayError, match="block"):
        copied.copy()
    copied.client.indices.put_settings(index=copied.index.name, settings={full: None})
    copied.copy()
    assert copied.kept() == copied.expected()


def test_it_survives_a_restart_of_elasticsearch(copied: Copied, cache: Path) -> None:
    """Away while things change and searches are asked: then it is where the tables are."""
    without = {k: v for k, v in os.environ.items() if k != "ELASTICSEARCH_URL"}
    supervisor = Supervisor(cache)
    server = find_or_provision(cache / "server", lambda _: None, environment=without, heap="384m")
    try:
        server.start(supervisor)
        with connect(server.url, 5) as client:
            away = replace(copied, client=client, index=vehicle_search(client))
            search = away.search()
            with running(away.index.follower(copied.log, copied.engine, 1_000)):
                _reached(away)
                supervisor.stop(NAME, within_s=20)
                _change(copied)
                with pytest.raises(Unavailable) as refusal:
                    search.search(VehicleQuery(), NOW)
                assert refusal.value.code == "search_unavailable"
                server.start(supervisor)
                _reached(away)
            assert away.kept() == away.expected()
    finally:
        supervisor.stop(NAME, within_s=20)
        supervisor.close()

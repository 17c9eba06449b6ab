"""One page of the log, folded into what is kept of trips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from projections.json_rows import write_rows
from projections.trips import tables
from projections.trips.derivation import State
from projections.trips.derived import derived_trips
from projections.trips.history import during, following
from projections.trips.measure import Reading
from projections.trips.news import News
from projections.trips.places import with_places
from projections.trips.reported_store import keep_reported
from projections.trips.vehicle import BEGINNING, Folded, fold, stale_since, told_all

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

    from projections.trips.history import History
    from projections.trips.model import Trip
    from projections.trips.rules import TripRules
    from projections.trips.vehicle import Followed

_NO_NEWS = News()


class Page:
    """What a page says of vehicles, and what was kept of them and their customers' rules."""

    def __init__(
        self,
        connection: Connection,
        history: History,
        news: Mapping[str, News],
        kept: Mapping[str, Followed],
        rules: Mapping[UUID, TripRules],
    ) -> None:
        self._connection = connection
        self._history = history
        self._news = news
        self._kept = kept
        self._rules = rules
        self._stale: dict[str, datetime] = {}
        self._vehicles: dict[str, Followed] = {}
        self._folded: dict[str, Folded] = {}
        self._forgotten: set[UUID] = set()

    def fold(self, changed_rules: set[UUID]) -> Mapping[str, Followed]:
        """Fold and write; what is kept of the vehicles now."""
        for vehicle_id in self._kept.keys() | self._news.keys():
            self._go_on(vehicle_id, changed_rules)
        self._begin_again()
        self._write_trips()
        self._write_vehicles()
        keep_reported(self._connection, self._history, self._kept, self._vehicles, self._news)
        return {vehicle_id: folded.vehicle for vehicle_id, folded in self._folded.items()}

    def _go_on(self, vehicle_id: str, changed_rules: set[UUID]) -> None:
        """Fold what comes in its order; note what does not."""
        kept, news = self._kept.get(vehicle_id), self._news.get(vehicle_id, _NO_NEWS)
        vehicle = self._vehicles[vehicle_id] = told_all(kept, news)
        readings = [Reading.of(event) for event in news.heartbeats]
        if len(readings) > 1:
            readings.sort(key=lambda one: one.recorded_at)
        stale = stale_since(kept, vehicle, readings, changed_rules)
        if stale is None:
            if readings or vehicle is not kept:
                self._folded[vehicle_id] = fold(vehicle, readings, self._rules)
        else:
            self._stale[vehicle_id] = stale

    def _begin_again(self) -> None:
        """Fold from the last checkpoint before on what is stale, and forget what followed."""
        if not self._stale:
            return
        stale = [tables.StaleRow(*one) for one in self._stale.items()]
        found = tables.select_checkpoints(self._connection, stale)
        forget = [
            tables.StaleRow(id_, found[id_].at if id_ in found else None) for id_ in self._stale
        ]
        write_rows(self._connection, tables.FORGET_CHECKPOINTS, forget)
        self._forgotten |= tables.forget_derived(self._connection, forget)
        spans = {}
        for vehicle_id in self._stale:
            vehicle, checkpoint = self._vehicles[vehicle_id], found.get(vehicle_id)
            state = checkpoint.state if checkpoint else State()
            begin = replace(vehicle, state=state, since_checkpoint=0)
            self._folded[vehicle_id] = Folded(begin, [], [])
            until = self._heard_until(vehicle_id)
            spans[vehicle_id] = (
                following(vehicle.vin, checkpoint.at, until)
                if checkpoint
                else during(vehicle.vin, BEGINNING, until)
            )
        for vehicle_id, readings in self._history.read(spans):
            folded = self._folded[vehicle_id]
            self._folded[vehicle_id] = folded.then(fold(folded.vehicle, readings, self._rules))

    def _heard_until(self, vehicle_id: str) -> datetime:
        heard = self._vehicles[vehicle_id].heard_until or BEGINNING
        news = self._news.get(vehicle_id, _NO_NEWS).heartbeats
        return max([heard, *(event.recorded_at for event in news)])

    def _write_trips(self) -> None:
        found: dict[UUID, Trip] = {}
        open_no_more = []
        for vehicle_id, folded in self._folded.items():
            was, is_ = self._vehicles[vehicle_id].state.open, folded.vehicle.state.open
            same = was is is_ or (was and is_ and was.started_at == is_.started_at)
            if vehicle_id in self._stale or folded.finished or not same:
                open_no_more.append(vehicle_id)
                found |= {one.trip_id: one for one in derived_trips(vehicle_id, folded)}
        if not open_no_more:
            return
        self._forgotten |= tables.forget_open(self._connection, open_no_more)
        on_the_way: dict[UUID, list[Reading]] = {trip_id: [] for trip_id in found}
        spans = {
            one.trip_id: during(one.vin, one.started_at, one.ended_at)
            for one in found.values()
            if one.ended_at
        }
        for trip_id, readings in self._history.read(spans):
            on_the_way[trip_id] += readings
        rows = [with_places(one, on_the_way[one.trip_id]) for one in found.values()]
        position = self._history.position
        write_rows(self._connection, tables.WRITE_TRIPS, rows, position=position)
        tables.keep_gone(self._connection, self._forgotten - found.keys(), position)

    def _write_vehicles(self) -> None:
        whole, heard, checkpoints = [], [], []
        for vehicle_id, folded in self._folded.items():
            if self._vehicles[vehicle_id] is self._kept.get(vehicle_id):
                heard.append(tables.heard_row(vehicle_id, folded.vehicle))
            else:
                whole.append(tables.followed_row(vehicle_id, folded.vehicle))
            for state in folded.checkpoints:
                if state.last:
                    at = state.last.recorded_at
                    checkpoints.append(tables.CheckpointRow(vehicle_id, at, state))
        statements: tuple[tuple[Any, Any], ...] = (
            (tables.WRITE_FOLLOWED, whole),
            (tables.WRITE_HEARD, heard),
            (tables.WRITE_CHECKPOINTS, checkpoints),
        )
        for statement, rows in statements:
            write_rows(self._connection, statement, rows)

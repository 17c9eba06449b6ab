"""One page of the log, folded into what is kept of trips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from projections.json_rows import write_rows
from projections.trips import rows
from projections.trips.derivation import State
from projections.trips.derived import derived_trips
from projections.trips.history import during, following
from projections.trips.measure import Reading
from projections.trips.news import News
from projections.trips.places import with_places
from projections.trips.reported_store import keep_reported
from projections.trips.vehicle import (
    BEGINNING,
    Folded,
    fold,
    is_to_be_written,
    stale_since,
    told_all,
)
from vehicle_tracker.domain.values import vehicle_stream, vehicle_streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection

    from projections.trips.history import History
    from projections.trips.model import Trip
    from projections.trips.rules import TripRules
    from projections.trips.vehicle import Followed

_NO_NEWS = News()


class Page:
    """What a page says of vehicles, and what was kept of them and their customers' rules.

    Vehicles go by their VINs.
    """

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

    def fold(self, changed_rules: set[UUID]) -> Iterator[Followed]:
        """Fold and write; the vehicles as they are now, of which anything is new."""
        for vin in self._kept.keys() | self._news.keys():
            self._go_on(vin, changed_rules)
        self._begin_again()
        self._write_trips()
        self._write_vehicles()
        keep_reported(self._connection, self._history, self._kept, self._vehicles, self._news)
        return (folded.vehicle for folded in self._folded.values())

    def _go_on(self, vin: str, changed_rules: set[UUID]) -> None:
        """Fold what comes in its order; note what does not."""
        kept, news = self._kept.get(vin), self._news.get(vin, _NO_NEWS)
        vehicle = self._vehicles[vin] = told_all(kept, news)
        readings = [Reading.of(event) for event in news.heartbeats]
        if len(readings) > 1:
            readings.sort(key=lambda one: one.recorded_at)
        stale = stale_since(kept, vehicle, readings, changed_rules)
        if stale is None:
            if readings or vehicle is not kept:
                self._folded[vin] = fold(vehicle, readings, self._rules)
        else:
            self._stale[vin] = stale

    def _begin_again(self) -> None:
        """Fold from the last checkpoint before on what is stale, and forget what followed."""
        if not self._stale:
            return
        ids = {str(vehicle_stream(vin)): vin for vin in self._stale}
        stale = [rows.StaleRow(id_, self._stale[vin]) for id_, vin in ids.items()]
        found = rows.select_checkpoints(self._connection, stale)
        forget = [rows.StaleRow(id_, found[id_].at if id_ in found else None) for id_ in ids]
        write_rows(self._connection, rows.FORGET_CHECKPOINTS, forget)
        self._forgotten |= rows.forget_derived(self._connection, forget)
        spans = {}
        for id_, vin in ids.items():
            vehicle, checkpoint = self._vehicles[vin], found.get(id_)
            state = checkpoint.state if checkpoint else State()
            begin = replace(vehicle, state=state, since_checkpoint=0)
            self._folded[vin] = Folded(begin, [], [])
            until = self._heard_until(vin)
            spans[vin] = (
                following(vin, checkpoint.at, until)
                if checkpoint
                else during(vin, BEGINNING, until)
            )
        for vin, readings in self._history.read(spans):
            folded = self._folded[vin]
            self._folded[vin] = folded.then(fold(folded.vehicle, readings, self._rules))

    def _heard_until(self, vin: str) -> datetime:
        heard = self._vehicles[vin].heard_until or BEGINNING
        news = self._news.get(vin, _NO_NEWS).heartbeats
        return max([heard, *(event.recorded_at for event in news)])

    def _write_trips(self) -> None:
        found: dict[UUID, Trip] = {}
        open_no_more = []
        for vin, folded in self._folded.items():
            was, is_ = self._vehicles[vin].state.open, folded.vehicle.state.open
            same = was is is_ or (was and is_ and was.started_at == is_.started_at)
            if vin in self._stale or folded.finished or not same:
                open_no_more.append(vin)
                found |= {one.trip_id: one for one in derived_trips(folded)}
        if not open_no_more:
            return
        self._forgotten |= rows.forget_open(self._connection, open_no_more)
        on_the_way: dict[UUID, list[Reading]] = {trip_id: [] for trip_id in found}
        spans = {
            one.trip_id: during(one.vin, one.started_at, one.ended_at)
            for one in found.values()
            if one.ended_at
        }
        for trip_id, readings in self._history.read(spans):
            on_the_way[trip_id] += readings
        trips = [with_places(one, on_the_way[one.trip_id]) for one in found.values()]
        position = self._history.position
        write_rows(self._connection, rows.WRITE_TRIPS, trips, position=position)
        rows.keep_gone(self._connection, self._forgotten - found.keys(), position)

    def _write_vehicles(self) -> None:
        whole, heard, checkpoints = [], [], []
        for vin, folded in self._folded.items():
            kept, vehicle = self._kept.get(vin), folded.vehicle
            if kept is None or self._vehicles[vin] is not kept:
                whole.append(rows.followed_row(vehicle))
            elif vin in self._stale or is_to_be_written(kept, vehicle):
                heard.append(rows.heard_row(vehicle))
            checkpoints += [
                rows.CheckpointRow(vehicle_streams([vin])[0], state.last.recorded_at, state)
                for state in folded.checkpoints
                if state.last
            ]
        statements: tuple[tuple[Any, Any], ...] = (
            (rows.WRITE_FOLLOWED, whole),
            (rows.WRITE_HEARD, heard),
            (rows.WRITE_CHECKPOINTS, checkpoints),
        )
        for statement, documents in statements:
            write_rows(self._connection, statement, documents)

"""Where the follower keeps trips: what a page says is folded into what is kept, as one step.

Heartbeats in their order cost a step each and no look into the log. What changes the past (a
heartbeat that comes late, other rules, an owner that was not known) lets the vehicle's heartbeats
be read from the log again, from the last checkpoint before on, and replaces what followed from
them. The log is read as it was at the page's end, so whatever is kept at a position follows from
the events up to there, in whichever order they came.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import delete, func, or_

from projections.json_rows import write_rows
from projections.store import RelationalStore, UnstorableError
from projections.trips import tables
from projections.trips.derivation import State
from projections.trips.derived import derived_trips
from projections.trips.history import History
from projections.trips.measure import Reading
from projections.trips.news import Key, News
from projections.trips.reported_store import keep_reported
from projections.trips.vehicle import (
    BEGINNING,
    DEFAULT,
    Folded,
    Followed,
    fold,
    stale_since,
    told_all,
)
from vehicle_tracker.domain.customer import Customer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from projections.store import Change
    from projections.trips.model import Trip
    from projections.trips.rules import TripRules
    from vehicle_tracker.event_log import EventLog

_DEFECTS = (LookupError, TypeError, ArithmeticError)
"""What an event raises that says what cannot be."""

_NO_NEWS = News()


class TripsStore(RelationalStore[Key, News]):
    """A store in PostgreSQL, that reads the log again where something came late."""

    def __init__(self, open_log: Callable[[], EventLog], name: str, engine: Engine) -> None:
        super().__init__(name, engine)
        self._open_log = open_log

    @cached_property
    def _log(self) -> EventLog:
        return self._open_log()

    def select(
        self,
        connection: Connection,  # noqa: ARG002 # news are of a page and not kept
        keys: Iterable[Key],  # noqa: ARG002
    ) -> Iterable[tuple[Key, News]]:
        """Nothing: what a page says is of that page."""
        return ()

    def write(self, connection: Connection, changes: Mapping[Key, Change], position: int) -> None:
        """Fold what the page says into what is kept."""
        try:
            _Page(connection, History(self._log, position)).fold(changes)
        except _DEFECTS as error:
            raise UnstorableError(f"{type(error).__name__}: {error}") from error


class _Page:
    """One page of the log, folded into what is kept."""

    def __init__(self, connection: Connection, history: History) -> None:
        self._connection = connection
        self._history = history
        self._rules: dict[UUID, TripRules] = {}
        self._trips: list[Trip] = []
        self._open_no_more: list[UUID] = []
        self._rows: list[tables.FollowedRow] = []
        self._checkpoints: list[tables.CheckpointRow] = []

    def fold(self, changes: Mapping[Key, Change]) -> None:
        """Fold, then write."""
        of_vehicles = {UUID(k.id): one.after for k, one in changes.items() if k.kind == "vehicle"}
        of_customers = {UUID(k.id): one.after for k, one in changes.items() if k.kind != "vehicle"}
        changed_rules = self._keep_rules(of_customers)
        kept = dict(tables.select_followed(self._connection, of_vehicles, changed_rules))
        vehicles = {
            vehicle_id: told_all(kept.get(vehicle_id), of_vehicles.get(vehicle_id, _NO_NEWS))
            for vehicle_id in kept.keys() | of_vehicles.keys()
        }
        owners = {one.customer_id for v in vehicles.values() for one in v.belongings.values()}
        self._rules = tables.rules_by_customer(tables.select_rules(self._connection, owners))
        for vehicle_id, vehicle in vehicles.items():
            news = of_vehicles.get(vehicle_id, _NO_NEWS)
            self._follow(vehicle_id, kept.get(vehicle_id), vehicle, news, changed_rules)
        self._write()
        keep_reported(self._connection, self._history, kept, vehicles, of_vehicles)

    def _follow(
        self,
        vehicle_id: UUID,
        kept: Followed | None,
        vehicle: Followed,
        news: News,
        changed_rules: set[UUID],
    ) -> None:
        readings = sorted(map(Reading.of, news.heartbeats), key=lambda one: one.recorded_at)
        stale = stale_since(kept, vehicle, readings, changed_rules)
        if stale is None:
            folded = fold(vehicle, readings, self._rules)
        else:
            folded = self._again(vehicle_id, vehicle, stale, readings)
        if folded.vehicle is not kept:
            self._rows.append(tables.followed_row(vehicle_id, folded.vehicle))
        for state in folded.checkpoints:
            if state.last:
                row = tables.CheckpointRow(vehicle_id, state.last.recorded_at, state)
                self._checkpoints.append(row)
        was, is_ = vehicle.state.open, folded.vehicle.state.open
        if stale or folded.finished or (was and was.started_at) != (is_ and is_.started_at):
            self._open_no_more.append(vehicle_id)
            self._trips += derived_trips(vehicle_id, folded, self._history)

    def _again(
        self, vehicle_id: UUID, vehicle: Followed, stale: datetime, readings: list[Reading]
    ) -> Folded:
        """Fold its heartbeats again, from the last checkpoint before on."""
        found = tables.checkpoint_before(self._connection, vehicle_id, stale)
        instant = found.at if found else None
        self._forget_after(vehicle_id, instant)
        newest = [reading.recorded_at for reading in readings[-1:]]
        until = max(filter(None, (vehicle.heard_until, *newest)))
        if instant:
            again = self._history.after(vehicle.vin, instant, until)
        else:
            again = self._history.during(vehicle.vin, BEGINNING, until)
        state = found.state if found else State()
        return fold(replace(vehicle, state=state, since_checkpoint=0), again, self._rules)

    def _forget_after(self, vehicle_id: UUID, instant: datetime | None) -> None:
        trip, checkpoint = tables.trip, tables.checkpoint
        gone = delete(checkpoint).where(checkpoint.c.vehicle_id == vehicle_id)
        trips = delete(trip).where(trip.c.vehicle_id == vehicle_id, trip.c.source == "derived")
        if instant:
            gone = gone.where(checkpoint.c.at > instant)
            trips = trips.where(or_(trip.c.known_at > instant, trip.c.ended_at.is_(None)))
        self._connection.execute(gone)
        self._connection.execute(trips)

    def _keep_rules(self, news: Mapping[UUID, News]) -> set[UUID]:
        """Keep the customers' rules; whose are others than before."""
        if not news:
            return set()
        kept = tables.select_rules(self._connection, news)
        rows = [
            tables.RulesRow(customer_id, event.originator_version, event.rules)
            for customer_id, said in news.items()
            for event in said.events[-1:]
            if isinstance(event, Customer.TripRulesChanged)
        ]
        newer = [
            row
            for row in rows
            if (was := kept.get(row.customer_id)) is None or was.version < row.version
        ]
        write_rows(self._connection, tables.WRITE_RULES, newer)
        before = tables.rules_by_customer(kept)
        after = tables.rules_by_customer({row.customer_id: row for row in newer})
        return {id_ for id_, rules in after.items() if rules != before.get(id_, DEFAULT)}

    def _write(self) -> None:
        trip = tables.trip
        if self._open_no_more:
            self._connection.execute(
                delete(trip).where(
                    trip.c.vehicle_id == func.any(tables.any_of(self._open_no_more)),
                    trip.c.source == "derived",
                    trip.c.ended_at.is_(None),
                )
            )
        statements: tuple[tuple[Any, Any], ...] = (
            (tables.WRITE_TRIPS, self._trips),
            (tables.WRITE_CHECKPOINTS, self._checkpoints),
            (tables.WRITE_FOLLOWED, self._rows),
        )
        for statement, rows in statements:
            write_rows(self._connection, statement, rows)

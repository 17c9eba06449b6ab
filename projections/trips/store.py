"""Where the follower keeps trips: what a page says is folded into what is kept, as one step.

Heartbeats in their order cost a step each and no look into the log. What changes the past (a
heartbeat that comes late, other rules, an owner that was not known) lets the vehicle's heartbeats
be read from the log again, from the last checkpoint before on, and replaces what followed from
them. The log is read as it was at the page's end, so whatever is kept at a position follows from
the events up to there, in whichever order they came.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from projections.json_rows import write_rows
from projections.store import OvertakenError, RelationalStore, UnstorableError
from projections.trips import tables
from projections.trips.history import History
from projections.trips.news import Key, News
from projections.trips.page import Page
from projections.trips.rules import TripRules
from projections.trips.vehicle import DEFAULT
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.event_log import LOG_UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from projections.store import Change, Parked
    from projections.trips.tables import RulesRow
    from projections.trips.vehicle import Followed
    from vehicle_tracker.event_log import EventLog

V = TypeVar("V")

MOST_KNOWN = 200_000
"""So many vehicles are kept in memory, about 2 KB each."""

STALE_AT_ONCE = 20
"""So many vehicles are folded again at a time, whose trips of years may have to be in memory."""

_DEFECTS = (LookupError, TypeError, ArithmeticError)
"""What an event raises that says what cannot be."""


class TripsStore(RelationalStore[Key, News]):
    """A store in PostgreSQL, that reads the log again where something came late.

    Nobody else stores while this one does, so what it wrote need not be read again.
    """

    def __init__(self, open_log: Callable[[], EventLog], name: str, engine: Engine) -> None:
        super().__init__(name, engine)
        self._open_log = open_log
        self._known: dict[str, Followed] = {}
        self._known_at: int | None = None
        self._rules: dict[UUID, RulesRow] | None = None

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

    def store(
        self, changes: Mapping[Key, Change], *, after: int, position: int, parked: Sequence[Parked]
    ) -> None:
        """Fold the changes, keep the parked events and the position as one step, or none of it."""
        if after != self._known_at or len(self._known) > MOST_KNOWN:
            self._forget()
        self._known_at = None  # until it is stored
        try:
            super().store(changes, after=after, position=position, parked=parked)
        except LOG_UNREACHABLE:
            self._log.drop_lost_connections()
            raise
        self._known_at = position

    def amend(self, changes: Mapping[Key, Change], *, after: int, replayed: int) -> None:
        """Fold the changes at the position at which it is; the event replayed is parked no more."""
        self._forget()
        super().amend(changes, after=after, replayed=replayed)

    def write(self, connection: Connection, changes: Mapping[Key, Change], position: int) -> None:
        """Fold what the page says into what is kept."""
        of_vehicles = {k.id: one.after for k, one in changes.items() if k.kind == "vehicle"}
        of_customers = {k.id: one.after for k, one in changes.items() if k.kind == "customer"}
        if self._rules is None:
            self._rules = tables.select_rules(connection)
        changed_rules = self._keep_rules(connection, self._rules, of_customers)
        unknown = of_vehicles.keys() - self._known.keys()
        found: dict[str, Followed] = {}
        if unknown or changed_rules:
            found = dict(tables.select_followed(connection, unknown, changed_rules))
        self._known |= found
        kept = found | {id_: self._known[id_] for id_ in of_vehicles if id_ in self._known}
        history, judged_by = History(self._log, position), _judged_by(self._rules)
        ids = list(kept.keys() | of_vehicles.keys())
        size = STALE_AT_ONCE if changed_rules else max(1, len(ids))
        try:
            for first in range(0, len(ids), size):
                some = ids[first : first + size]
                page = Page(connection, history, _of(some, of_vehicles), _of(some, kept), judged_by)
                self._known |= page.fold(changed_rules)
        except _DEFECTS as error:
            raise UnstorableError(f"{type(error).__name__}: {error}") from error

    def _position(self, connection: Connection, *, lock: bool) -> int:
        try:
            return super()._position(connection, lock=lock)
        except OvertakenError:
            self._forget()
            raise

    def _forget(self) -> None:
        self._known = {}
        self._known_at = None
        self._rules = None

    @staticmethod
    def _keep_rules(
        connection: Connection, kept: dict[UUID, RulesRow], news: Mapping[str, News]
    ) -> set[UUID]:
        """Keep the customers' rules; whose are others than before."""
        newer = {}
        for customer_id, said in news.items():
            for event in said.events:
                if isinstance(event, Customer.TripRulesChanged):
                    version, rules = event.originator_version, event.rules
                    newer[UUID(customer_id)] = tables.RulesRow(UUID(customer_id), version, rules)
        before, after = _judged_by(kept), _judged_by(newer)
        write_rows(connection, tables.WRITE_RULES, list(newer.values()))
        kept.update(newer)
        return {id_ for id_, rules in after.items() if rules != before.get(id_, DEFAULT)}


def _judged_by(rows: Mapping[UUID, RulesRow]) -> dict[UUID, TripRules]:
    return {customer_id: TripRules.of(row.rules) for customer_id, row in rows.items()}


def _of(ids: Iterable[str], found: Mapping[str, V]) -> dict[str, V]:
    return {id_: found[id_] for id_ in ids if id_ in found}

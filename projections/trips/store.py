"""Where the follower keeps trips: what a page says is folded into what is kept, as one step.

Heartbeats in their order cost a step each and no look into the log; what they change is remembered
and need not be written each time (`memory`). What changes the past (a heartbeat that comes late,
other rules, an owner that was not known) lets the vehicle's heartbeats be read from the log again,
from the last checkpoint before on, and replaces what followed from them. The log is read as it was
at the page's end, so whatever is kept at a position follows from the events up to there, in
whichever order they came.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING
from uuid import UUID

from projections.json_rows import write_rows
from projections.store import OvertakenError, RelationalStore, UnstorableError
from projections.trips import rows
from projections.trips.history import History
from projections.trips.memory import Memory, judges
from projections.trips.news import ById, Key, News
from projections.trips.packed import packed, unpacked
from projections.trips.page import Page
from projections.trips.vehicle import DEFAULT, vin_of
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.event_log import LOG_UNREACHABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from projections.store import Change, Parked
    from projections.trips.rows import RulesRow
    from vehicle_tracker.event_log import EventLog

STALE_AT_ONCE = 20
"""So many vehicles are folded again at a time, whose trips of years may have to be in memory."""

_DEFECTS = (LookupError, TypeError, ArithmeticError)
"""What an event raises that says what cannot be."""


class TripsStore(RelationalStore[Key, News]):
    """A store in PostgreSQL, that reads the log again where something came late.

    Nobody else stores while this one does, so what it remembers need not be read again.
    """

    def __init__(self, log: EventLog, name: str, engine: Engine) -> None:
        super().__init__(name, engine)
        self._log = log
        self._memory = Memory()
        self._at: int | None = None
        self._vehicles: dict[str, bytes] = {}
        self._rules: dict[UUID, RulesRow] = {}

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
        if after != self._at:
            self._forget(after)
        try:
            super().store(changes, after=after, position=position, parked=parked)
        except LOG_UNREACHABLE:
            self._log.drop_lost_connections()
            raise
        self._memory.keep(self._vehicles, self._rules)
        self._at = position

    def amend(self, changes: Mapping[Key, Change], *, after: int, replayed: int) -> None:
        """Fold the changes at the position at which it is; the event replayed is parked no more."""
        self._forget(after)
        try:
            super().amend(changes, after=after, replayed=replayed)
        finally:
            self._forget(None)

    def write(self, connection: Connection, changes: Mapping[Key, Change], position: int) -> None:
        """Fold what the page says into what is kept."""
        before = self._memory.rules(connection)
        of_customers = _by_id(changes, "customer").values()
        try:
            self._rules = before | self._written_rules(connection, of_customers)
            self._vehicles = self._folded(connection, changes, History(self._log, position))
        except _DEFECTS as error:
            raise UnstorableError(f"{type(error).__name__}: {error}") from error

    def _folded(
        self, connection: Connection, changes: Mapping[Key, Change], history: History
    ) -> dict[str, bytes]:
        """The vehicles of which anything is new, as they are now."""
        judged_by = judges(self._rules)
        before = judges(self._memory.rules(connection))
        changed = {id_ for id_, one in judged_by.items() if one != before.get(id_, DEFAULT)}
        news = _by_vin(connection, changes)
        then = History(self._log, self._at or 0)
        kept = self._memory.vehicles(connection, then, news, changed)
        found: dict[str, bytes] = {}
        vins = iter(kept.keys() | news.keys())
        size = STALE_AT_ONCE if changed else len(news)
        while some := set(itertools.islice(vins, size)):
            said = {vin: news[vin] for vin in some & news.keys()}
            remembered = {vin: unpacked(vin, kept[vin]) for vin in some & kept.keys()}
            page = Page(connection, history, said, remembered, judged_by)
            found |= {vehicle.vin: packed(vehicle) for vehicle in page.fold(changed)}
        return found

    def _position(self, connection: Connection, *, lock: bool) -> int:
        try:
            return super()._position(connection, lock=lock)
        except OvertakenError:
            self._forget(None)
            raise

    def _forget(self, at: int | None) -> None:
        self._memory = Memory()
        self._at = at

    @staticmethod
    def _written_rules(connection: Connection, news: Iterable[News]) -> dict[UUID, RulesRow]:
        """The rules that customers were given, written."""
        newer = {
            event.originator_id: rows.RulesRow(
                event.originator_id, event.originator_version, event.rules
            )
            for said in news
            for event in said.events
            if isinstance(event, Customer.TripRulesChanged)
        }
        write_rows(connection, rows.WRITE_RULES, list(newer.values()))
        return newer


def _by_vin(connection: Connection, changes: Mapping[Key, Change]) -> dict[str, News]:
    """The news of each vehicle. Of one that was never registered they raise `LookupError`."""
    said = {key: one.after for key, one in changes.items() if isinstance(key, str)}
    if own := _by_id(changes, "vehicle"):
        known = rows.select_vins(connection, own)
        for vehicle_id, news in own.items():
            vin = known.get(vehicle_id) or vin_of(news)
            said[vin] = said[vin].and_then(news) if vin in said else news
    return said


def _by_id(changes: Mapping[Key, Change], kind: str) -> dict[str, News]:
    return {
        key.id: one.after
        for key, one in changes.items()
        if isinstance(key, ById) and key.kind == kind
    }

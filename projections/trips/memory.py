"""What the follower of trips remembers from page to page: all vehicles, packed, and all rules.

A row of a vehicle that is on no trip may lack its last few heartbeats (`is_to_be_written`). They
are in the log: whoever reads a row folds them in, and has what followed from the log up to there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.trips import rows
from projections.trips.history import since
from projections.trips.packed import packed
from projections.trips.rules import TripRules
from projections.trips.vehicle import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from sqlalchemy import Connection

    from projections.trips.history import History
    from projections.trips.rows import RulesRow
    from projections.trips.vehicle import Followed

MOST_KNOWN = 1_200_000
"""So many vehicles are remembered, 200 to 350 bytes each; more are read again each time."""

_AT_ONCE = 2_000
"""So many rows are brought up to date at a time: some hundred KB of heartbeats."""


class Memory:
    """What was remembered at one position of the log; it is not read again from the tables."""

    def __init__(self) -> None:
        self._vehicles: dict[str, bytes] = {}
        self._rules: dict[UUID, RulesRow] | None = None

    def rules(self, connection: Connection) -> dict[UUID, RulesRow]:
        """The rules of the customers that have some of their own."""
        if self._rules is None:
            self._rules = rows.select_rules(connection)
        return self._rules

    def vehicles(
        self,
        connection: Connection,
        history: History,
        vins: Iterable[str],
        customer_ids: Iterable[UUID],
    ) -> dict[str, bytes]:
        """Those of the vehicles that are followed, and all that ever were these customers'.

        They are packed, and as they follow from the log as of `history`.
        """
        found = {vin: kept for vin in vins if (kept := self._vehicles.get(vin))}
        unknown = set(vins) - found.keys()
        if not unknown and not customer_ids:
            return found
        judged_by = judges(self.rules(connection))
        some: list[Followed] = []
        for vehicle in rows.select_followed(connection, unknown, customer_ids):
            if vehicle.vin in self._vehicles:
                found[vehicle.vin] = self._vehicles[vehicle.vin]
            else:
                some.append(vehicle)
            if len(some) == _AT_ONCE:
                found |= _up_to_date(some, history, judged_by)
                some = []
        return found | _up_to_date(some, history, judged_by)

    def keep(self, vehicles: Mapping[str, bytes], rules: dict[UUID, RulesRow]) -> None:
        """What is new since then was stored."""
        known = self._vehicles
        self._rules = rules
        if len(known) + len(vehicles) <= MOST_KNOWN:
            known.update(vehicles)
        else:
            known.update((vin, one) for vin, one in vehicles.items() if vin in known)


def judges(kept: Mapping[UUID, RulesRow]) -> dict[UUID, TripRules]:
    """By which rules customers' vehicles are judged, if not by the default."""
    return {customer_id: TripRules.of(row.rules) for customer_id, row in kept.items()}


def _up_to_date(
    vehicles: Iterable[Followed], history: History, judged_by: Mapping[UUID, TripRules]
) -> dict[str, bytes]:
    """The vehicles with the heartbeats that are not in their rows yet."""
    found = {vehicle.vin: vehicle for vehicle in vehicles}
    spans = {vin: since(vin, vehicle.heard_until) for vin, vehicle in found.items()}
    for vin, readings in history.read(spans):
        found[vin] = fold(found[vin], readings, judged_by).vehicle
    return {vin: packed(vehicle) for vin, vehicle in found.items()}

"""What is known of customers, remembered until one of them changes, which few do a day.

Every page names up to a hundred of them. To look them up for each search again takes PostgreSQL as
long as half of the page does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import msgspec
from sqlalchemy import func, select

from projections.customer_vehicles.model import CustomerDocument
from projections.customer_vehicles.relational import customer
from projections.database import projection
from projections.ids import array_of, ids
from projections.json_rows import as_list
from projections.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from sqlalchemy import ColumnElement, Engine

MOST_CUSTOMERS = 20_000
"""So many are remembered, some 10 MB."""

_read = msgspec.json.Decoder(list[CustomerDocument]).decode
_these = customer.c.customer_id == func.any(ids("customers"))
_CUSTOMERS = select(as_list(func.row_to_json(customer.table_valued()))).where(_these)

_Known = TypeVar("_Known")


class _Kept(NamedTuple, Generic[_Known]):
    """What is known of an edition of the customers."""

    edition: str
    known: dict[str, _Known]


class UntilChanged(Generic[_Known]):
    """What is known by some keys until a customer changes. Threads may share it.

    `ask` answers for keys, and of which edition of the customers that is. Of more keys than `most`
    those asked for last are kept.
    """

    def __init__(
        self,
        ask: Callable[[Collection[str]], tuple[Mapping[str, _Known], str]],
        most: int,
    ) -> None:
        self._ask = ask
        self._most = most
        self._kept = _Kept[_Known]("", {})

    def of(self, edition: str, keys: Collection[str]) -> Mapping[str, _Known]:
        """What is known of this edition or a later one; nothing is asked if all is."""
        kept = self._kept
        found = _chosen(kept.known, keys) if kept.edition == edition else {}
        if len(found) < len(keys):
            found |= self._asked([key for key in keys if key not in found])[0]
        return found

    def now(self, keys: Collection[str]) -> Mapping[str, _Known]:
        """What is known now: which edition that is of is asked each time."""
        kept = self._kept
        found = _chosen(kept.known, keys)
        asked, edition = self._asked([key for key in keys if key not in found])
        if found and edition != kept.edition:
            asked, _ = self._asked(keys)
        return {**found, **asked}

    def _asked(self, keys: Collection[str]) -> tuple[Mapping[str, _Known], str]:
        found, edition = self._ask(keys)
        kept = self._kept
        if kept.edition == edition and len(kept.known) + len(found) <= self._most:
            kept.known.update(found)
        else:
            self._kept = _Kept(edition, dict(found))
        return found, edition


def _chosen(known: dict[str, _Known], keys: Collection[str]) -> dict[str, _Known]:
    return {key: known[key] for key in keys if key in known}


def edition_of(name: str) -> ColumnElement[str]:
    """Which edition of the customers of a projection this is: another once one has changed.

    Who follows stores each at a later position than all before; a rebuild, and an event that is
    folded after all, may not, but are another generation.
    """
    generation = select(projection.c.generation).where(projection.c.name == name)
    changed = select(func.max(customer.c.changed_position))
    return func.concat(generation.scalar_subquery(), ".", changed.scalar_subquery())


def remembered_customers(engine: Engine, name: str) -> UntilChanged[CustomerDocument]:
    """Customers of a projection by their ids; of an id that is nobody's nothing is known."""
    asked = Prepared("customers", select(_CUSTOMERS.scalar_subquery(), edition_of(name)))

    def ask(customer_ids: Collection[str]) -> tuple[dict[str, CustomerDocument], str]:
        customers, edition = asked.row(engine, customers=array_of(customer_ids))
        return {str(one.customer_id): one for one in _read(customers)}, edition

    return UntilChanged(ask, MOST_CUSTOMERS)

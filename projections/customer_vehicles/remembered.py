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
from projections.ids import array_of, ids
from projections.json_rows import as_list
from projections.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from sqlalchemy import Engine

MOST_CUSTOMERS = 20_000
"""So many are remembered, some 10 MB."""

changed = select(func.coalesce(func.max(customer.c.changed_position), 0)).scalar_subquery()
"""The position at which a customer changed last: to find it takes a look at an index."""

_read = msgspec.json.Decoder(list[CustomerDocument]).decode
_these = customer.c.customer_id == func.any(ids("customers"))
_ASKED = Prepared(
    "customers",
    select(
        select(as_list(func.row_to_json(customer.table_valued()))).where(_these).scalar_subquery(),
        changed,
    ),
)

_Known = TypeVar("_Known")


class _Kept(NamedTuple, Generic[_Known]):
    """What is known since the position at which a customer changed."""

    changed: int
    known: dict[str, _Known]


class UntilChanged(Generic[_Known]):
    """What is known by some keys until a customer changes. Threads may share it.

    `ask` answers for keys, and at which position a customer had changed last by then. Of more keys
    than `most` those asked for last are kept. A rebuild changes nothing that is known: a customer
    is what was last decided about it.
    """

    def __init__(
        self,
        ask: Callable[[Collection[str]], tuple[Mapping[str, _Known], int]],
        most: int,
    ) -> None:
        self._ask = ask
        self._most = most
        self._kept = _Kept[_Known](0, {})

    def since(self, changed: int, keys: Collection[str]) -> Mapping[str, _Known]:
        """What is known as it has been since `changed`, or later; nothing is asked if all is."""
        kept = self._kept
        found = _chosen(kept.known, keys) if kept.changed == changed else {}
        if len(found) < len(keys):
            found |= self._asked([key for key in keys if key not in found])[0]
        return found

    def now(self, keys: Collection[str]) -> Mapping[str, _Known]:
        """What is known now: whether a customer changed is asked each time."""
        kept = self._kept
        found = _chosen(kept.known, keys)
        asked, changed = self._asked([key for key in keys if key not in found])
        if found and changed != kept.changed:
            asked, _ = self._asked(keys)
        return {**found, **asked}

    def _asked(self, keys: Collection[str]) -> tuple[Mapping[str, _Known], int]:
        found, changed = self._ask(keys)
        kept = self._kept
        if kept.changed == changed and len(kept.known) + len(found) <= self._most:
            kept.known.update(found)
        else:
            self._kept = _Kept(changed, dict(found))
        return found, changed


def _chosen(known: dict[str, _Known], keys: Collection[str]) -> dict[str, _Known]:
    return {key: known[key] for key in keys if key in known}


def remembered_customers(engine: Engine) -> UntilChanged[CustomerDocument]:
    """Customers by their ids; of an id that is nobody's nothing is known."""

    def ask(customer_ids: Collection[str]) -> tuple[dict[str, CustomerDocument], int]:
        customers, changed = _ASKED.row(engine, customers=array_of(customer_ids))
        return {str(one.customer_id): one for one in _read(customers)}, changed

    return UntilChanged(ask, MOST_CUSTOMERS)

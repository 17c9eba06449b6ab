"""Customers as they are remembered until one changes: every page names a hundred of them.

To look them up for each search again takes PostgreSQL as long as half of the page does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import func, select

from projections.customer_vehicles.model import CustomerDocument
from projections.customer_vehicles.relational import customer
from projections.ids import array_of, ids
from projections.json_rows import as_list
from projections.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Engine

MOST = 20_000
"""So many are remembered, some 10 MB; who comes when they are, comes instead of them."""

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


class _Known(NamedTuple):
    """Customers by their ids as texts, as they are since the position at which one changed."""

    changed: int
    customers: dict[str, CustomerDocument]


class RememberedCustomers:
    """Customers by id. Threads may share it: what was remembered is only ever replaced or added to.

    A rebuild does not change what a customer is, for that is what was last decided about it.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known = _Known(0, {})

    def of(self, customer_ids: Collection[str], changed: int) -> Mapping[str, CustomerDocument]:
        """Those of the customers that there are, as they have been since `changed`, or later."""
        known = self._known
        of_then = known.customers if known.changed == changed else {}
        found = {id_: of_then[id_] for id_ in customer_ids if id_ in of_then}
        if len(found) < len(customer_ids):
            found |= self._asked([id_ for id_ in customer_ids if id_ not in found])
        return found

    def _asked(self, customer_ids: Collection[str]) -> Mapping[str, CustomerDocument]:
        customers, changed = _ASKED.row(self._engine, customers=array_of(customer_ids))
        found = {str(one.customer_id): one for one in _read(customers)}
        known = self._known
        if known.changed == changed and len(known.customers) + len(found) <= MOST:
            known.customers.update(found)
        else:
            self._known = _Known(changed, found)
        return found

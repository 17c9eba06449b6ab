"""What a search in an index asks of the tables that it is a copy of, before it asks the index.

Where a page of a whole fleet ends, who is in a shape, whose name has a word: there it is known at
once, or only there.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Text, and_, bindparam, cast, func, null, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from projections.customer_vehicles.relational import customer, in_use, vehicle
from projections.customer_vehicles.remembered import UntilChanged, edition_of
from projections.ids import array_of
from projections.json_rows import as_list
from projections.prepared import Prepared
from projections.vehicle_search.relational_filters import IN_SHAPES, in_cells, kind_of
from projections.vehicle_search.relational_order import Order

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Engine

    from projections.vehicle_search.elasticsearch_query import Place
    from projections.vehicle_search.model import Shape

_INDEXED = ("registration_number", "vin")

MOST_NAMED = 100
"""A word within more customers' names than these is looked for in all that the index knows."""

MOST_WORDS = 1_000
"""So many are remembered with the customers who have them."""

_read_vins = msgspec.json.Decoder(list[str]).decode
_read_pairs = msgspec.json.Decoder(list[tuple[str, str]]).decode


class Hints:
    """Answers out of the tables of `customer_vehicles`, each a statement by itself."""

    def __init__(self, engine: Engine, projection: str) -> None:
        self._engine = engine
        self._names = _named(projection)
        self._named = UntilChanged(self._ask_named, MOST_WORDS)

    def end_of_page(self, sort: str, after: Place | None, size: int) -> str | None:
        """The key of the vehicle that comes so many after a place, or after the first one.

        Of all that are in use, in an order that an index of the tables is in; None where there is
        no such index, for it would not be known at once, or no such vehicle.
        """
        if sort.lstrip("-") not in _INDEXED:
            return None
        key, vin = after or ("", "")
        found = _end_of_page(sort, begun=after is not None).rows(
            self._engine, key=key, vin=vin, size=size
        )
        return found[0][0] if found else None

    def inside(self, shape: Shape, cells: Sequence[int], most: int) -> Sequence[str]:
        """The VINs of those in use in the cells who are in the shape; at most so many."""
        found = _INSIDE[kind_of(shape)].value(
            self._engine, cells=array_of(cells), most=most, **asdict(shape)
        )
        return _read_vins(found)

    def named(self, words: Collection[str]) -> Mapping[str, Sequence[str]]:
        """The ids of the customers with a word within a word of their name, by the word.

        A word of a name that begins with it is not looked at. Of more than `MOST_NAMED` there are
        none.
        """
        named = self._named.now(words) if words else {}
        return {word: ids for word, ids in named.items() if len(ids) <= MOST_NAMED}

    def _ask_named(self, words: Collection[str]) -> tuple[dict[str, list[str]], str]:
        found: dict[str, list[str]] = {word: [] for word in words}
        most = MOST_NAMED + 1
        pairs, edition = self._names.row(self._engine, words=list(words), most=most)
        for word, customer_id in _read_pairs(pairs):
            found[word].append(customer_id)
        return found, edition


@cache
def _end_of_page(sort: str, *, begun: bool) -> Prepared:
    """The key of the vehicle that comes `size` after the first one, or after a place."""
    order = Order(sort, null())
    after = order.beyond(bindparam("key"), bindparam("vin")) if begun else true()
    found = (
        select(order.key)
        .where(in_use, after)
        .order_by(order.sorted(order.key), vehicle.c.vin)
        .offset(bindparam("size"))
        .limit(1)
    )
    return Prepared(f"{'end of page' if begun else 'end of first page'} by {sort}", found)


def _inside(kind: str) -> Prepared:
    """Those in `cells` and in a shape of this kind, at most so many: as one text, rows cost."""
    there = and_(in_use, in_cells(bindparam("cells")), IN_SHAPES[kind])
    found = select(vehicle.c.vin).where(there).limit(bindparam("most")).subquery()
    return Prepared(f"inside a {kind}", select(as_list(found.c.vin)))


_INSIDE = {kind: _inside(kind) for kind in IN_SHAPES}


def _named(projection: str) -> Prepared:
    """By word, customers with one of `words` within a word of their name; at most so many a word.

    And of which edition of the customers that is.
    """
    word = func.unnest(cast(bindparam("words"), ARRAY(Text))).column_valued("word")
    name = customer.c.folded_name
    within = (
        select(customer.c.customer_id)
        .where(func.strpos(name, word) > 0)
        .where(func.strpos(func.concat(" ", name), func.concat(" ", word)) == 0)
        .limit(bindparam("most"))
        .lateral()
    )
    pairs = select(word, within.c.customer_id).subquery()
    found = select(as_list(func.json_build_array(*pairs.c)))
    return Prepared("named", select(found.scalar_subquery(), edition_of(projection)))

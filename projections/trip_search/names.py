"""Whose names a word is in: names change by other events than trips do, so no index keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import select

from projections.customer_vehicles.relational import customer, vehicle
from projections.text import folded, fragment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

MOST_NAMED = 10_000
"""A word that fits more vehicles or customers than these is not asked of the index."""

MOST_WORDS = 3
"""Only the longest words are asked of the index. The others rule out what it finds."""


class Named(NamedTuple):
    """A word, the vehicles that have it in plate, VIN or labels, and the customers in the name."""

    word: str
    vins: Sequence[str]
    customer_ids: Sequence[str]


def named_by(q: str, engine: Engine) -> list[Named]:
    """Those of the words of `q` by which trips can be found."""
    words = sorted(set(folded(q).split()), key=len)[-MOST_WORDS:]
    found = []
    if words:
        with engine.connect() as connection:
            for word in words:
                has_it = vehicle.c.search_text.like(fragment(word))
                those = select(vehicle.c.vin).where(has_it).limit(MOST_NAMED + 1)
                vins = connection.execute(those).scalars().all()
                has_it = customer.c.folded_name.like(fragment(word))
                theirs = select(customer.c.customer_id).where(has_it).limit(MOST_NAMED + 1)
                ids = [str(id_) for id_ in connection.execute(theirs).scalars()]
                if max(len(vins), len(ids)) <= MOST_NAMED:
                    found.append(Named(word, vins, ids))
    return found

"""Where the follower keeps the searched vehicles: one index of Elasticsearch.

Vehicles are written before their customers: if a customer's new name or limit is there, all its
vehicles have it. For the rest see `projections.elasticsearch_index`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete

from projections.database import parked_event
from projections.elasticsearch import told_as_away
from projections.elasticsearch_index import AT_ONCE, SearchIndex, portions
from projections.store import OvertakenError, advance, park
from projections.vehicle_search.document import (
    Document,
    Key,
    SearchedCustomer,
    SearchedVehicle,
    customer_source,
    decoded,
    vehicle_source,
)
from projections.vehicle_search.index import DEFINITION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from projections.store import Change, Parked


class ElasticsearchStore:
    """A store in the index behind an alias.

    What it parks is in PostgreSQL, beside all other, and so is a copy of its position: it tells
    those who watch how far it is, also while Elasticsearch is away.
    """

    def __init__(
        self,
        client: Elasticsearch,
        alias: str,
        engine: Engine,
        *,
        index_name: str | None = None,
        known_as: str | None = None,
    ) -> None:
        self._alias = alias
        self._engine = engine
        self._name = known_as or alias
        self.index = SearchIndex(client, alias, DEFINITION, index_name)
        self._generation: int | None = None
        self._customers: dict[str, SearchedCustomer] = {}
        self._customers_at = 0

    def position(self) -> int:
        """The position of the last event that was stored; 0 at first, when it makes the index.

        Errors: `OvertakenError`, once, if the documents are no longer those that it stored.
        """
        position, generation = self.position_and_generation()
        known, self._generation = self._generation, generation
        if known not in (None, generation):
            raise OvertakenError(f"{self._alias} was rebuilt or amended")
        return position

    def position_and_generation(self) -> tuple[int, int]:
        """How far it is, and how often it was changed by another than who follows."""
        return self.index.position_and_generation()

    def begin_generation(self, position: int, generation: int) -> None:
        """Let whoever follows know that these are not the documents it knows."""
        self.index.keep_position(position, generation, strictly=True)
        self._generation = generation

    def load(self, keys: Iterable[Key]) -> dict[Key, Document]:
        """Those of the documents that exist, whether they can be found by a search yet or not."""
        found: dict[Key, Document] = {}
        for some in portions(keys):
            kept = self.index.get([key.id for key in some])
            found |= {key: decoded(key.kind, kept[key.id]) for key in some if key.id in kept}
        return found

    def store(
        self, changes: Mapping[Key, Change], *, after: int, position: int, parked: Sequence[Parked]
    ) -> None:
        """Keep the parked events and the changes, then the position.

        Errors: `StoreAwayError`: a part of it may be stored, and all of it may be stored again.
        """
        if self.position() != after:
            raise OvertakenError(f"{self._alias} is no longer at {after}")
        if after != self._customers_at:
            self._customers = {}
        if parked:
            with self._engine.begin() as connection:
                park(connection, self._name, parked)
        self._keep(changes, position)
        self.index.keep_position(position, self._generation or 0)
        with self._engine.begin() as connection:
            advance(connection, self._name, position)
        self._customers_at = position

    def amend(self, changes: Mapping[Key, Change], *, after: int, replayed: int) -> None:
        """Keep the changes at the position at which it is; the event replayed is parked no more."""
        position, generation = self.position_and_generation()
        if position != after:
            raise OvertakenError(f"{self._alias} is no longer at {after}")
        self._customers = {}
        self._keep(changes, position, strictly=True)
        self.begin_generation(position, generation + 1)
        is_it = parked_event.c.projection == self._name, parked_event.c.position == replayed
        with self._engine.begin() as connection:
            connection.execute(delete(parked_event).where(*is_it))

    def _keep(
        self, changes: Mapping[Key, Change], position: int, *, strictly: bool = False
    ) -> None:
        documents = {key.id: change.after for key, change in changes.items()}
        customers = {k: d for k, d in documents.items() if isinstance(d, SearchedCustomer)}
        vehicles = {k: d for k, d in documents.items() if isinstance(d, SearchedVehicle)}
        changed = {
            key.id
            for key, (before, now) in changes.items()
            if key.id in customers and (before is None or _shows(before) != _shows(now))
        }
        owners = self._customers_of(vehicles.values(), customers)
        self.index.write(_vehicles_with(owners, vehicles.items()), position, strictly=strictly)
        for others in self._vehicles_of(changed):
            untouched = ((id_, v) for id_, v in others if id_ not in vehicles)
            self.index.write(_vehicles_with(owners, untouched), position, strictly=strictly)
        sources = ((id_, customer_source(one)) for id_, one in customers.items())
        self.index.write(sources, position, strictly=strictly)

    def _customers_of(
        self, vehicles: Iterable[SearchedVehicle], customers: Mapping[str, SearchedCustomer]
    ) -> Mapping[str, SearchedCustomer]:
        """These customers, and those that the vehicles belong to.

        Nobody else stores while this one does, so those that it knows need not be asked for again.
        """
        self._customers |= customers
        unknown = {v.customer_id for v in vehicles if v.customer_id} - self._customers.keys()
        for some in portions(unknown):
            kept = self.index.get(some)
            self._customers |= {
                id_: msgspec.convert(one, SearchedCustomer) for id_, one in kept.items()
            }
        return self._customers

    def _vehicles_of(self, customer_ids: set[str]) -> Iterator[list[tuple[str, SearchedVehicle]]]:
        """The vehicles that are kept as these customers', in portions."""
        if not customer_ids:
            return
        self.index.refresh()
        for some in portions(customer_ids):
            last: list[Any] | None = None
            while last is None or last:
                with told_as_away():
                    answer = self.index.client.search(
                        index=self._alias,
                        query={"terms": {"customer_id": some}},
                        sort=["vin"],
                        size=AT_ONCE,
                        search_after=last,
                        track_total_hits=False,
                    )
                hits = answer["hits"]["hits"]
                last = hits[-1]["sort"] if hits else []
                yield [(h["_id"], msgspec.convert(h["_source"], SearchedVehicle)) for h in hits]


def _shows(customer: SearchedCustomer) -> tuple[str, int | None]:
    """What of a customer is in its vehicles' documents."""
    return customer.customer_name, customer.disconnect_after_s


def _vehicles_with(
    owners: Mapping[str, SearchedCustomer], vehicles: Iterable[tuple[str, SearchedVehicle]]
) -> Iterator[tuple[str, bytes]]:
    for id_, vehicle in vehicles:
        yield id_, vehicle_source(vehicle, owners.get(vehicle.customer_id or ""))

"""Where the follower keeps the searched vehicles: one index of Elasticsearch.

Elasticsearch has no transactions; these take their place. Documents are written whole, under the
position of the page that made them as an external version: so a page may be stored any number of
times, by anybody, in any portions, and the newest state stays. The position is written last. It
is in the same index, so that a lost index says 0 and is filled again, and an index that is swapped
brings its own. Vehicles are written before their customers: if a customer's new name or limit is
there, all its vehicles have it.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from elasticsearch import BadRequestError, NotFoundError
from sqlalchemy import delete

from projections.database import parked_event
from projections.elasticsearch import may_pass, told_as_away
from projections.store import OvertakenError, StoreAwayError, UnstorableError, advance, park
from projections.vehicle_search import index
from projections.vehicle_search.document import (
    Document,
    Key,
    SearchedCustomer,
    SearchedVehicle,
    customer_source,
    decoded,
    vehicle_source,
)
from vehicle_tracker.domain.values import to_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from projections.store import Change, Parked

AT_ONCE = 2_000
"""So many documents go into one request: some megabytes."""

_FAILED, _CONFLICT = 300, 409


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
        self._client = client
        self._name = known_as or alias
        self._index = index_name or index.first_index(alias)
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
        with told_as_away():
            try:
                if self._generation is None:  # an index of an older release lacks fields of this
                    fields = index.MAPPINGS["properties"]
                    self._client.indices.put_mapping(index=self._alias, properties=fields)
                found = self._client.get(index=self._alias, id=index.POSITION_ID)["_source"]
            except NotFoundError:
                self._create_index()
                return 0, 0
            return int(found["position"]), int(found["generation"])

    def begin_generation(self, position: int, generation: int) -> None:
        """Let whoever follows know that these are not the documents it knows."""
        document = _position_source(position, generation)
        self._write([(index.POSITION_ID, document)], position, strictly=True)
        self._generation = generation

    def load(self, keys: Iterable[Key]) -> dict[Key, Document]:
        """Those of the documents that exist, whether they can be found by a search yet or not."""
        found: dict[Key, Document] = {}
        for some in _portions(keys):
            kept = self._get([key.id for key in some])
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
        self._write([(index.POSITION_ID, _position_source(position, self._generation))], position)
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
        self._write(_vehicles_with(owners, vehicles.items()), position, strictly=strictly)
        for others in self._vehicles_of(changed):
            untouched = ((id_, v) for id_, v in others if id_ not in vehicles)
            self._write(_vehicles_with(owners, untouched), position, strictly=strictly)
        sources = ((id_, customer_source(one)) for id_, one in customers.items())
        self._write(sources, position, strictly=strictly)

    def _create_index(self) -> None:
        try:
            self._client.indices.create(
                index=self._index,
                aliases={self._alias: {}},
                settings=index.SETTINGS,
                mappings=index.MAPPINGS,
            )
        except BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise

    def _customers_of(
        self, vehicles: Iterable[SearchedVehicle], customers: Mapping[str, SearchedCustomer]
    ) -> Mapping[str, SearchedCustomer]:
        """These customers, and those that the vehicles belong to.

        Nobody else stores while this one does, so those that it knows need not be asked for again.
        """
        self._customers |= customers
        unknown = {v.customer_id for v in vehicles if v.customer_id} - self._customers.keys()
        for some in _portions(unknown):
            kept = self._get(some)
            self._customers |= {
                id_: msgspec.convert(one, SearchedCustomer) for id_, one in kept.items()
            }
        return self._customers

    def _vehicles_of(self, customer_ids: set[str]) -> Iterator[list[tuple[str, SearchedVehicle]]]:
        """The vehicles that are kept as these customers', in portions."""
        if not customer_ids:
            return
        with told_as_away():
            self._client.indices.refresh(index=self._alias)
        for some in _portions(customer_ids):
            last: list[Any] | None = None
            while last is None or last:
                with told_as_away():
                    answer = self._client.search(
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

    def _get(self, ids: Sequence[str]) -> dict[str, Any]:
        wanted = "docs._id,docs._source,docs.error"
        with told_as_away():
            docs = self._client.mget(index=self._alias, ids=ids, filter_path=wanted)["docs"]
        for one in docs:
            if "error" in one:  # of a document alone, or of all: it may well be there
                raise StoreAwayError(f"{one['error'].get('type')}: {one['error'].get('reason')}")
        return {one["_id"]: one["_source"] for one in docs if "_source" in one}

    def _write(
        self, documents: Iterable[tuple[str, bytes]], version: int, *, strictly: bool = False
    ) -> None:
        """Write documents, unless something newer is there: `strictly` that is an error."""
        for some in _portions(documents):
            with told_as_away():
                answer = self._client.bulk(
                    index=self._alias,
                    operations=list(_operations(some, version)),  # type: ignore[arg-type] # bytes
                    require_alias=True,
                    filter_path="errors,items.*.status,items.*.error",
                )
            if answer["errors"]:
                for item in answer["items"]:
                    _judge(item["index"], strictly=strictly)


def _judge(item: Mapping[str, Any], *, strictly: bool) -> None:
    """Raise what the answer for one document means."""
    status = item["status"]
    if status == _CONFLICT and strictly:
        raise OvertakenError("something newer was stored in the meantime")
    if status < _FAILED or status == _CONFLICT:
        return
    error = item.get("error", {})
    reason = f"{error.get('type')}: {error.get('reason')}"[:500]
    raise StoreAwayError(reason) if may_pass(status) else UnstorableError(reason)


def _shows(customer: SearchedCustomer) -> tuple[str, int | None]:
    """What of a customer is in its vehicles' documents."""
    return customer.customer_name, customer.disconnect_after_s


def _vehicles_with(
    owners: Mapping[str, SearchedCustomer], vehicles: Iterable[tuple[str, SearchedVehicle]]
) -> Iterator[tuple[str, bytes]]:
    for id_, vehicle in vehicles:
        yield id_, vehicle_source(vehicle, owners.get(vehicle.customer_id or ""))


def _position_source(position: int, generation: int | None) -> bytes:
    return msgspec.json.encode(
        {
            "kind": "position",
            "position": position,
            "generation": generation or 0,
            "stored_us": to_microseconds(datetime.now(UTC)),
        }
    )


def _operations(documents: Iterable[tuple[str, bytes]], version: int) -> Iterator[bytes]:
    for id_, source in documents:
        yield b'{"index":{"_id":"%b","version":%d,"version_type":"external_gte"}}' % (
            id_.encode(),
            version,
        )
        yield source


def _portions(items: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(items)
    while some := list(itertools.islice(left, AT_ONCE)):
        yield some

"""A search index built beside the live one, to which the alias then moves."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, update

from projections.database import parked_event, projection
from projections.elasticsearch_index import first_index, next_index
from projections.vehicle_search.store import ElasticsearchStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from projections.store import Store
    from vehicle_tracker.settings import Settings


class ElasticsearchBeside:
    """The next index, under an alias of its own until it takes the live one's place."""

    def __init__(self, client: Elasticsearch, alias: str, engine: Engine, _: Settings) -> None:
        self._alias = alias
        self._engine = engine
        self._own_alias = f"{alias}-rebuild"
        self._live = ElasticsearchStore(client, alias, engine)
        self._live.position()  # makes the live index if there is none, to have one to replace
        new = next_index(self._live.index.behind() or first_index(alias))
        self._next = ElasticsearchStore(
            client, self._own_alias, engine, index_name=new, known_as=self._own_alias
        )
        self.store: Store[Any, Any] = self._next

    def settled(self) -> None:
        """Let everything that is stored be found."""
        self._next.index.refresh()

    @contextmanager
    def live_position_held(self) -> Iterator[int]:
        """Give the live position; then move the alias.

        The live index is not held. What is stored into it meanwhile is stored again: whoever
        follows finds the new index's position, and goes on from there.
        """
        live, generation = self._live.position_and_generation()
        yield live
        self.settled()
        self._next.begin_generation(self._next.position(), generation + 1)
        self._keep_parked()
        self._next.index.take_the_place_of(self._live.index)

    def _keep_parked(self) -> None:
        """What was parked on the way takes the place of what the live one had parked."""
        of = parked_event.c.projection
        with self._engine.begin() as connection:
            connection.execute(delete(parked_event).where(of == self._alias))
            moved = update(parked_event).where(of == self._own_alias)
            connection.execute(moved.values(projection=self._alias))
            connection.execute(delete(projection).where(projection.c.name == self._own_alias))

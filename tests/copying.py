"""An index of Elasticsearch that copies tables, as tests look at it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from elastic_transport import ConnectionError as ElasticsearchConnectionError

from projections.elasticsearch_index import POSITION_ID
from tests.following import to_the_end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elasticsearch import Elasticsearch
    from sqlalchemy import Engine

    from projections.indexes import IndexCopy
    from vehicle_tracker.event_log import EventLog


@dataclass
class Copying:
    """A log, the tables that follow it, and the index that copies them."""

    log: EventLog
    engine: Engine
    client: Elasticsearch
    index: IndexCopy

    def copy(self, page: int = 1_000) -> None:
        """Let the index be where the tables are."""
        follower = self.index.follower(self.log, self.engine, page)
        to_the_end(follower)

    def state(self) -> tuple[int, int]:
        """The position and the generation that the index says it is at."""
        kept = self.client.get(index=self.index.name, id=POSITION_ID)["_source"]
        return kept["position"], kept["generation"]

    def indices(self) -> list[str]:
        """What is behind the index's name."""
        return list(self.client.indices.get_alias(name=self.index.name))

    def drop(self) -> None:
        """Delete whatever was made under the index's name."""
        for name in self.client.indices.get(index=f"{self.index.name}-*"):
            self.client.indices.delete(index=name)


@contextmanager
def cut_off(client: Elasticsearch, at: int) -> Iterator[None]:
    """The connection is lost before this one of the pages that are written, the first being 1."""
    bulk, calls = client.bulk, iter(range(1, 1_000))

    def write(**request: Any) -> Any:
        if next(calls) == at:
            raise ElasticsearchConnectionError("cut off")
        return bulk(**request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "bulk", write)
        yield

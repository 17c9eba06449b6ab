"""An index of Elasticsearch that a read model is kept in, and that tells its own position.

Elasticsearch has no transactions; these take their place. Documents are written whole, under a
position as an external version: so they may be written any number of times, by anybody, in any
portions, and the newest state stays. The position itself is written last. It is in the same index,
so that a lost index says 0 and is filled again, and an index that is swapped brings its own.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from elasticsearch import BadRequestError, NotFoundError

from projections.elasticsearch import may_pass, told_as_away
from projections.store import StoreAwayError, UnstorableError
from vehicle_tracker.domain.values import to_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from elasticsearch import Elasticsearch

AT_ONCE, MOST_BYTES = 2_000, 8_000_000
"""So many documents go into one request, and no more than that together, or one."""

IN_FLIGHT = 3
"""So many requests at a time: while Elasticsearch works, the next documents are made."""

POSITION_ID = "position"
"""The one document that says up to which position the index knows what there is."""

KEYWORD = {"type": "keyword"}
KEPT = {"index": False, "doc_values": False}
"""Only read back, never asked for."""

POSITION_FIELDS: dict[str, Any] = {
    "kind": KEYWORD,
    "position": {"type": "long"},
    "generation": {"type": "long", **KEPT},
    "format": {"type": "long", **KEPT},
    "stored_us": {"type": "long", **KEPT},
}

_FAILED, _CONFLICT = 300, 409


class Definition(NamedTuple):
    """What an index is made with. `format` is to be raised whenever its documents are others."""

    format: int
    settings: dict[str, Any]
    mappings: dict[str, Any]


class State(NamedTuple):
    """How far an index is, of which generation of what it copies, and whether as it is now."""

    position: int
    generation: int
    has_these_fields: bool = True


class SearchIndex:
    """The index behind an alias, made when it is asked for the first time."""

    def __init__(
        self,
        client: Elasticsearch,
        alias: str,
        definition: Definition,
        *,
        beside: str | None = None,
    ) -> None:
        """`beside` is the name of one that is to take another's place: till then nobody asks it."""
        self.client = client
        self.alias = alias
        self._definition = definition
        self._first = beside or first_index(alias)
        self._seen = definition.settings["refresh_interval"]
        self._settings = {**definition.settings, "refresh_interval": -1 if beside else self._seen}

    def state(self) -> State:
        """How far it is; it is made if there is none."""
        with told_as_away():
            try:
                found = self.client.get(index=self.alias, id=POSITION_ID)["_source"]
            except NotFoundError:
                self._create()
                return State(0, 0)
            as_now = found.get("format") == self._definition.format
            return State(int(found["position"]), int(found["generation"]), as_now)

    def keep_position(self, position: int, generation: int) -> None:
        """Let it say that it knows everything up to there."""
        source = msgspec.json.encode(
            {
                "kind": "position",
                "position": position,
                "generation": generation,
                "format": self._definition.format,
                "stored_us": to_microseconds(datetime.now(UTC)),
            }
        )
        self._write([(POSITION_ID, source)], position)

    def write(self, documents: Iterable[tuple[str, bytes]], version: int) -> None:
        """Write documents, unless something newer is there.

        Errors: `StoreAwayError`, `UnstorableError`: a part of them may be written.
        """
        under_way: deque[Future[None]] = deque()
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            for some in _of_bytes(documents):
                if len(under_way) == IN_FLIGHT:
                    under_way.popleft().result()
                under_way.append(pool.submit(self._write, some, version))
        for one in under_way:
            one.result()

    def _write(self, documents: list[tuple[str, bytes]], version: int) -> None:
        with told_as_away():
            answer = self.client.bulk(
                index=self.alias,
                operations=list(_operations(documents, version)),  # type: ignore[arg-type] # bytes
                require_alias=True,
                filter_path="errors,items.*.status,items.*.error",
            )
        if answer["errors"]:
            for item in answer["items"]:
                _judge(item["index"])

    def behind(self) -> str | None:
        """The name of the index behind the alias, if there is one."""
        with told_as_away():
            try:
                (name,) = self.client.indices.get_alias(name=self.alias)
            except NotFoundError:
                return None
        return str(name)

    def drop(self) -> None:
        """Delete it; it is made again when it is asked for."""
        if name := self.behind():
            with told_as_away():
                self.client.indices.delete(index=name)

    def take_the_place_of(self, live: SearchIndex) -> None:
        """Be found behind the live one's alias from now on, which is deleted; in one step."""
        with told_as_away():
            shown = {"refresh_interval": self._seen}
            self.client.indices.put_settings(index=self.alias, settings=shown)
            self.client.indices.refresh(index=self.alias)
        new, old = self.behind(), live.behind()
        moved: list[dict[str, Any]] = [
            {"add": {"index": new, "alias": live.alias}},
            {"remove": {"index": new, "alias": self.alias}},
        ]
        if old:
            moved.append({"remove_index": {"index": old}})
        with told_as_away():
            self.client.indices.update_aliases(actions=moved)

    def _create(self) -> None:
        try:
            self.client.indices.create(
                index=self._first,
                aliases={self.alias: {}},
                settings=self._settings,
                mappings=self._definition.mappings,
            )
        except BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise


def found_position(client: Elasticsearch, alias: str) -> tuple[str, int]:
    """Which index a search finds behind an alias, and up to which position it finds all there is.

    Errors: Elasticsearch's; `NotFoundError` while there is nothing to be found.
    """
    found = client.get(index=alias, id=POSITION_ID, realtime=False)
    return str(found["_index"]), int(found["_source"]["position"])


def first_index(alias: str) -> str:
    """The name of the index that is made when there is none; a rebuild makes the next one."""
    return f"{alias}-000001"


def next_index(name: str) -> str:
    """The name of the index that takes the place of this one."""
    alias, _, number = name.rpartition("-")
    return f"{alias}-{int(number) + 1:06}"


def _of_bytes(documents: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    some: list[tuple[str, bytes]] = []
    size = 0
    for document in documents:
        if some and (len(some) == AT_ONCE or size + len(document[1]) > MOST_BYTES):
            yield some
            some, size = [], 0
        some.append(document)
        size += len(document[1])
    if some:
        yield some


def _operations(documents: Iterable[tuple[str, bytes]], version: int) -> Iterator[bytes]:
    for id_, source in documents:
        yield b'{"index":{"_id":"%b","version":%d,"version_type":"external_gte"}}' % (
            id_.encode(),
            version,
        )
        yield source


def _judge(item: Mapping[str, Any]) -> None:
    """Raise what the answer for one document means. Something newer may be there."""
    status = item["status"]
    if status < _FAILED or status == _CONFLICT:
        return
    error = item.get("error", {})
    reason = f"{error.get('type')}: {error.get('reason')}"[:500]
    raise StoreAwayError(reason) if may_pass(status) else UnstorableError(reason)

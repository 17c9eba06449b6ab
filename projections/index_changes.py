"""What changed in a projection's tables since a position, written into an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sqlalchemy import select

from projections.database import projection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from projections.elasticsearch_index import Definition, SearchIndex

    Document = tuple[str, bytes]
    """An id and what is kept under it, encoded."""


class Changed(NamedTuple):
    """A document, and the position at which what it is made of changed last."""

    position: int
    document: Document


class Tables(Protocol):
    """The tables of a projection as documents of an index."""

    @property
    def projection(self) -> str:
        """The projection's name."""

    @property
    def definition(self) -> Definition:
        """What the index is made with."""

    def changed(self, connection: Connection, after: int, most: int) -> Iterator[Changed]:
        """About so many that changed after a position, those that changed first.

        All that changed at the last of their positions, or it could not be gone on from.
        """

    def also(self, connection: Connection, after: int, until: int) -> Iterator[Document]:
        """What else is another document because of what changed after `after` until `until`."""


class Changes:
    """The next documents that changed after a position, as they are at one instant: at `head`."""

    def __init__(self, connection: Connection, tables: Tables, after: int, most: int) -> None:
        self._connection = connection
        self._tables = tables
        self._after = after
        self._most = most
        columns = projection.c.position, projection.c.generation
        found = connection.execute(select(*columns).where(projection.c.name == tables.projection))
        head, generation = found.one_or_none() or (0, 0)
        self.head, self.generation = int(head), int(generation)

    def copy(self, index: SearchIndex) -> tuple[int, int]:
        """Write them, then how far it is; so many they were, and the index is at that position.

        They are written under the position at which they were read: of two who write the same
        document, in whichever order, the one that has read it later prevails.
        """
        copied, last, position = 0, self._after, self.head

        def documents() -> Iterator[Document]:
            nonlocal copied, last, position
            for changed in self._tables.changed(self._connection, self._after, self._most):
                copied, last = copied + 1, changed.position
                yield changed.document
            if copied >= self._most:
                position = last
            yield from self._tables.also(self._connection, self._after, position)

        index.write(documents(), self.head)
        index.keep_position(position, self.generation)
        return copied, position


def stream(connection: Connection, statement: Any, at_once: int) -> Iterator[Any]:
    """The rows of a statement, so many in memory at a time."""
    return iter(connection.execute(statement, execution_options={"yield_per": at_once}))

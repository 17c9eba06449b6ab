"""Columns of rows to insert, written as PostgreSQL's binary arrays in one go.

psycopg writes an array element by element in Python.
The format is that of `array_send` in PostgreSQL's src/backend/utils/adt/arrayfuncs.c.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, ClassVar

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HEAD = Struct("!iiIii").pack  # dimensions, has nulls, type of the elements, how many, first index
_SIZE = Struct("!i").pack
_SIZED_BIGINT = Struct("!iq").pack
_SIZE_OF_UUID = _SIZE(16)


class Column:
    """An array parameter. Its subclasses say of what, and take a sequence of it."""

    element_oid: ClassVar[int]
    array_oid: ClassVar[int]

    def __init__(self, count: int, elements: Iterable[bytes]) -> None:
        self.data = _HEAD(1, 0, self.element_oid, count, 1) + b"".join(elements)


class Uuids(Column):
    """UUIDs, each as its 16 bytes."""

    element_oid, array_oid = 2950, 2951

    def __init__(self, values: Sequence[bytes]) -> None:
        super().__init__(len(values), [_SIZE_OF_UUID + value for value in values])


class Bigints(Column):
    """Integers of 64 bits."""

    element_oid, array_oid = 20, 1016

    def __init__(self, values: Sequence[int]) -> None:
        super().__init__(len(values), [_SIZED_BIGINT(8, value) for value in values])


class Byteas(Column):
    """Strings of bytes."""

    element_oid, array_oid = 17, 1001

    def __init__(self, values: Sequence[bytes]) -> None:
        super().__init__(len(values), [_SIZE(len(value)) + value for value in values])


def _register(kind: type[Column]) -> None:
    class ColumnDumper(Dumper):
        format = Format.BINARY
        oid = kind.array_oid

        def dump(self, obj: Column) -> bytes:
            return obj.data

    psycopg.adapters.register_dumper(kind, ColumnDumper)


for _kind in (Uuids, Bigints, Byteas):
    _register(_kind)

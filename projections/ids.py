"""Ids as a parameter of a statement: as one text, for many take longer to parse than to look up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, Uuid, bindparam, cast
from sqlalchemy.dialects.postgresql import ARRAY

if TYPE_CHECKING:
    from collections.abc import Iterable


def ids(name: str) -> Any:
    """An array of UUIDs, which is given under this name as `array_of` them."""
    return cast(bindparam(name, type_=Text), ARRAY(Uuid))


def array_of(some: Iterable[object]) -> str:
    """Ids as PostgreSQL writes an array."""
    return f"{{{','.join(map(str, some))}}}"

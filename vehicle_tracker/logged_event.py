"""A row of the event log, as its readers see it."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

LEAST, MOST = -(2**63), 2**63 - 1
"""No version is less, and no version or position more."""


class LoggedEvent(NamedTuple):
    """A row of the log, still encoded. `position` is its `notification_id`."""

    position: int
    stream: UUID
    version: int
    topic: str
    state: bytes

"""What all answers out of the event log have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from read_service.positions import behind

if TYPE_CHECKING:
    from vehicle_tracker.event_log import EventLog


def log_position(log: EventLog, at_least: int) -> int:
    """The position of the log that is read now. Errors: `read_model_behind`."""
    position = log.head()
    if position < at_least:
        raise behind(at_least, position)
    return position

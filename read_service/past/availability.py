"""The availability of vehicles: what is asked of the log, and how it is written."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from read_service.past.queries import LONGEST_PERIOD, TOO_LONG
from vehicle_tracker.domain.availability import Period, Spell, connected_time, spells
from vehicle_tracker.domain.values import from_microseconds, to_microseconds
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.errors import Invalid
from vehicle_tracker.schemas import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from eventsourcing.domain import Aggregate

    from vehicle_tracker.history import History

SECOND = 1_000_000
COLUMNS = (
    "vin",
    "registration_number",
    "disconnect_after_s",
    "from",
    "to",
    "status",
    "seconds",
)
_UNLESS_ASKED = timedelta(days=1)


class Asked(NamedTuple):
    """A vehicle whose availability is asked for."""

    vin: str
    registration_number: str
    disconnect_after_s: int
    start: datetime
    end: datetime

    @property
    def period(self) -> Period:
        """The same as the domain asks it."""
        start, end = to_microseconds(self.start), to_microseconds(self.end)
        return Period(self.vin, min(start, end), end, self.disconnect_after_s * SECOND)


class Available(NamedTuple):
    """A vehicle, and what it was when."""

    asked: Asked
    spells: Sequence[Spell]

    @property
    def connected(self) -> int:
        """How long it was connected, in microseconds."""
        return connected_time(self.spells)

    @property
    def counted(self) -> int:
        """How long a time that is of, in microseconds."""
        return self.asked.period.end - self.asked.period.start


def period_of(query: dict[str, Any], now: datetime) -> tuple[datetime, datetime]:
    """From when until when is asked: never later than now. Errors: `invalid_request`."""
    end: datetime = min(query["to"] or now, now)
    start: datetime = query["from_"] or end - _UNLESS_ASKED
    if start > end:
        raise _invalid("from", "expected a time that is not in the future")
    if end - start > LONGEST_PERIOD:
        raise _invalid("to", TOO_LONG)
    return start, end


def _invalid(field: str, expected: str) -> Invalid:
    return Invalid("invalid_request", f"{field}: {expected}.", errors={field: [expected]})


def availability(history: History, asked: Sequence[Asked]) -> list[Available]:
    """What each of the vehicles was when. Errors: `too_much_to_read`."""
    heard = history.heard([one.period for one in asked])
    return [
        Available(one, spells(one.period, times)) for one, times in zip(asked, heard, strict=True)
    ]


def theirs_since(events: Iterable[Aggregate.Event]) -> datetime | None:
    """Since when a vehicle belongs to the customer that it belongs to now, by its events."""
    since, owner = None, None
    for event in events:
        customer_id: UUID | None = vars(event).get("customer_id")
        comes_into_use = isinstance(event, Vehicle.Created | Vehicle.Recommissioned)
        if customer_id is not None and (comes_into_use or customer_id != owner):
            since, owner = event.timestamp, customer_id
    return since


def share(available: Sequence[Available]) -> dict[str, float | None]:
    """How much of the time the vehicles were connected, all in all."""
    connected = sum(one.connected for one in available)
    counted = sum(one.counted for one in available)
    return {
        "connected_s": connected / SECOND,
        "connected_share": connected / counted if counted else None,
    }


def availability_item(available: Available) -> dict[str, Any]:
    """A vehicle's availability as the API shows it."""
    asked = available.asked
    return {
        "vin": asked.vin,
        "registration_number": asked.registration_number,
        "disconnect_after_s": asked.disconnect_after_s,
        **share([available]),
        "intervals": [
            {
                "from": from_microseconds(spell.start),
                "to": from_microseconds(spell.end),
                "status": spell.status,
            }
            for spell in available.spells
        ],
    }


def as_csv(available: Iterable[Available]) -> str:
    """A line for each interval of each vehicle, with the columns `COLUMNS`."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(COLUMNS)
    for asked, told in available:
        for spell in told:
            times = (rfc3339(from_microseconds(at)) for at in (spell.start, spell.end))
            seconds = (spell.end - spell.start) / SECOND
            lines.writerow([*asked[:3], *times, spell.status, seconds])
    return text.getvalue()

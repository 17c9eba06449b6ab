"""Availability: when a vehicle was connected, by the times of its heartbeats and nothing else.

Each heartbeat connects its vehicle from its own time on for at most the limit. So a late one mends
the past and a repeated one changes nothing. Times are in microseconds, as in the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Status = Literal["connected", "disconnected", "never_seen"]


class Period(NamedTuple):
    """Of which vehicle it is asked, from when until when, and how long it may be silent."""

    vin: str
    start: int
    end: int
    limit: int


class Heard(NamedTuple):
    """When a vehicle was heard: for the first time of all, and in a period, by time.

    Those before the period that reach into it are among the times.
    """

    first: int | None
    times: Sequence[int]


class Spell(NamedTuple):
    """From when until when the vehicle was what."""

    start: int
    end: int
    status: Status


def spells(period: Period, heard: Heard) -> list[Spell]:
    """What the vehicle was when: by time, from the period's start to its end without a gap."""
    told: list[Spell] = []

    def go_on(until: int, status: Status) -> None:
        since, until = told[-1].end if told else period.start, min(until, period.end)
        if until <= since:
            return
        if told and told[-1].status == status:
            since = told.pop().start
        told.append(Spell(since, until, status))

    go_on(period.end if heard.first is None else heard.first, "never_seen")
    reached = period.start
    for time in heard.times:
        if time > reached:
            go_on(reached, "connected")
            go_on(time, "disconnected")
        reached = time + period.limit
    go_on(reached, "connected")
    go_on(period.end, "disconnected")
    return told


def connected_time(told: Iterable[Spell]) -> int:
    """How long it was connected, all in all."""
    return sum(spell.end - spell.start for spell in told if spell.status == "connected")

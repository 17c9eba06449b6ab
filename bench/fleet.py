"""A fleet that drives about Sweden, as a pure function: what gateways post of it, round by round.

In a round every vehicle is due once. A round is cut into blocks of a thousand vehicles in a row,
and what is posted of a block is one request. Everything follows from the vehicle's number and the
round's, so that a million vehicles need no memory here:

- a third drives at any time, 15 rounds of 45, out and back again, some 900 m a round;
- 0.5 % fall silent each round, for four rounds;
- 1 % of the heartbeats are kept back and posted three rounds later, as of when they were made;
- 1 % are those of the round before once more.

Blocks drive alike, each in a square degree of its own: so a round's requests are one template, in
which a block's digits are filled in. That takes a microsecond a heartbeat, for the load shares the
machine with what it loads.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

BLOCK = 1_000
CYCLE, DRIVES = 45, 15
SILENT_FOR, FALL_SILENT_OF = 4, 200
LATE_BY, ONE_IN = 3, 100
LEG = 30
ROWS, COLUMNS = 14, 13
SOUTH, WEST = 55, 11
HEADINGS = ((0, 800, 0), (60, 400, 1_400), (90, 0, 1_600), (150, -700, 800))
"""Degrees, and how far a round goes that way in 1e-5 degrees of latitude and longitude."""

_PIECES = 9
_BLOCK, _INSTANT, _ROW, _COLUMN = 1, 3, 5, 7
"""A heartbeat of a template is so many pieces; those at these places are the block's own."""


class Sent(NamedTuple):
    """A request's body, and how many of its heartbeats are new, late (and new), and duplicates."""

    body: bytes
    fresh: int
    late: int
    duplicates: int

    @property
    def heartbeats(self) -> int:
        """All that are in it."""
        return self.fresh + self.late + self.duplicates


def vin(number: int) -> str:
    """The VIN of a vehicle."""
    return f"YS2R4X2{number:010}"


def number_of(vin: str) -> int:
    """The vehicle of a VIN."""
    return int(vin[7:])


def round_at(instant: float) -> int:
    """The number of a round that begins at an instant: a minute each, from run to run."""
    return int(instant // 60) % 1_000_000


def everybody(block: int, round_: int, at: float) -> bytes:
    """The JSON array of one heartbeat of each vehicle of a block."""
    return _array(_filled(_template(range(BLOCK), round_), block, at))


def is_silent(number: int, round_: int) -> bool:
    """Whether it says nothing in this round."""
    return (round_ - number) % FALL_SILENT_OF < SILENT_FOR


def keeps_back(number: int, round_: int) -> bool:
    """Whether it posts this round's heartbeat later."""
    return (number + round_) % ONE_IN == ONE_IN // 2


class Rounds:
    """What is posted of a fleet that sends `rate` new heartbeats a second from an instant on.

    `begins` is in seconds since 1970; the fleet is a multiple of a thousand vehicles.
    """

    def __init__(self, vehicles: int, rate: float, begins: float) -> None:
        if vehicles % BLOCK:
            raise ValueError(f"a fleet of a multiple of {BLOCK} vehicles is expected")
        self.blocks = vehicles // BLOCK
        self.begins = begins
        self.spacing_s = _new_ones_a_request() / rate
        """From one request's due time to the next one's."""
        self._first = round_at(begins)
        self._lap = -1

    def due(self, request: int) -> float:
        """When the request of this number, from 0, is due, in seconds since 1970."""
        return self.begins + request * self.spacing_s

    def request(self, number: int) -> Sent:
        """The request of this number, from 0; cheap round by round."""
        lap, block = divmod(number, self.blocks)
        if lap != self._lap:
            self._lap = lap
            self._plan = _plan(self._first + lap, lap)
        parts = [
            _filled(template, block, self.due(number - laps_ago * self.blocks))
            for laps_ago, template in self._plan.templates
        ]
        counts = self._plan.fresh, self._plan.late, self._plan.duplicates
        return Sent(_array(b"".join(parts)), *counts)


class _Plan(NamedTuple):
    """What every block sends in a round: templates, by how many rounds ago it was recorded."""

    templates: list[tuple[int, list[bytes]]]
    fresh: int
    late: int
    duplicates: int


def _plan(round_: int, lap: int) -> _Plan:
    senders = _senders(round_, lap)
    ago = (0, LATE_BY, 1)
    templates = [(n, _template(some, round_ - n)) for n, some in zip(ago, senders, strict=True)]
    return _Plan(templates, *map(len, senders))


def _senders(round_: int, lap: int) -> tuple[list[int], list[int], list[int]]:
    """Who sends this round's heartbeat, who one that was kept back, and who the last one again.

    `lap` counts from a run's first round: nobody has sent one before it that could be sent again.
    """
    speaks = [n for n in range(BLOCK) if not is_silent(n, round_)]
    then, before = round_ - LATE_BY, round_ - 1
    fresh = [n for n in speaks if not keeps_back(n, round_)]
    late = [n for n in speaks if keeps_back(n, then) and not is_silent(n, then)]
    again = [
        n
        for n in speaks
        if lap
        and (n + round_) % ONE_IN == 0
        and not (is_silent(n, before) or keeps_back(n, before))
    ]
    return fresh, late, again


def _new_ones_a_request() -> float:
    """The mean of all rounds."""
    rounds = range(FALL_SILENT_OF)
    senders = (_senders(n, 1) for n in rounds)
    return sum(len(fresh) + len(late) for fresh, late, _ in senders) / len(rounds)


def _template(places: Iterable[int], round_: int) -> list[bytes]:
    return [piece for n in places for piece in _heartbeat(n, round_)]


def _heartbeat(n: int, round_: int) -> list[bytes]:
    """What the n-th vehicle of any block says, but for its block, the instant and its square."""
    cycles, phase = divmod(round_ + n * 7 % CYCLE, CYCLE)
    driven = cycles * DRIVES + min(phase, DRIVES)
    heading, north, east = HEADINGS[n % len(HEADINGS)]
    away = driven % (2 * LEG)
    if away > LEG:
        away, heading = 2 * LEG - away, heading + 180
    latitude = 30_000 + n * 7_919 % 40_000 + away * north
    longitude = n * 3_571 % 50_000 + away * east
    speed, ignition = (50 + n % 40, "true") if phase < DRIVES else (0, "false")
    said = (
        '{"vin":"YS2R4X2',
        "",
        f'{n:03}","recorded_at":"',
        "",
        f'{n % 100:02}Z","latitude":',
        "",
        f'.{latitude:05},"longitude":',
        "",
        (
            f'.{longitude:05},"heading_deg":{heading},"odometer_km":{driven}.{n % 10},'
            f'"speed_kmh":{speed},"ignition":{ignition}}},'
        ),
    )
    return [piece.encode() for piece in said]


def _filled(template: list[bytes], block: int, due: float) -> bytes:
    """Recorded within the tenth of a second before the one in which it is due."""
    row, column = divmod(block % (ROWS * COLUMNS), COLUMNS)
    second, tenth = divmod(int(10 * due) - 1, 10)
    instant = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
    count = len(template) // _PIECES
    template[_BLOCK::_PIECES] = [b"%07d" % block] * count
    template[_INSTANT::_PIECES] = [b"%b.%d" % (instant.encode(), tenth)] * count
    template[_ROW::_PIECES] = [b"%d" % (SOUTH + row)] * count
    template[_COLUMN::_PIECES] = [b"%d" % (WEST + column)] * count
    return b"".join(template)


def _array(heartbeats: bytes) -> bytes:
    return b"[%b]" % heartbeats[:-1]

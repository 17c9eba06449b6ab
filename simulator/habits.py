"""What a vehicle's device does besides reporting on time: fall silent, re-send, come late.

Times here are seconds; a habit is a pure function of the instant, as the tour is.
"""

from math import ceil
from random import Random
from typing import NamedTuple


class Spells(NamedTuple):
    """Something that lasts `lasting_s` out of every `every_s`, from `offset_s` on."""

    every_s: float
    lasting_s: float
    offset_s: float

    def cover(self, t: float) -> bool:
        """Whether the instant is within a spell."""
        return (t - self.offset_s) % self.every_s < self.lasting_s


NEVER = Spells(every_s=1.0, lasting_s=0.0, offset_s=0.0)


class Habits(NamedTuple):
    """The habits of one vehicle.

    In `silent` spells the device is off and records nothing. In a `tunnel` it records, but nothing
    gets through: its heartbeats are delivered later. When `resending` it sends twice.
    """

    silent: Spells = NEVER
    tunnel: Spells = NEVER
    resending: Spells = NEVER


class Shares(NamedTuple):
    """Which share of the fleet has a habit, 0 to 1 each."""

    silent: float = 0.1
    resend: float = 0.1
    late: float = 0.1


def chosen(number: int, share: float, first: int) -> bool:
    """Whether vehicle `number` is among the evenly spread `share`, counted from vehicle `first`.

    Vehicle `first` is, whenever the share is not nought.
    """
    return ceil((number - first + 1) * share) > ceil((number - first) * share)


def silence(interval_s: float, dice: Random) -> Spells:
    """Silent for some minutes, and for more heartbeats than a server forgives, every 10 to 15."""
    lasting = max(dice.uniform(4 * 60, 6 * 60), 4 * interval_s)
    return _spells(2.5 * lasting, lasting, dice)


def tunnel(interval_s: float, dice: Random) -> Spells:
    """In a tunnel for three to five heartbeats, every 15 or so."""
    return _spells(15 * interval_s, dice.uniform(3, 5) * interval_s, dice)


def resending(interval_s: float, dice: Random) -> Spells:
    """Send every fourth heartbeat twice."""
    return _spells(4 * interval_s, interval_s, dice)


def _spells(every_s: float, lasting_s: float, dice: Random) -> Spells:
    return Spells(every_s, lasting_s, dice.uniform(0, every_s))

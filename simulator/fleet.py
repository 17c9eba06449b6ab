"""The plan: which vehicles there are, and what each of them reports at any instant."""

from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from simulator import habits
from simulator.dice import dice
from simulator.habits import Habits, Shares, chosen
from simulator.registrations import DEMO_FLEET, registration
from simulator.tour import Tour

Heartbeat = dict[str, Any]
"""A heartbeat as it goes on the wire: the fields of the HTTP contract."""


class Vehicle:
    """Vehicle `number` of a seed: what it tells is a pure function of seed, number and time."""

    def __init__(self, seed: int, number: int, habits: Habits) -> None:
        self._seed, self._number = seed, number
        self.registration = registration(seed, number)
        self.habits = habits

    @cached_property
    def tour(self) -> Tour:
        """Its tour, planned when it is first asked for: ten thousand at once take seconds."""
        home = self.registration.haulier.home
        return Tour(home, dice(self._seed, "tour", self._number))

    def heartbeat(self, t: float) -> Heartbeat:
        """Report the vehicle at `t` (seconds of Unix time), rounded as a device would."""
        state = self.tour.at(t)
        recorded_at = datetime.fromtimestamp(t, UTC).isoformat(timespec="milliseconds")
        return {
            "vin": self.registration.vin,
            "recorded_at": recorded_at.replace("+00:00", "Z"),
            "latitude": round(state.latitude, 6),
            "longitude": round(state.longitude, 6),
            "heading_deg": round(state.heading_deg, 1) % 360,
            "speed_kmh": round(state.speed_kmh, 1),
            "odometer_km": round(state.odometer_km, 3),
            "fuel_level": round(state.fuel_level, 3),
            "ignition": state.ignition,
        }


def plan_fleet(seed: int, vehicles: int, interval_s: float, shares: Shares) -> list[Vehicle]:
    """Plan a fleet that reports every `interval_s` seconds; a smaller one is a part of a larger.

    Whichever share is not nought, at least one vehicle of the demo fleet has that habit.
    """
    silent, resend, late = dice(seed, "habits").sample(range(len(DEMO_FLEET)), 3)

    def habits_of(number: int) -> Habits:
        throws = dice(seed, "habits of", number)
        spells = Habits(
            habits.silence(interval_s, throws),
            habits.tunnel(interval_s, throws),
            habits.resending(interval_s, throws),
        )
        return Habits(
            spells.silent if chosen(number, shares.silent, silent) else habits.NEVER,
            spells.tunnel if chosen(number, shares.late, late) else habits.NEVER,
            spells.resending if chosen(number, shares.resend, resend) else habits.NEVER,
        )

    return [Vehicle(seed, number, habits_of(number)) for number in range(vehicles)]

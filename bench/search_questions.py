"""What `bench.search` asks: what a dispatcher would, of another vehicle or word each time."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from bench.search_fleet import customer_ids, vin_of
from bench.seeding import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable


def questions(vehicles: int, deep: str) -> dict[str, Callable[[], str]]:
    """By name; `deep` is the cursor of a page far from the first."""
    dice, customers = random.Random(3), customer_ids(vehicles)  # noqa: S311
    return {
        "first page": lambda: "",
        "a page of 100": lambda: "limit=100",
        "status and customer": lambda: f"status=connected&customer_id={dice.choice(customers)}",
        "a status, by VIN": lambda: "status=disconnected&sort=vin",
        "sorted by status": lambda: "sort=status",
        "q: a plate's beginning": lambda: f"q={''.join(dice.choices('ABCDEFGHJ', k=3))}",
        "q: a VIN": lambda: f"q={vin_of(dice.randrange(vehicles))}",
        "q: a customer, two words": lambda: f"q={dice.choice(NAMES)} {dice.choice(NAMES)}",
        "q: one typo": lambda: f"q={dice.choice(NAMES)[:-1]}x",
        "silent for half an hour": lambda: "silent_for=PT30M",
        "silent, by since when": lambda: "status=disconnected&sort=-last_heartbeat_at",
        "bbox of a town": lambda: "bbox=17.52,59.13,18.34,59.47",
        "bbox of the country": lambda: "bbox=10.03,54.02,25.07,70.01",
        "near, 25 km": lambda: "near=59.33,18.07,25",
        "facets of all, one item": lambda: "limit=1",
        "deep in the list": lambda: f"cursor={deep}",
    }

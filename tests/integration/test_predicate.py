"""The predicate of a query finds what the search finds, on fleets and queries thrown by dice."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from projections.catalog import CUSTOMER_VEHICLES
from projections.customer_vehicles.reader import RelationalCustomerVehicles
from projections.vehicle_search.model import SHORTEST_FORGIVEN, Box, Circle, VehicleQuery
from projections.vehicle_search.predicate import matches
from projections.vehicle_search.relational import RelationalVehicleSearch
from projections.vehicle_search.words import words
from tests.following import NOW, catch_up, record
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog

VEHICLES, QUERIES, LIMIT_S = 100, 1_000, 120
NAMES = ["Kalles Grus AB", "Ærlige Åkare & Söner", "Åkeri-Öst", "50% _a\\b", "Kalle Grüs", "AB AB"]
PLATES = ["ABC123", "ABD-123", "DEF 456", "åäö 1", "%_%", "ABC-12"]
LABELS = {"depå": ["Umeå", "Södertälje", "umea"], "a\\b": ["c", "%"], "kod": ["a_b", "a=b"]}
AGES = [0, 1, 119, 120, 121, 600, 3_600, -240]
PLACES = [(59.33, 18.07), (59.2, 17.6), (-17.8, 179.9), (-17.0, -179.9), (90.0, 0.0), (0.0, 180.0)]
BOXES = [
    Box(17.6, 59.2, 18.07, 59.33),
    Box(179, -20, -179, -10),
    Box(-180, -90, 180, 90),
    Box(18.07, 59.33, 18.07, 59.33),
    Box(180, 0, -180, 0),
    Box(0, 0, 1, 1),
]
CIRCLES = [Circle(59.2, 17.6, km) for km in (0.001, 30.2, 30.4)]
CIRCLES += [Circle(-17.4, 180, 60), Circle(90, 0, 3_500), Circle(0, 0, 20_040)]


def _fleet(log: EventLog, dice: Random) -> tuple[list[UUID], list[UUID]]:
    """Customers and vehicles, some never seen, some without a place, some out of use."""
    customers = [Customer(name, "Vägen 1") for name in NAMES]
    log.save(*customers)
    ids = []
    for number in range(VEHICLES):
        vin = f"{dice.choice(('YS2R4X2', 'VLUR4X2'))}{number:010}"
        labels = {k: dice.choice(v) for k, v in LABELS.items() if dice.random() < 0.4}
        owner = dice.choice(customers).id
        vehicle = Vehicle(vin, dice.choice(PLATES) + dice.choice(("", "9")), owner, labels)
        if dice.random() < 0.1:
            vehicle.decommission()
        log.save(vehicle)
        ids.append(vehicle_stream(vin))
        if dice.random() < 0.9:
            place: dict[str, Any] = {}
            if dice.random() < 0.8:
                place = dict(zip(("latitude", "longitude"), dice.choice(PLACES), strict=True))
            record(log, vin, NOW - timedelta(seconds=dice.choice(AGES)), **place)
    return [one.id for one in customers], ids


def _word(dice: Random) -> str:
    """A piece of something that is there, maybe with a typo, maybe written otherwise."""
    source = dice.choice([*NAMES, *PLATES, "depå=Umeå", "kod=a_b", "ys2r4x20000000001"])
    word = dice.choice(source.split())
    start = dice.choice((0, 0, dice.randrange(len(word))))
    word = word[start : start + dice.choice((2, 4, 6, 17))]
    if dice.random() < 0.4:
        at = dice.randrange(len(word) + 1)
        word = word[:at] + dice.choice(("x", "")) + word[at + dice.choice((0, 1)) :]
    return dice.choice((word, word.upper(), f"{word[:2]}-{word[2:]}")) or "b"


def _query(dice: Random, customers: list[UUID]) -> VehicleQuery:
    asked: dict[str, Any] = {
        "q": " ".join(_word(dice) for _ in range(dice.choice((1, 1, 2)))),
        "customer_ids": tuple(dice.sample(customers, dice.choice((1, 3)))),
        "statuses": tuple(dice.sample(("connected", "disconnected", "never_seen"), 2)),
        "silent_for": timedelta(
            seconds=dice.choice((0, 120, 600)), microseconds=dice.choice((0, -1))
        ),
        "box": dice.choice(BOXES),
        "near": dice.choice(CIRCLES),
        "labels": tuple((k, dice.choice(v)) for k, v in LABELS.items() if dice.random() < 0.4),
    }
    return VehicleQuery(
        limit=VEHICLES,
        **{k: v for k, v in asked.items() if dice.random() < (0.6 if k == "q" else 0.2)},
    )


def test_the_predicate_finds_what_the_search_finds(event_log: EventLog, engine: Engine) -> None:
    """The same vehicles; where a word could be a typo of another, all of the search's and more."""
    dice = Random(5)  # noqa: S311 # the same fleet every time
    customers, ids = _fleet(event_log, dice)
    catch_up(event_log, engine)
    where = (engine, CUSTOMER_VEHICLES.name, LIMIT_S)
    search = RelationalVehicleSearch(*where)
    views = RelationalCustomerVehicles(*where).known(ids, []).vehicles.values()
    alike = 0
    for _ in range(QUERIES):
        query = _query(dice, customers)
        found = {view.vehicle.vin for view in search.search(query, NOW).items}
        mine = {view.vehicle.vin for view in views if matches(query, view, NOW, LIMIT_S)}
        if any(len(word) >= SHORTEST_FORGIVEN for word in words(query.q)):
            assert found <= mine, query
        else:
            assert found == mine, query
        alike += found == mine
    assert alike > 0.9 * QUERIES

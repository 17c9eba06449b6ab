"""The rules of a customer's derived trips, as they are given over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from projections.trips.rules import TripRules
from vehicle_tracker.domain.customer import Customer
from write_service import schemas

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from vehicle_tracker.event_log import EventLog

CUSTOMERS = "/api/v1/customers"
RULES = {"stop_after_s": 600, "moving_above_kmh": 7.5, "shortest_km": 0}


def _told(log: EventLog) -> list[Any]:
    rows = [row for row in log.read(0, 100) if row.topic == Customer.TripRulesChanged.TOPIC]
    return [log.event(row).rules for row in rows]  # type: ignore[union-attr]


def test_rules_are_given_and_taken_away(
    write_client: FlaskClient, customer_id: str, event_log: EventLog
) -> None:
    """All or some of them replace those before; the same again is no event; null resets."""
    for rules in (RULES, RULES, {"shortest_km": 1}, {}, None, {"stop_after_s": 60}, None):
        answer = write_client.patch(f"{CUSTOMERS}/{customer_id}", json={"trip_rules": rules})
        assert (answer.status_code, answer.json["position"]) == (200, event_log.head())
    told = _told(event_log)
    assert told == [RULES, {"shortest_km": 1}, None, {"stop_after_s": 60}, None]
    assert TripRules.of(told[0]) == TripRules(600, 7.5, 0)


def test_rules_of_a_new_customer(
    write_client: FlaskClient, customer_id: str, event_log: EventLog
) -> None:
    """They may come with the registration; registered again, rules that are given hold."""
    new = {"name": "Johan", "address": "Väg 2", "trip_rules": RULES}
    assert write_client.post(CUSTOMERS, json=new).status_code == 201
    known = {"name": "Kalle", "address": "Väg 1"}
    for rules in (RULES, None):
        answer = write_client.post(CUSTOMERS, json=known | {"trip_rules": rules})
        assert (answer.status_code, answer.json["customer_id"]) == (201, customer_id)
    assert _told(event_log) == [RULES, RULES]


@pytest.mark.parametrize(
    ("field", "rules"),
    [
        ("trip_rules.stop_after_s", {"stop_after_s": 59}),
        ("trip_rules.stop_after_s", {"stop_after_s": None}),
        ("trip_rules.moving_above_kmh", {"moving_above_kmh": 0}),
        ("trip_rules.moving_above_kmh", {"moving_above_kmh": "5"}),
        ("trip_rules.shortest_km", {"shortest_km": 101}),
        ("trip_rules.shortest_km", {"shortest_km": True}),
        ("trip_rules.longest_km", {"longest_km": 5}),
        ("trip_rules", [5]),
        ("trip_rules", "default"),
    ],
)
def test_a_wrong_rule_is_named(
    field: str, rules: object, write_client: FlaskClient, customer_id: str, event_log: EventLog
) -> None:
    """A rule nobody knows, and one out of its bounds, is refused by its name."""
    head = event_log.head()
    new = {"name": "Johan", "address": "Väg 2", "trip_rules": rules}
    for answer in (
        write_client.post(CUSTOMERS, json=new),
        write_client.patch(f"{CUSTOMERS}/{customer_id}", json={"trip_rules": rules}),
    ):
        assert (answer.status_code, list(answer.json["errors"])) == (422, [field])
    assert event_log.head() == head


def test_the_rules_that_can_be_given_are_those_that_are_followed() -> None:
    """Their names are the same on both sides of the log."""
    assert set(schemas.TripRules().fields) == set(TripRules.__struct_fields__)

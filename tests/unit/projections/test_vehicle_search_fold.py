"""The fold of searched vehicles: any order, any repetition, the same documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.elasticsearch_index import next_index
from projections.vehicle_search.document import (
    Key,
    SearchedCustomer,
    SearchedVehicle,
    customer_source,
    decoded,
    vehicle_source,
)
from projections.vehicle_search.fold import before_its_own_events, evolve, key_of
from projections.vehicle_search.index import MAPPINGS
from vehicle_tracker.domain.customer import Customer
from vehicle_tracker.domain.heartbeat import Heartbeat, HeartbeatRecorded
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

VIN = "YS2R4X20005399401"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
OWNER, BUYER = UUID(int=1), UUID(int=2)
KALLE = SearchedCustomer(version=1, customer_name="Kalles Åkeri")


def _folded(events: Iterable[Any], document: Any = None) -> Any:
    for event in events:
        document = evolve(document, event)
    return document


def _life(steps: Sequence[str]) -> list[Any]:
    """The events of a vehicle that is registered and then lives through these steps."""
    vehicle = Vehicle(vin=VIN, registration_number="ABC 123", customer_id=OWNER, labels={"a": "b"})
    for number, step in enumerate(steps):
        match step:
            case "plate":
                vehicle.change_registration_number(f"DEF{number}")
            case "sold":
                vehicle.move_to_customer(BUYER)
            case "labels":
                vehicle.change_labels({"Depå": f"Umeå {number}"})
            case "limit":
                vehicle.change_disconnect_after(None if vehicle.disconnect_after_s else number + 1)
            case "out":
                vehicle.decommission()
            case _:
                vehicle.recommission(f"GHI{number}", OWNER, {})
    return list(vehicle.collect_events())


places = st.just({}) | st.builds(
    lambda lat, lon: {"latitude": lat, "longitude": lon}, st.floats(-90, 90), st.floats(-180, 180)
)
heartbeats = st.lists(
    st.builds(
        lambda at, place: HeartbeatRecorded(NOW, Heartbeat(vin=VIN, recorded_at=at, **place)),
        st.integers(0, 10**9).map(lambda us: NOW - timedelta(microseconds=us)),
        places,
    ),
    max_size=8,
    unique_by=lambda event: event.version,
)
lives = st.lists(
    st.sampled_from(["plate", "sold", "labels", "limit", "out", "back"]), max_size=5
).map(_life)


@given(said=heartbeats, data=st.data())
def test_heartbeats_in_any_order(said: list[Any], data: st.DataObject) -> None:
    """The newest time and the newest place, whatever comes late or twice."""
    shuffled = data.draw(st.permutations(said + said))
    document = _folded(shuffled)
    assert document == _folded(sorted(said, key=lambda event: event.version))
    if said:
        placed = [event for event in said if event.heartbeat.latitude is not None]
        assert document.last_heartbeat_us == max(event.version for event in said)
        assert document.placed_us == max((event.version for event in placed), default=None)


@given(life=lives, said=heartbeats, data=st.data())
def test_heartbeats_fall_anywhere_into_a_life(
    life: list[Any], said: list[Any], data: st.DataObject
) -> None:
    """Before registration, after it or between: what is decided and what is said do not meet."""
    mixed = list(life)
    for event in said:
        mixed.insert(data.draw(st.integers(0, len(mixed))), event)
    assert _folded(mixed) == _folded(life, _folded(said))


@given(life=lives, data=st.data())
def test_a_life_that_is_delivered_again(life: list[Any], data: st.DataObject) -> None:
    """Going back anywhere and coming again changes nothing; nothing new is the very same object."""
    document = _folded(life)
    again = life[data.draw(st.integers(0, len(life) - 1)) :]
    assert _folded(again, document) is document
    assert _folded(life, before_its_own_events(document)) == document


owners = st.builds(
    SearchedCustomer,
    version=st.just(1),
    customer_name=st.text(),
    disconnect_after_s=st.none() | st.integers(1, 2_592_000),
)


@given(life=lives, said=heartbeats, owner=owners)
def test_what_is_kept_is_read_back(
    life: list[Any], said: list[Any], owner: SearchedCustomer
) -> None:
    """A document survives being kept, and has no field that the mapping does not name."""
    for kind, document, kept in (
        (SearchedVehicle, vehicle := _folded(life + said), vehicle_source(vehicle, owner)),
        (SearchedCustomer, owner, customer_source(owner)),
    ):
        fields = msgspec.json.decode(kept)
        assert decoded(kind, fields) == document
        assert fields.keys() <= MAPPINGS["properties"].keys()


def test_what_was_never_registered_is_an_error() -> None:
    """An event of an unknown vehicle or customer is not made up for."""
    customer = Customer(name="Kalle", address="")
    customer.change_details("Johan", "")
    for event in (_life(["out"])[-1], list(customer.collect_events())[-1]):
        with pytest.raises(LookupError, match="never registered"):
            evolve(None, event)


def test_a_key_is_of_the_vehicle_or_the_customer() -> None:
    """A vehicle's heartbeats and its own events meet in one document."""
    beat = HeartbeatRecorded(NOW, Heartbeat(vin=VIN))
    key = Key(SearchedVehicle, str(vehicle_stream(VIN)))
    assert key_of(beat) == key_of(_life([])[0]) == key
    (created,) = Customer(name="K", address="").collect_events()
    assert key_of(created) == Key(SearchedCustomer, str(created.originator_id))


def test_what_a_vehicle_is_found_by() -> None:
    """VIN, plate, labels and customer, each folded; the place twice; in use or not."""
    vehicle = SearchedVehicle(
        vin=VIN,
        registered=True,
        registration_number="ABC-12 3",
        customer_id=str(uuid4()),
        labels={"Depå": "Umeå Norra"},
        latitude=59.2,
        longitude=17.6,
    )
    kept = msgspec.json.decode(vehicle_source(vehicle, KALLE))
    assert kept["tokens"] == [VIN.lower(), "abc123", "depa=umea", "norra", "kalles", "akeri"]
    assert kept["words"] == f"{VIN.lower()} abc123 depa umea norra kalles akeri"
    assert (kept["label"], kept["customer_folded"]) == (["Depå\x1fUmeå Norra"], "kalles akeri")
    assert (kept["location"], kept["in_use"]) == ([17.6, 59.2], True)


@pytest.mark.parametrize(
    ("own", "customers", "until_us"),
    [(None, None, None), (None, 60, 61_000_000), (30, 60, 31_000_000), (30, None, 31_000_000)],
)
def test_until_when_a_vehicle_is_connected(
    own: int | None, customers: int | None, until_us: int | None
) -> None:
    """By its own limit, else its customer's; by the default nothing is kept: it may change."""
    vehicle = SearchedVehicle(vin=VIN, disconnect_after_s=own, last_heartbeat_us=1_000_000)
    owner = msgspec.structs.replace(KALLE, disconnect_after_s=customers)
    kept = msgspec.json.decode(vehicle_source(vehicle, owner))
    assert kept.get("connected_until_us") == until_us
    never_seen = msgspec.structs.replace(vehicle, last_heartbeat_us=None)
    assert b"connected_until_us" not in vehicle_source(never_seen, owner)


def test_a_customer_changes() -> None:
    """Its name and its limit are what its newest events say; None takes the limit away."""
    customer = Customer(name="Kalle", address="")
    customer.change_disconnect_after(60)
    customer.change_details("Kalles Åkeri", "")
    events = list(customer.collect_events())
    document = _folded(events)
    assert document == SearchedCustomer(
        version=3, customer_name="Kalles Åkeri", disconnect_after_s=60
    )
    customer.change_disconnect_after(None)
    assert _folded(customer.collect_events(), document).disconnect_after_s is None


def test_the_next_index() -> None:
    """A rebuild counts on."""
    assert next_index("vehicle_search-000009") == "vehicle_search-000010"

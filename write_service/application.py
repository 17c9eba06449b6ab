"""What may be commanded of the fleet: register, change, decommission."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError

from vehicle_tracker.domain.customer import Customer, CustomerKey
from vehicle_tracker.domain.values import names_a_stream, vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.errors import Conflict, unknown_customer, unknown_vehicle
from vehicle_tracker.resilience import after_a_conflict

if TYPE_CHECKING:
    from eventsourcing.domain import Aggregate

    from vehicle_tracker.event_log import EventLog


class Registered(NamedTuple):
    """A customer, and the position at which its registration is visible."""

    customer_id: UUID
    position: int


class VehicleTracker:
    """The commands of the write service. Each returns the position it reached in the event log.

    Errors: `Unknown`, `Conflict`; and while PostgreSQL is away one of `LOG_UNREACHABLE`.
    """

    def __init__(self, log: EventLog) -> None:
        self.log = log

    @after_a_conflict
    def register_customer(
        self,
        name: str,
        address: str,
        disconnect_after_s: int | None = None,
        trip_rules: dict[str, float] | None = None,
    ) -> Registered:
        """Register a customer; the same name and address again is the same customer.

        A limit or rules that are given hold either way.
        """
        key_id = CustomerKey.create_id(name, address)
        key: CustomerKey | None = self.log.aggregates([key_id]).get(key_id)
        if key and key.customer_id:
            given = {"disconnect_after_s": disconnect_after_s, "trip_rules": trip_rules}
            changes = {name: value for name, value in given.items() if value}
            return Registered(key.customer_id, self.change_customer(key.customer_id, changes))
        customer = Customer(name=name, address=address)
        if disconnect_after_s:
            customer.change_disconnect_after(disconnect_after_s)
        if trip_rules:
            customer.change_trip_rules(trip_rules)
        if key:
            key.claim(customer_id=customer.id)
        else:
            key = CustomerKey(name=name, address=address, customer_id=customer.id)
        return Registered(customer.id, self._save(customer, key))

    @after_a_conflict
    def change_customer(self, customer_id: UUID, changes: dict[str, Any]) -> int:
        """Change a customer's `name`, `address`, `disconnect_after_s` or `trip_rules`.

        Errors: `Conflict` (`customer_exists`) if another customer is called and lives just so.
        """
        customer = self._customer(customer_id)
        limit = changes.get("disconnect_after_s", customer.disconnect_after_s)
        if limit != customer.disconnect_after_s:
            customer.change_disconnect_after(limit)
        rules = changes.get("trip_rules", customer.trip_rules) or None
        if rules != customer.trip_rules:
            customer.change_trip_rules(rules)
        name = changes.get("name", customer.name)
        address = changes.get("address", customer.address)
        if (name, address) == (customer.name, customer.address):
            return self._save(customer)
        old_id = CustomerKey.create_id(customer.name, customer.address)
        new_id = CustomerKey.create_id(name, address)
        customer.change_details(name=name, address=address)
        if old_id == new_id:
            return self._save(customer)
        keys = self.log.aggregates([old_id, new_id])
        new_key: CustomerKey | None = keys.get(new_id)
        if new_key is None:
            new_key = CustomerKey(name=name, address=address, customer_id=customer_id)
        elif new_key.customer_id is None:
            new_key.claim(customer_id=customer_id)
        else:
            raise Conflict("customer_exists", f"{name} at {address} is another customer already.")
        keys[old_id].release()
        return self._save(customer, keys[old_id], new_key)

    @after_a_conflict
    def register_vehicle(
        self,
        vin: str,
        registration_number: str,
        customer_id: UUID,
        labels: dict[str, str],
        *,
        disconnect_after_s: int | None = None,
    ) -> int:
        """Register a vehicle, or take a decommissioned one into use again.

        Errors: `Conflict` (`vehicle_exists`), `Unknown` (`unknown_customer`).
        """
        self._customer(customer_id)
        vehicle: Vehicle | None = self.log.aggregates([vehicle_stream(vin)]).get(
            vehicle_stream(vin)
        )
        if vehicle is None:
            vehicle = Vehicle(vin, registration_number, customer_id, labels)
        elif vehicle.in_use:
            raise Conflict(
                "vehicle_exists",
                f"VIN {vin} is registered already, as {vehicle.registration_number}.",
            )
        else:
            vehicle.recommission(registration_number, customer_id, labels)
        if disconnect_after_s != vehicle.disconnect_after_s:
            vehicle.change_disconnect_after(disconnect_after_s)
        return self._save(vehicle)

    @after_a_conflict
    def change_vehicle(self, vin: str, changes: dict[str, Any]) -> int:
        """Change its `registration_number`, `customer_id`, `labels` or `disconnect_after_s`.

        Errors: `Unknown` (`unknown_vehicle`, `unknown_customer`).
        """
        vehicle = self._vehicle(vin)
        registration_number = changes.get("registration_number", vehicle.registration_number)
        customer_id = changes.get("customer_id", vehicle.customer_id)
        labels = changes.get("labels", vehicle.labels)
        disconnect_after_s = changes.get("disconnect_after_s", vehicle.disconnect_after_s)
        if registration_number != vehicle.registration_number:
            vehicle.change_registration_number(registration_number)
        if customer_id != vehicle.customer_id:
            self._customer(customer_id)
            vehicle.move_to_customer(customer_id)
        if labels != vehicle.labels:
            vehicle.change_labels(labels)
        if disconnect_after_s != vehicle.disconnect_after_s:
            vehicle.change_disconnect_after(disconnect_after_s)
        return self._save(vehicle)

    @after_a_conflict
    def decommission_vehicle(self, vin: str) -> int:
        """Take a vehicle out of use; its history stays.

        Errors: `Unknown` (`unknown_vehicle`), also if it is out of use already.
        """
        vehicle = self._vehicle(vin)
        vehicle.decommission()
        return self._save(vehicle)

    def _vehicle(self, vin: str) -> Vehicle:
        try:
            vehicle: Vehicle = self.log.repository.get(vehicle_stream(vin))
        except AggregateNotFoundError:
            raise unknown_vehicle(vin) from None
        if not vehicle.in_use:
            raise unknown_vehicle(vin)
        return vehicle

    def _customer(self, customer_id: UUID) -> Customer:
        # A stream of ours may be a vehicle's heartbeats, which are no aggregate.
        found = {} if names_a_stream(customer_id) else self.log.aggregates([customer_id])
        customer = found.get(customer_id)
        if not isinstance(customer, Customer):
            raise unknown_customer(customer_id)
        return customer

    def _save(self, *aggregates: Aggregate) -> int:
        recordings = self.log.save(*aggregates)
        return recordings[-1].notification.id if recordings else self.log.head()

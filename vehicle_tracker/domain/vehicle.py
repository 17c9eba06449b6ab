"""Vehicles: what is decided about them. What they say of themselves is in `heartbeat`."""

from __future__ import annotations

from uuid import UUID

from eventsourcing.domain import Aggregate, event

from vehicle_tracker.domain.values import vehicle_stream


class Vehicle(Aggregate):
    """A vehicle of a customer, known by its VIN for ever."""

    TOPIC = "Vehicle"

    class Created(Aggregate.Created):
        """The vehicle was registered."""

        TOPIC = "Vehicle.Created"
        vin: str
        registration_number: str
        customer_id: UUID
        labels: dict[str, str]

    class RegistrationNumberChanged(Aggregate.Event):
        """The vehicle carries another plate from now on."""

        TOPIC = "Vehicle.RegistrationNumberChanged"
        registration_number: str

    class MovedToCustomer(Aggregate.Event):
        """The vehicle belongs to another customer from now on."""

        TOPIC = "Vehicle.MovedToCustomer"
        customer_id: UUID

    class LabelsChanged(Aggregate.Event):
        """These are its labels from now on, all of them."""

        TOPIC = "Vehicle.LabelsChanged"
        labels: dict[str, str]

    class DisconnectAfterChanged(Aggregate.Event):
        """So long may it be silent from now on; None: as long as its customer's may."""

        TOPIC = "Vehicle.DisconnectAfterChanged"
        disconnect_after_s: int | None

    class Decommissioned(Aggregate.Event):
        """The vehicle is in use no longer. Its history stays."""

        TOPIC = "Vehicle.Decommissioned"

    class Recommissioned(Aggregate.Event):
        """A decommissioned vehicle was registered again, with all that may have changed."""

        TOPIC = "Vehicle.Recommissioned"
        registration_number: str
        customer_id: UUID
        labels: dict[str, str]

    @staticmethod
    def create_id(vin: str) -> UUID:
        """One stream a VIN, so that the same VIN cannot be registered twice."""
        return vehicle_stream(vin)

    @event(Created)
    def __init__(
        self, vin: str, registration_number: str, customer_id: UUID, labels: dict[str, str]
    ) -> None:
        self.vin = vin
        self.registration_number = registration_number
        self.customer_id = customer_id
        self.labels = labels
        self.disconnect_after_s: int | None = None
        self.in_use = True

    @event(RegistrationNumberChanged)
    def change_registration_number(self, registration_number: str) -> None:
        """Give it another plate."""
        self.registration_number = registration_number

    @event(MovedToCustomer)
    def move_to_customer(self, customer_id: UUID) -> None:
        """Give it to another customer."""
        self.customer_id = customer_id

    @event(LabelsChanged)
    def change_labels(self, labels: dict[str, str]) -> None:
        """Replace its labels."""
        self.labels = labels

    @event(DisconnectAfterChanged)
    def change_disconnect_after(self, disconnect_after_s: int | None) -> None:
        """Give it a limit of its own, or None."""
        self.disconnect_after_s = disconnect_after_s

    @event(Decommissioned)
    def decommission(self) -> None:
        """Take it out of use."""
        self.in_use = False

    @event(Recommissioned)
    def recommission(
        self, registration_number: str, customer_id: UUID, labels: dict[str, str]
    ) -> None:
        """Take it into use again."""
        self.registration_number = registration_number
        self.customer_id = customer_id
        self.labels = labels
        self.in_use = True

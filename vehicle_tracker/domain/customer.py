"""Customers, and the key by which the same customer is known again."""

from __future__ import annotations

from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.domain import Aggregate, event

_KEYS = uuid5(NAMESPACE_URL, "vehicle-tracker:customer-key")


class Customer(Aggregate):
    """Who owns vehicles."""

    TOPIC = "Customer"

    class Created(Aggregate.Created):
        """A customer was registered."""

        TOPIC = "Customer.Created"
        name: str
        address: str

    class DetailsChanged(Aggregate.Event):
        """The customer's name or address is another from now on."""

        TOPIC = "Customer.DetailsChanged"
        name: str
        address: str

    class DisconnectAfterChanged(Aggregate.Event):
        """So long may its vehicles be silent from now on; None: as long as any."""

        TOPIC = "Customer.DisconnectAfterChanged"
        disconnect_after_s: int | None

    class TripRulesChanged(Aggregate.Event):
        """By these its vehicles' trips are told from standing; None: by the default ones.

        What a rule is called is in `projections.trips`; those that are not named are the default.
        """

        TOPIC = "Customer.TripRulesChanged"
        rules: dict[str, float] | None

    @event(Created)
    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self.disconnect_after_s: int | None = None
        self.trip_rules: dict[str, float] | None = None

    @event(DetailsChanged)
    def change_details(self, name: str, address: str) -> None:
        """Replace name and address."""
        self.name = name
        self.address = address

    @event(DisconnectAfterChanged)
    def change_disconnect_after(self, disconnect_after_s: int | None) -> None:
        """Give its vehicles a limit, or None."""
        self.disconnect_after_s = disconnect_after_s

    @event(TripRulesChanged)
    def change_trip_rules(self, rules: dict[str, float] | None) -> None:
        """Give its vehicles' trips other rules, or None."""
        self.trip_rules = rules


class CustomerKey(Aggregate):
    """Which customer a name and address stand for.

    It makes registering idempotent without a read model: its stream is named by name and address,
    so two writers that register the same customer at once meet at its first version.
    """

    TOPIC = "CustomerKey"

    class Created(Aggregate.Created):
        """The name and address were claimed for the first time."""

        TOPIC = "CustomerKey.Created"
        name: str
        address: str
        customer_id: UUID

    class Claimed(Aggregate.Event):
        """The name and address stand for this customer from now on."""

        TOPIC = "CustomerKey.Claimed"
        customer_id: UUID

    class Released(Aggregate.Event):
        """The customer is called otherwise now; the name and address are free."""

        TOPIC = "CustomerKey.Released"

    @staticmethod
    def create_id(name: str, address: str) -> UUID:
        """The same stream however the name is cased or spaced."""
        return uuid5(_KEYS, "\n".join(" ".join(t.casefold().split()) for t in (name, address)))

    @event(Created)
    def __init__(self, name: str, address: str, customer_id: UUID) -> None:
        self.name = name
        self.address = address
        self.customer_id: UUID | None = customer_id

    @event(Claimed)
    def claim(self, customer_id: UUID) -> None:
        """Let the key stand for this customer."""
        self.customer_id = customer_id

    @event(Released)
    def release(self) -> None:
        """Let the key stand for nobody."""
        self.customer_id = None

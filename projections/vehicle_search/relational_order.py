"""The order of a list of vehicles in SQL, and the places where its pages end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, DateTime, and_, cast, func, or_, true

from projections.customer_vehicles.relational import customer, vehicle
from projections.paging import decode_cursor, encode_cursor, instant_in, invalid_cursor

if TYPE_CHECKING:
    from projections.vehicle_search.relational_filters import Condition


class Order:
    """The order of a list: by a key, then by VIN."""

    def __init__(self, sort: str, status: ColumnElement[Any]) -> None:
        self._sort = sort
        self._reversed = sort.startswith("-")
        never = cast("-infinity" if self._reversed else "infinity", DateTime(timezone=True))
        keys: dict[str, ColumnElement[Any]] = {
            "registration_number": vehicle.c.registration_number,
            "vin": vehicle.c.vin,
            "customer": func.coalesce(customer.c.folded_name, ""),
            "status": status,
            "last_heartbeat_at": func.coalesce(vehicle.c.last_heartbeat_at, never),
        }
        self.key = keys[sort.lstrip("-")]

    def sorted(self, key: ColumnElement[Any]) -> ColumnElement[Any]:
        """The key, downwards if that is the order."""
        return key.desc() if self._reversed else key

    def cursor(self, key: str, vin: str) -> str:
        """The place of a vehicle in this order."""
        return encode_cursor(self._sort, key, vin)

    def after(self, cursor: str | None) -> Condition:
        """True of the vehicles after that place; without one, of all."""
        place = place_of(cursor, self._sort)
        if place is None:
            return true()
        key, vin = place
        is_instant = isinstance(self.key.type, DateTime) and key.lstrip("-") != "infinity"
        return self.beyond(cast(instant_in(key) if is_instant else key, self.key.type), vin)

    def beyond(self, key: ColumnElement[Any], vin: ColumnElement[str] | str) -> Condition:
        """True of the vehicles after that place."""
        if self._reversed:
            beyond, not_before = self.key < key, self.key <= key
        else:
            beyond, not_before = self.key > key, self.key >= key
        return and_(not_before, or_(beyond, vehicle.c.vin > vin))


def place_of(cursor: str | None, sort: str) -> tuple[str, str] | None:
    """The key and the VIN of the vehicle that a page ended with. Errors: `invalid_cursor`."""
    if cursor is None:
        return None
    sorted_by, key, vin = decode_cursor(cursor, tuple[str, str, str])
    if sorted_by != sort:
        raise invalid_cursor()
    return key, vin

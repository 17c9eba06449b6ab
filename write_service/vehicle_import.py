"""Importing a fleet from CSV: what can be registered is, the rest is said line by line."""

from __future__ import annotations

import csv
import io
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from marshmallow import ValidationError

from vehicle_tracker.domain.customer import Customer, CustomerKey
from vehicle_tracker.domain.values import vehicle_stream
from vehicle_tracker.domain.vehicle import Vehicle
from vehicle_tracker.errors import Invalid, Malformed, TooLarge
from vehicle_tracker.resilience import after_a_conflict
from vehicle_tracker.web import field_errors, in_words
from write_service.schemas import ImportRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from vehicle_tracker.event_log import EventLog

COLUMNS = ("vin", "registration_number", "customer", "address")
_LINES_A_TRANSACTION = 500
_MOST_LINES = 200_000
"""As many as fill the largest body, if they are right. Of wrong ones it can have millions."""

_importing = Lock()
"""One file at a time is read and registered, so that many have one thread's share."""


class Line(NamedTuple):
    """A line of the file that can be read."""

    number: int
    vin: str
    registration_number: str
    customer: str
    address: str


class RejectedLine(NamedTuple):
    """A line that was not registered, and why."""

    line: int
    code: str
    detail: str


class Import:
    """What has become of the lines so far."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.position = 0
        self.registered = 0
        self.unchanged = 0
        self.rejected: list[RejectedLine] = []

    def run(self, body: bytes) -> None:
        """Register what can be, some hundred lines a transaction.

        Errors: `Malformed`, `Invalid` or `TooLarge`, before anything is registered, if it is not
        such a CSV.
        """
        with _importing:
            lines = list(self._readable(body))
            for start in range(0, len(lines), _LINES_A_TRANSACTION):
                self._register(lines[start : start + _LINES_A_TRANSACTION])
        self.position = self.position or self._log.head()
        self.rejected.sort()

    def _readable(self, body: bytes) -> Iterator[Line]:
        for number, row in read_csv(body):
            try:
                yield Line(number, **ImportRow().load(row))
            except ValidationError as error:
                detail = in_words(field_errors(error.messages))
                self.rejected.append(RejectedLine(number, "invalid_line", detail))

    @after_a_conflict
    def _register(self, lines: list[Line]) -> None:
        streams = {vehicle_stream(line.vin) for line in lines}
        keys = {CustomerKey.create_id(line.customer, line.address) for line in lines}
        known = self._log.aggregates([*streams, *keys])
        registered, unchanged, rejected = 0, 0, []
        for line in lines:
            customer_id = _customer(line, known)
            vehicle: Vehicle | None = known.get(vehicle_stream(line.vin))
            if vehicle is None:
                vehicle = Vehicle(line.vin, line.registration_number, customer_id, {})
                known[vehicle.id] = vehicle
                registered += 1
            elif not vehicle.in_use:
                vehicle.recommission(line.registration_number, customer_id, vehicle.labels)
                registered += 1
            elif (vehicle.registration_number, vehicle.customer_id) == (
                line.registration_number,
                customer_id,
            ):
                unchanged += 1
            else:
                rejected.append(_taken(line, vehicle))
        recordings = self._log.save(*known.values())
        self.position = max([self.position, *(one.notification.id for one in recordings)])
        self.registered += registered
        self.unchanged += unchanged
        self.rejected += rejected


def read_csv(body: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """The number and the columns of each line after the head line.

    Errors: `Malformed` (`malformed_csv`), `Invalid` (`missing_columns`), `TooLarge`
    (`too_many_lines`).
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(
            "malformed_csv", f"The file is not UTF-8: byte {error.start} cannot be read."
        ) from error
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="more", strict=True)
    try:
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise Invalid(
                "missing_columns",
                f"The first line must name the columns {','.join(COLUMNS)};"
                f" it does not name {', '.join(missing)}.",
            )
        rows = [(reader.line_num, row) for row in islice(reader, _MOST_LINES + 1)]
    except csv.Error as error:
        raise Malformed("malformed_csv", f"Line {reader.line_num}: {error}.") from error
    if len(rows) > _MOST_LINES:
        raise TooLarge(
            "too_many_lines", f"At most {_MOST_LINES} vehicles are taken at once; send it in parts."
        )
    for number, row in rows:
        yield number, {name: value for name, value in row.items() if value is not None}


def _customer(line: Line, known: dict[UUID, Any]) -> UUID:
    """The customer of a line, registered with it if there is none called and living so."""
    key: CustomerKey | None = known.get(CustomerKey.create_id(line.customer, line.address))
    if key and key.customer_id:
        return key.customer_id
    customer = Customer(name=line.customer, address=line.address)
    known[customer.id] = customer
    if key:
        key.claim(customer_id=customer.id)
    else:
        key = CustomerKey(name=line.customer, address=line.address, customer_id=customer.id)
        known[key.id] = key
    return customer.id


def _taken(line: Line, vehicle: Vehicle) -> RejectedLine:
    detail = f"VIN {vehicle.vin} is registered already, as {vehicle.registration_number}"
    other = (
        "" if vehicle.registration_number != line.registration_number else " of another customer"
    )
    return RejectedLine(line.number, "vehicle_exists", f"{detail}{other}.")

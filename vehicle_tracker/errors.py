"""Every error a client of ours can see, in one tree.

TrackerError
├── Malformed      400  the body is not what its content type says
├── Unknown        404  there is no such vehicle, customer, …
├── Unacceptable   406  the client takes nothing that is offered
├── Conflict       409  it contradicts what is recorded
├── TooLarge       413  the body or the batch
├── Unsupported    415  the content type or encoding
├── Invalid        422  a field is wrong; `errors` names each
└── Unavailable    503  not now: `retry_after_s` says when to come again

`vehicle_tracker.web` renders them, and nothing else does. `code` is stable: programs rely on it.
"""

from __future__ import annotations

from typing import ClassVar


class TrackerError(Exception):
    """Something the client is told, as a problem document (RFC 9457)."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, code: str, detail: str, **members: object) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.members = members


class Malformed(TrackerError):
    """The body is not what its content type says."""

    status = 400
    title = "Malformed body"


class Unknown(TrackerError):
    """There is no such thing."""

    status = 404
    title = "Not found"


class Unacceptable(TrackerError):
    """The client takes nothing that is offered."""

    status = 406
    title = "Not acceptable"


class Conflict(TrackerError):
    """It contradicts what is recorded."""

    status = 409
    title = "Conflict"


class TooLarge(TrackerError):
    """More than is taken at once."""

    status = 413
    title = "Too large"


class Unsupported(TrackerError):
    """A content type or encoding that is not understood."""

    status = 415
    title = "Unsupported media type"


class Invalid(TrackerError):
    """Fields are wrong. `errors` maps each field to what was expected of it."""

    status = 422
    title = "Invalid"


class Unavailable(TrackerError):
    """Not now. Nothing was stored; the same request may be sent again."""

    status = 503
    title = "Unavailable"

    def __init__(self, code: str, detail: str, retry_after_s: int = 1) -> None:
        super().__init__(code, detail)
        self.retry_after_s = retry_after_s


def unknown_vehicle(vin: str) -> Unknown:
    """No vehicle in use has this VIN."""
    return Unknown("unknown_vehicle", f"No vehicle with VIN {vin} is registered.")


def unknown_customer(customer_id: object) -> Unknown:
    """No customer has this id."""
    return Unknown("unknown_customer", f"No customer with id {customer_id} is registered.")


def search_unavailable(why: str) -> Unavailable:
    """There is no search for now."""
    return Unavailable("search_unavailable", f"The search cannot answer now: {why}.")


def archive_unreadable(file: str, why: str) -> Unavailable:
    """A file of old heartbeats is not there, or not as it was written."""
    detail = f"Old heartbeats cannot be read: archive file {file}: {why}."
    return Unavailable("archive_unreadable", detail, retry_after_s=60)


def too_much_to_read() -> Invalid:
    """What is asked for takes longer to read than one request is given."""
    expected = "expected a shorter period, or fewer vehicles"
    return Invalid(
        "too_much_to_read",
        "There is too much in this period to be read at once; ask for less.",
        errors={"query": [expected]},
    )


def unknown_trip(trip_id: object) -> Unknown:
    """Nobody told of this trip."""
    return Unknown("unknown_trip", f"There is no trip with id {trip_id}.")

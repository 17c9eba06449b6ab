"""A fleet is registered from a CSV file: what is wrong in it is said line by line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from vehicle_tracker.event_log import EventLog

VIN, OTHER_VIN, UNKNOWN_VIN = "YS2R4X20005399401", "VLUR4X20009093588", "WVWZZZ1JZXW000001"
CHALLENGE = Path(__file__).parent.parent / "data" / "challenge_fleet.csv"


def test_the_challenge_file_is_imported_but_for_its_conflict(
    write_client: FlaskClient, event_log: EventLog
) -> None:
    """The published file gives two vehicles one VIN: that line is refused, the rest registered."""
    csv = {"data": CHALLENGE.read_bytes(), "content_type": "text/csv"}
    first = write_client.post("/api/v1/vehicles/import", **csv).json
    assert (first["registered"], first["unchanged"]) == (6, 0)
    ((line, code),) = [(one["line"], one["code"]) for one in first["rejected"]]
    assert code == "vehicle_exists"
    assert b"PQR678" in CHALLENGE.read_bytes().splitlines()[line - 1]
    before = event_log.head()
    again = write_client.post("/api/v1/vehicles/import", **csv).json
    assert (again["registered"], again["unchanged"], len(again["rejected"])) == (0, 6, 1)
    assert again["position"] == before == event_log.head()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "missing_columns"),
        (b"vin;registration_number;customer;address\n", 422, "missing_columns"),
        (b"vin,registration_number,customer,address\n\xff", 400, "malformed_csv"),
        (b'vin,registration_number,customer,address\n"a\n', 400, "malformed_csv"),
        (b"vin,registration_number,customer,address\n", 200, None),
        pytest.param(
            b"vin,registration_number,customer,address\n" + b"a\n" * 200_001,
            413,
            "too_many_lines",
            id="too many lines",
        ),
        (b"\xef\xbb\xbfvin,registration_number,customer,address,note\n", 200, None),
    ],
)
def test_a_file_that_is_no_fleet_is_refused_whole(
    body: bytes, status: int, code: str | None, write_client: FlaskClient
) -> None:
    """A file that cannot be understood as a whole registers nothing and says why."""
    answer = write_client.post("/api/v1/vehicles/import", data=body, content_type="text/csv")
    assert (answer.status_code, answer.json.get("code")) == (status, code)


def test_bad_lines_are_said_by_number(write_client: FlaskClient) -> None:
    """Each line that cannot be read is named with its number in the file; the others register."""
    lines = [
        "vin,registration_number,customer,address",
        f"{VIN},ABC123,Kalle,Väg 1",
        "IOQ,DEF456,Kalle,Väg 1",
        f"{OTHER_VIN},DEF456,🚚,Väg 1",
        f"{OTHER_VIN},DEF456",
        f"{OTHER_VIN},DEF456,Kalle,Väg 1,more",
        f'{UNKNOWN_VIN},"two\nlines",Kalle,Väg 1',
        f"{OTHER_VIN},DEF456,Johan,Väg 1",
    ]
    answer = write_client.post(
        "/api/v1/vehicles/import", data="\n".join(lines).encode(), content_type="text/csv"
    ).json
    assert answer["registered"] == 2
    assert [one["line"] for one in answer["rejected"]] == [3, 4, 5, 6, 8]


def test_a_thousand_lines_are_registered_in_few_transactions(
    write_client: FlaskClient, event_log: EventLog
) -> None:
    """A large fleet with one customer registers that customer once."""
    rows = "\n".join(f"YS2R4X2000{n:07d},ABC{n},Kalle,Väg 1" for n in range(1200))
    body = f"vin,registration_number,customer,address\n{rows}".encode()
    answer = write_client.post("/api/v1/vehicles/import", data=body, content_type="text/csv").json
    assert (answer["registered"], answer["rejected"]) == (1200, [])
    topics = [row.topic for row in event_log.read(0, 2000)]
    assert topics.count("Customer.Created") == topics.count("CustomerKey.Created") == 1
    assert topics.count("Vehicle.Created") == 1200

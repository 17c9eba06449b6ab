"""The read service answers what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from read_service import schemas
from tests.integration.read_service.conftest import NEVER, NOBODY, OTHER_VIN, VIN, expect, problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient


def test_vehicles_are_found(read: FlaskClient, fleet: int, customer_id: str) -> None:
    """Items, total, facets, position and time: what was written, as it was written."""
    body = expect(read.get("/api/v1/vehicles"), schemas.VehiclePage())
    assert [item["registration_number"] for item in body["items"]] == ["ABC 123", "DEF456"]
    seen, never = body["items"]
    assert seen["customer"] == {"customer_id": customer_id, "name": "Kalle"}
    assert (seen["status"], seen["status_since"], seen["speed_kmh"]) == ("connected", None, 1.0)
    assert (seen["latitude"], seen["labels"]) == (59.2, {"depå": "Umeå"})
    assert seen["position_recorded_at"] < seen["last_heartbeat_at"] < body["as_of"]
    assert (never["status"], never["last_heartbeat_at"]) == ("never_seen", None)
    assert never["status_since"] == never["registered_at"]
    assert (body["total"], body["position"], body["next_cursor"]) == (2, fleet, None)
    assert body["facets"]["status"] == {"connected": 1, "disconnected": 0, "never_seen": 1}
    assert body["facets"]["customers"] == [
        {"customer_id": customer_id, "name": "Kalle", "count": 2}
    ]


@pytest.mark.parametrize(
    ("query", "vins"),
    [
        ("q=abc", [VIN]),
        ("q=UMEA+kalle", [VIN]),
        ("status=never_seen", [OTHER_VIN]),
        ("status=never_seen&status=connected&sort=-registration_number", [OTHER_VIN, VIN]),
        ("sort=-last_heartbeat_at&limit=1", [VIN]),
        (f"customer_id={NOBODY}", []),
        ("q=", [VIN, OTHER_VIN]),
    ],
)
def test_vehicles_are_filtered(read: FlaskClient, fleet: int, query: str, vins: list[str]) -> None:
    """Each parameter does what it says, alone and with others, for all and for a customer."""
    body = read.get(f"/api/v1/vehicles?{query}").json
    assert [item["vin"] for item in body["items"]] == vins
    if "customer_id" not in query:
        (customer,) = read.get("/api/v1/customers").json["items"]
        url = f"/api/v1/customers/{customer['customer_id']}/vehicles?{query}"
        same = expect(read.get(url), schemas.VehiclePage())
        assert same["items"] == body["items"]


def test_a_cursor_leads_to_the_next_page(read: FlaskClient, fleet: int) -> None:
    """`next_cursor` continues after the last item, and is null on the last page."""
    first = read.get("/api/v1/vehicles?limit=1&sort=vin").json
    second = read.get(f"/api/v1/vehicles?limit=1&sort=vin&cursor={first['next_cursor']}").json
    assert [item["vin"] for item in first["items"] + second["items"]] == [OTHER_VIN, VIN]
    assert second["next_cursor"] is None


def test_a_vehicle_shows_the_numbers_behind_its_status(read: FlaskClient, fleet: int) -> None:
    """The item of the list, with the limits it is judged by."""
    body = expect(read.get(f"/api/v1/vehicles/{VIN}?at_least={fleet}"), schemas.Vehicle())
    assert (body["heartbeat_interval_s"], body["disconnect_after_s"]) == (60, 120)
    assert (body["position"], body["vin"]) == (fleet, VIN)
    problem(read.get(f"/api/v1/vehicles/{NEVER}"), 404, "unknown_vehicle")


def test_heartbeats_come_out_of_the_log(read: FlaskClient, fleet: int) -> None:
    """By `recorded_at`, however they arrived; `from` is inside, `to` is not; page by page."""
    url = f"/api/v1/vehicles/{VIN}/heartbeats"
    body = expect(read.get(url), schemas.HeartbeatPage())
    assert [item["speed_kmh"] for item in body["items"]] == [3.0, 2.0, 1.0]
    assert (body["items"][0]["latitude"], body["position"]) == (59.2, fleet)
    first, second, third = (item["recorded_at"] for item in body["items"])
    between = read.get(f"{url}?from={second}&to={third}").json
    assert [item["recorded_at"] for item in between["items"]] == [second]
    page = read.get(f"{url}?limit=2").json
    rest = read.get(f"{url}?limit=2&from={first}&cursor={page['next_cursor']}").json
    assert [item["recorded_at"] for item in rest["items"]] == [third]
    assert rest["next_cursor"] is None
    assert read.get(f"/api/v1/vehicles/{OTHER_VIN}/heartbeats").json["items"] == []


def test_a_decommissioned_vehicle_is_gone_but_its_history_stays(
    read: FlaskClient, write_client: FlaskClient, fleet: int, follow: Callable[[], int]
) -> None:
    """Neither found, nor counted, nor shown; its heartbeats can still be read."""
    write_client.delete(f"/api/v1/vehicles/{VIN}")
    follow()
    assert read.get("/api/v1/vehicles").json["total"] == 1
    assert read.get("/api/v1/customers").json["items"][0]["vehicles"] == 1
    assert len(read.get("/search").json) == 1
    problem(read.get(f"/api/v1/vehicles/{VIN}"), 404, "unknown_vehicle")
    assert len(read.get(f"/api/v1/vehicles/{VIN}/heartbeats").json["items"]) == 3
    problem(read.get(f"/api/v1/vehicles/{NEVER}/heartbeats"), 404, "unknown_vehicle")


def test_customers_are_counted(
    read: FlaskClient, write_client: FlaskClient, fleet: int, follow: Callable[[], int]
) -> None:
    """Customers by name, each with its vehicles by status; page by page; found by their name."""
    for name in ("Åsas Åkeri", "Bertils Bulk", "Ödlan"):
        write_client.post("/api/v1/customers", json={"name": name, "address": "Väg 2"})
    follow()
    body = expect(read.get("/api/v1/customers"), schemas.CustomerPage())
    names = ["Åsas Åkeri", "Bertils Bulk", "Kalle", "Ödlan"]
    assert [item["name"] for item in body["items"]] == names
    assert body["total"] == 4
    kalle = body["items"][2]
    assert kalle["status"] == {"connected": 1, "disconnected": 0, "never_seen": 1}
    paged: list[str] = []
    cursor = ""
    while cursor is not None:
        url = f"/api/v1/customers?limit=3{cursor and '&cursor='}{cursor}"
        page = read.get(url).json
        paged += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert paged == names
    assert [item["name"] for item in read.get("/api/v1/customers?q=akeri+ASAS").json["items"]] == [
        "Åsas Åkeri"
    ]
    one = expect(read.get(f"/api/v1/customers/{kalle['customer_id']}"), schemas.Customer())
    assert one["vehicles"] == 2
    for url in (f"/api/v1/customers/{NOBODY}", f"/api/v1/customers/{NOBODY}/vehicles"):
        problem(read.get(url), 404, "unknown_customer")


def test_the_wire_of_the_demo(read: FlaskClient, fleet: int, customer_id: str) -> None:
    """`/search` answers as it did: all vehicles, or by a part of the customer's name, or online."""
    body = read.get("/search").json
    assert schemas.DemoVehicle(many=True).load(body)
    assert {one["id"]: one["online"] for one in body} == {VIN: True, OTHER_VIN: False}
    assert body[1]["customer"] == {"id": customer_id, "name": "Kalle", "address": "Väg 1"}
    assert [one["id"] for one in read.get("/search?online=true").json] == [VIN]
    assert [one["id"] for one in read.get("/search?online=false").json] == [OTHER_VIN]
    assert len(read.get("/search?customer_name=ALL").json) == 2
    assert read.get("/search?customer_name=nobody").json == []
    assert read.get("/search/ping").json == {"message": "pong"}

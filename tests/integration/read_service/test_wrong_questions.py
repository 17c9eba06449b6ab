"""Whatever the read service is asked, it says what is wrong with it, and never breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.paging import encode_cursor
from tests.integration.read_service.conftest import NOBODY, VIN

if TYPE_CHECKING:
    from flask.testing import FlaskClient


MANY = 10**30
NAIVE = encode_cursor("2026-01-31T12:00:00")


WRONG = [
    ("vehicles?colour=red", "colour"),
    ("vehicles?limit=0", "limit"),
    ("vehicles?limit=501", "limit"),
    (f"vehicles?limit={MANY}", "limit"),
    ("vehicles?limit=NaN", "limit"),
    ("vehicles?status=gone", "status.0"),
    ("vehicles?sort=colour", "sort"),
    ("vehicles?customer_id=7", "customer_id.0"),
    ("vehicles?at_least=-1", "at_least"),
    (f"vehicles?at_least={MANY}", "at_least"),
    ("vehicles?at_least=" + "9" * 5000, "at_least"),
    ("vehicles?q=a%00b", "q"),
    ("vehicles?q=" + "a" * 201, "q"),
    ("vehicles?q=" + "a+" * 11, "q"),
    ("vehicles?q=" + "a" * 10_000, "q"),
    ("vehicles?limit=100000", "limit"),
    ("vehicles?silent_for=1h", "silent_for"),
    ("vehicles?silent_for=P", "silent_for"),
    ("vehicles?silent_for=PT", "silent_for"),
    ("vehicles?silent_for=P1Y", "silent_for"),
    ("vehicles?silent_for=-PT1H", "silent_for"),
    ("vehicles?silent_for=P999999W", "silent_for"),
    ("vehicles?silent_for=", "silent_for"),
    ("vehicles?bbox=1,2,3", "bbox"),
    ("vehicles?bbox=1,2,3,4,5", "bbox"),
    ("vehicles?bbox=a,b,c,d", "bbox"),
    ("vehicles?bbox=1,2,3,nan", "bbox"),
    ("vehicles?bbox=1,2,3,1e1", "bbox"),
    ("vehicles?bbox=-181,0,0,0", "bbox"),
    ("vehicles?bbox=0,-91,0,0", "bbox"),
    ("vehicles?bbox=0,2,0,1", "bbox"),
    ("vehicles?bbox=" + "9" * 500 + ",0,0,0", "bbox"),
    ("vehicles?near=59,18", "near"),
    ("vehicles?near=59,18,0", "near"),
    ("vehicles?near=59,18,-1", "near"),
    ("vehicles?near=59,18,99999", "near"),
    ("vehicles?near=91,18,1", "near"),
    ("vehicles?near=59,18,1km", "near"),
    ("vehicles?label.=x", "labels"),
    ("vehicles?label.a=%00", "labels"),
    ("vehicles?" + "&".join(f"label.k{n}=v" for n in range(33)), "labels"),
    ("vehicles?labels=a", "labels"),
    ("vehicles?label=a", "label"),
    ("customers?label.a=b", "label.a"),
    ("vehicles?cursor=x", "cursor"),
    ("vehicles?cursor=%00", "cursor"),
    ("vehicles?cursor=" + "a" * 2001, "cursor"),
    ("customers?cursor=x", "cursor"),
    ("customers?q=%01", "q"),
    (f"customers/{NOBODY}/vehicles?customer_id={NOBODY}", "customer_id"),
    (f"vehicles/{VIN}?at_least=x", "at_least"),
    (f"vehicles/{VIN}/heartbeats?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
    (f"vehicles/{VIN}/heartbeats?from=2026-01-02T00:00:00", "from"),
    (f"vehicles/{VIN}/heartbeats?from=yesterday", "from"),
    (f"vehicles/{VIN}/heartbeats?cursor=WyJ4Il0", "cursor"),
    (f"vehicles/{VIN}/heartbeats?cursor={NAIVE}&from=2026-01-01T00:00:00Z", "cursor"),
    (f"vehicles/{VIN}/heartbeats?limit=-1", "limit"),
    ("projections?x=1", "x"),
]


def test_a_wrong_parameter_is_named(read: FlaskClient, fleet: int) -> None:
    """422 with what was expected of which parameter; nothing is ignored, nothing breaks."""
    for path, field in WRONG:
        answer = read.get(f"/api/v1/{path}")
        assert answer.status_code == 422, path
        assert field in answer.json["errors"], path


ODD = [
    ("/api/v1/vehicles/%00", 404),
    ("/api/v1/vehicles/abc", 404),
    ("/api/v1/vehicles/%F0%9F%98%80", 404),
    ("/api/v1/vehicles/%FF/heartbeats", 404),
    ("/api/v1/customers/7", 404),
    ("/api/v1/customers/%00/vehicles", 404),
    ("/api/v1/vehicles?q=%FF", 200),
    ("/api/v1/vehicles?q=%25_%5C", 200),
    (f"/api/v1/vehicles/{VIN}/heartbeats?from=0001-01-01T00:00:00Z", 200),
    (f"/api/v1/vehicles/{VIN}/heartbeats?from=0001-01-01T00:00:00%2B14:00", 200),
    (f"/api/v1/vehicles/{VIN}/heartbeats?to=9999-12-31T23:59:59.999999-14:00", 200),
    ("/search?customer_name=%00", 422),
    ("/search?online=maybe", 422),
]


def test_odd_input_gets_an_answer(read: FlaskClient, fleet: int) -> None:
    """A NUL, half a character, the ends of time: never a 500."""
    for path, status in ODD:
        assert read.get(path).status_code == status, path

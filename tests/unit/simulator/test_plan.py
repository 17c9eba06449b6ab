"""The plan: a seeded fleet that drives as lorries do."""

import math
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from simulator.dice import dice
from simulator.fleet import Vehicle, plan_fleet
from simulator.habits import NEVER, Habits, Shares, chosen
from simulator.hauliers import haulier_of
from simulator.registrations import DEMO_FLEET, registration
from simulator.roads import NEIGHBOURS, between
from simulator.schedule import phase
from simulator.speed import drive
from simulator.tour import EPOCH
from simulator.towns import LINKS, TOWNS

GOLDEN = {
    "vin": "YS2R4X20005399401",
    "recorded_at": "2026-01-02T01:00:00.500Z",
    "latitude": 59.356013,
    "longitude": 16.565029,
    "heading_deg": 289.2,
    "speed_kmh": 87.3,
    "odometer_km": 53554.846,
    "fuel_level": 0.882,
    "ignition": True,
}
EARTH = Geod(ellps="WGS84")
SEEDS = st.integers(0, 50)
NUMBERS = st.integers(0, 200)
# Ten years of simulated time, to the millisecond.
INSTANTS = st.integers(0, 10 * 365 * 86_400_000).map(lambda ms: EPOCH + ms / 1000)


def vehicle(seed: int, number: int) -> Vehicle:
    return Vehicle(seed, number, Habits())


@given(SEEDS, NUMBERS, INSTANTS)
def test_same_seed_same_heartbeat(seed: int, number: int, t: float) -> None:
    """The same seed, vehicle and instant give the same heartbeat, whatever was asked before."""
    asked_before = vehicle(seed, number)
    asked_before.heartbeat(t + 12_345)
    assert asked_before.heartbeat(t) == vehicle(seed, number).heartbeat(t)


def test_known_heartbeat() -> None:
    """A plan never changes between versions by accident: this heartbeat is written down."""
    assert vehicle(1, 0).heartbeat(EPOCH + 90_000.5) == GOLDEN


def test_smaller_fleet_is_part_of_a_larger() -> None:
    """A fleet of ten is the first ten of a fleet of a hundred, habits included."""
    small, large = (plan_fleet(1, n, 60, Shares()) for n in (10, 100))
    for one, other in zip(small, large, strict=False):
        assert (one.registration, one.habits) == (other.registration, other.habits)


def test_other_seed_other_routes() -> None:
    """Another seed gives another fleet on other routes."""
    assert vehicle(1, 9).registration != vehicle(2, 9).registration
    assert vehicle(1, 0).heartbeat(EPOCH) != vehicle(2, 0).heartbeat(EPOCH)


@given(SEEDS, NUMBERS, INSTANTS, st.floats(0, 100_000))
def test_odometer_never_falls(seed: int, number: int, t: float, later: float) -> None:
    """The odometer never goes back, and never faster than a lorry drives."""
    lorry = vehicle(seed, number)
    before, after = (lorry.heartbeat(at)["odometer_km"] for at in (t, t + later))
    assert before <= after <= before + 90 * later / 3600 + 0.002


@given(SEEDS, NUMBERS, INSTANTS)
def test_speed_is_what_the_odometer_and_the_map_say(seed: int, number: int, t: float) -> None:
    """Over a second, speed, odometer and distance on the ground agree."""
    tour = vehicle(seed, number).tour
    one, two = tour.at(t), tour.at(t + 1)
    driven_m = (two.odometer_km - one.odometer_km) * 1000
    speeds = sorted((one.speed_kmh / 3.6, two.speed_kmh / 3.6))
    # Acceleration is at most 0.5 m/s²: between two knots the speed may peak above both ends.
    assert speeds[0] - 0.5 <= driven_m <= speeds[1] + 0.5
    _, _, ground_m = EARTH.inv(one.longitude, one.latitude, two.longitude, two.latitude)
    assert ground_m == pytest.approx(driven_m, rel=0.05, abs=0.01)


@given(SEEDS, NUMBERS, INSTANTS)
def test_heading_is_where_it_drives(seed: int, number: int, t: float) -> None:
    """A driving vehicle moves towards its heading."""
    tour = vehicle(seed, number).tour
    one, two = tour.at(t), tour.at(t + 2)
    if min(one.speed_kmh, two.speed_kmh) < 5:
        return
    moved, _, _ = EARTH.inv(one.longitude, one.latitude, two.longitude, two.latitude)
    assert math.cos(math.radians(moved - one.heading_deg)) > math.cos(math.radians(5))


@given(SEEDS, NUMBERS, INSTANTS)
def test_heartbeat_is_plausible(seed: int, number: int, t: float) -> None:
    """Every field is within the contract: in Sweden, no faster than 90, fuel in the tank."""
    heartbeat = vehicle(seed, number).heartbeat(t)
    assert 55 < heartbeat["latitude"] < 69.1
    assert 10.9 < heartbeat["longitude"] < 24.2
    assert 0 <= heartbeat["speed_kmh"] <= 90
    assert 0 <= heartbeat["heading_deg"] < 360
    assert 0.05 < heartbeat["fuel_level"] <= 0.95
    assert 50_000 <= heartbeat["odometer_km"] < 10_000_000
    assert heartbeat["ignition"] or heartbeat["speed_kmh"] == 0
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", heartbeat["recorded_at"])


@pytest.mark.parametrize("number", range(7))
def test_a_day_of_a_lorry(number: int) -> None:
    """In two days each demo vehicle drives, cruises, stands with ignition off, and refuels."""
    lorry = vehicle(1, number)
    day = [lorry.heartbeat(EPOCH + minute * 60) for minute in range(2 * 24 * 60)]
    assert {heartbeat["ignition"] for heartbeat in day} == {True, False}
    assert sum(70 <= heartbeat["speed_kmh"] <= 90 for heartbeat in day) > len(day) / 3
    levels = [heartbeat["fuel_level"] for heartbeat in day]
    assert any(later > earlier for earlier, later in pairwise(levels))
    assert any(later < earlier for earlier, later in pairwise(levels))
    for earlier, later in pairwise(day):
        if earlier["ignition"] and later["ignition"]:
            assert later["fuel_level"] <= earlier["fuel_level"]


@pytest.mark.parametrize("length_m", [10_000, 18_500, 300_000])
def test_drive_covers_its_road(length_m: int) -> None:
    """A drive starts and ends standing and covers exactly its road."""
    for seed in range(100):
        profile = drive(length_m, dice(seed))
        assert profile.at(0) == (0, 0)
        driven, speed = profile.at(profile.duration_s)
        assert driven == pytest.approx(length_m, abs=1e-6)
        assert speed == 0


@pytest.mark.parametrize("link", LINKS)
def test_roads_join_their_towns(link: tuple[str, str]) -> None:
    """A road leads from town to town, and the way back is the same road the other way."""
    start, end = (TOWNS[name] for name in link)
    (road, ahead), (same, back) = between(*link), between(*reversed(link))
    assert (same, ahead, back) == (road, False, True)
    assert road.length_m >= 10_000
    for town, metres in ((start, 0), (end, road.length_m)):
        place = road.at(metres)
        assert (place.latitude, place.longitude) == pytest.approx(town[1:3], abs=1e-5)
    there, again = road.at(7_000), road.at(road.length_m - 7_000, backwards=True)
    assert again[:2] == pytest.approx(there[:2])
    assert again.heading_deg == pytest.approx((there.heading_deg + 180) % 360)


def test_every_town_can_be_reached() -> None:
    """All towns of the table hang together by road."""
    reached, ahead = set[str](), ["Stockholm"]
    while ahead:
        town = ahead.pop()
        reached.add(town)
        ahead += set(NEIGHBOURS[town]) - reached
    assert reached == set(TOWNS)


def test_demo_fleet_comes_first() -> None:
    """The first seven vehicles are the demo fleet, whatever the seed."""
    assert tuple(registration(99, number) for number in range(7)) == DEMO_FLEET
    assert vehicle(99, 3).heartbeat(EPOCH)["vin"] == "YS2R4X20005388011"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_papers_are_valid_and_unique(seed: int) -> None:
    """VINs and plates are well-formed and unique in a fleet of ten thousand."""
    papers = [registration(seed, number) for number in range(10_000)]
    assert len({paper.vin for paper in papers}) == len(papers)
    assert len({paper.plate for paper in papers}) == len(papers)
    for paper in papers[7:]:
        assert re.fullmatch(r"[A-HJ-NPR-Z0-9]{17}", paper.vin)
        assert re.fullmatch(r"[A-HJ-PR-UW-Z]{3}\d\d[A-HJ-PR-UW-Z]", paper.plate)


def test_hauliers_grow_with_the_fleet() -> None:
    """A small fleet has a handful of hauliers, ten thousand vehicles some hundred."""
    hauliers = [haulier_of(1, number) for number in range(10_000)]
    assert len(set(hauliers[:20])) <= 4
    assert 250 <= len(set(hauliers)) <= 300
    assert len({haulier.name for haulier in hauliers}) == len(set(hauliers))
    assert re.fullmatch(r"\w+ \d+, \d{3} \d\d \w+", hauliers[0].address)
    assert hauliers[0].address.endswith(hauliers[0].home)


@given(st.floats(0.01, 1), st.integers(0, 6), st.integers(1, 2_000))
def test_shares_are_spread_evenly(share: float, first: int, vehicles: int) -> None:
    """A share of a fleet is that share of it to within one, and its first vehicle belongs to it."""
    members = sum(chosen(number, share, first) for number in range(vehicles))
    assert members == pytest.approx(share * vehicles, abs=1)
    assert chosen(first, share, first)
    assert not chosen(first, 0.0, first)


@pytest.mark.parametrize("seed", range(20))
def test_demo_fleet_has_every_habit(seed: int) -> None:
    """Of the seven, one falls silent, one re-sends and one comes late; each within 15 minutes."""
    fleet = plan_fleet(seed, 7, 60.0, Shares())
    for habit in ("silent", "tunnel", "resending"):
        (spells,) = (spells for lorry in fleet if (spells := getattr(lorry.habits, habit)) != NEVER)
        covered = [spells.cover(EPOCH + minute * 60) for minute in range(16)]
        assert set(covered) == {True, False}


def test_silence_outlasts_the_limit() -> None:
    """A silent spell is long enough for a server that forgives two missed heartbeats."""
    for seed in range(50):
        for interval in (1.0, 60.0, 300.0):
            (spells,) = (
                lorry.habits.silent
                for lorry in plan_fleet(seed, 7, interval, Shares())
                if lorry.habits.silent != NEVER
            )
            assert spells.lasting_s >= max(240, 4 * interval)
            assert spells.every_s >= 2 * spells.lasting_s


def test_no_shares_no_habits() -> None:
    """With all shares at nought every vehicle reports on time, once."""
    fleet = plan_fleet(1, 50, 60.0, Shares(0, 0, 0))
    assert {lorry.habits for lorry in fleet} == {Habits()}
    assert not NEVER.cover(EPOCH)


@pytest.mark.parametrize("devices", [7, 100, 10_000])
def test_phases_are_spread_evenly(devices: int) -> None:
    """Devices report all over the interval: no gap is wider than three times the mean."""
    phases = sorted(phase(number) for number in range(devices))
    gaps = [later - earlier for earlier, later in pairwise([*phases, 1 + phases[0]])]
    assert max(gaps) < 3 / devices
    assert min(gaps) > 0.3 / devices

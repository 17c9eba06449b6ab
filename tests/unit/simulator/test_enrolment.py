"""Enrolment: a fleet is registered in pieces, and what was refused is shown."""

from typing import Any

from simulator.enrolment import enrol
from simulator.registrations import registration
from tests.delivering import Rig, answering, with_rig


def test_registration_goes_in_thousands(far_side: Any) -> None:
    """A fleet is imported as CSV, at most a thousand rows at a time, the demo fleet first."""
    papers = [registration(1, number) for number in range(2_300)]

    async def check(rig: Rig) -> None:
        await enrol(papers, rig.client, rig.backoff.retrying(rig.tally.fail), rig.lines.append)

    rig = with_rig(far_side, check)
    assert [text.count("\n") for text in far_side.imported] == [1001, 1001, 301]
    header, kalle, *_ = far_side.imported[0].splitlines()
    assert header == "vin,registration_number,customer,address"
    assert kalle == (
        'YS2R4X20005399401,ABC123,Kalles Grustransporter AB,"Cementvägen 8, 111 11 Södertälje"'
    )
    assert rig.lines == ["Vehicles: 2,300 registered, 0 unchanged, 0 refused."]


def test_refused_registrations_are_shown(far_side: Any) -> None:
    """Refused registrations are counted, the first five are shown, an outage is waited out."""
    refusals = [{"line": n, "code": "vehicle_exists", "detail": "Taken."} for n in range(2, 9)]
    far_side.cues = [
        answering(503),
        answering(200, {"registered": 0, "unchanged": 3, "rejected": refusals}),
        answering(415, {"code": "unsupported_media_type"}),
    ]
    papers = [registration(1, number) for number in range(1_001)]

    async def check(rig: Rig) -> None:
        await enrol(papers, rig.client, rig.backoff.retrying(rig.tally.fail), rig.lines.append)

    rig = with_rig(far_side, check)
    shown = [line for line in rig.lines if line.startswith("Registration refused")]
    assert len(shown) == 5
    assert "line 2 from vehicle 1: Taken." in shown[0]
    assert rig.lines[-1] == "Vehicles: 0 registered, 3 unchanged, 8 refused."
    assert rig.tally.errors == {"503": 1}

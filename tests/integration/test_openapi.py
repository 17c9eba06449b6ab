"""Each service does what its own `/openapi.json` says, whatever it is sent."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from read_service.app import create_app as create_read_service
from tests.following import catch_up
from write_service.app import create_app as create_write_service

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy import Engine

    from vehicle_tracker.event_log import EventLog
    from vehicle_tracker.settings import Settings

POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
NOT_ASKED = [positive_data_acceptance, not_a_server_error]
"""No schema can say which VINs are registered; and 503 is documented, so 500 is asked for below."""

bounded = hypothesis_settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _operations(app: Flask) -> list[Any]:
    found = schemathesis.openapi.from_wsgi("/openapi.json", app).get_all_operations()
    return [one.ok() for one in found]


def _try(operations: list[Any]) -> None:
    """Send generated requests, good and bad, to each operation."""
    for operation in operations:
        for mode in (POSITIVE, NEGATIVE):

            @bounded
            @given(case=operation.as_strategy(generation_mode=mode))
            def keeps_its_contract(case: schemathesis.Case) -> None:
                answer = case.call_and_validate(excluded_checks=NOT_ASKED)
                assert answer.status_code != 500

            with suppress(Unsatisfiable):  # any text is a CSV file: it has no negative
                keeps_its_contract()


def test_the_write_service_keeps_its_contract(settings: Settings) -> None:
    """Generated requests, good and bad, get documented answers of the documented shape, no 500."""
    operations = _operations(create_write_service(settings))
    assert len(operations) == 10
    _try(operations)


@pytest.mark.usefixtures("fleet")
def test_the_read_service_keeps_its_contract(
    settings: Settings, event_log: EventLog, engine: Engine
) -> None:
    """The same of the read service, over a fleet."""
    catch_up(event_log, engine)
    operations = _operations(create_read_service(replace(settings, wait_for_position_s=0.01)))
    assert len(operations) == 19
    # The stream has no end; its answers are in test_stream.py.
    _try([one for one in operations if one.path != "/api/v1/stream"])

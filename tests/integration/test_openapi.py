"""Each service does what its own `/openapi.json` says, whatever it is sent."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from schemathesis.specs.openapi.checks import positive_data_acceptance

from write_service.app import create_app

if TYPE_CHECKING:
    from flask import Flask

    from vehicle_tracker.settings import Settings

bounded = hypothesis_settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _try_everything(app: Flask) -> int:
    """Send generated requests to each operation; answers how many operations there are.

    That good data must be accepted cannot be asked: no schema can say which VINs are registered.
    """
    operations = [
        one.ok()
        for one in schemathesis.openapi.from_wsgi("/openapi.json", app).get_all_operations()
    ]
    for operation in operations:
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):

            @bounded
            @given(case=operation.as_strategy(generation_mode=mode))
            def keeps_its_contract(case: schemathesis.Case) -> None:
                case.call_and_validate(excluded_checks=[positive_data_acceptance])

            with suppress(Unsatisfiable):  # any text is a CSV file: it has no negative
                keeps_its_contract()
    return len(operations)


def test_the_write_service_keeps_its_contract(settings: Settings) -> None:
    """Generated requests, good and bad, get documented answers of the documented shape, no 500."""
    assert _try_everything(create_app(settings)) == 8

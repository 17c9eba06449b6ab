"""The library's own contract suites, run against our recorder on a real PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from eventsourcing.persistence import InfrastructureFactory
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    NonInterleavingNotificationIDsBaseCase,
)
from eventsourcing.utils import Environment

from vehicle_tracker.event_log import library_environment
from vehicle_tracker.recorder import EventLogRecorder

if TYPE_CHECKING:
    from collections.abc import Iterator


class EventLogRecorderSuite:
    """Gives a suite of the library a recorder of ours on a fresh database."""

    @pytest.fixture(autouse=True)
    def in_a_fresh_database(self, database_url: str) -> Iterator[None]:
        self.factory = InfrastructureFactory.construct(
            Environment("contract", library_environment(database_url, connections=5))
        )
        with self.factory:
            yield

    def create_recorder(self) -> EventLogRecorder:
        recorder = self.factory.application_recorder()
        assert isinstance(recorder, EventLogRecorder)
        return recorder


class TestApplicationRecorder(EventLogRecorderSuite, ApplicationRecorderTestCase):
    """It is an application recorder as the library defines one."""


class TestNonInterleavingPositions(EventLogRecorderSuite, NonInterleavingNotificationIDsBaseCase):
    """Two transactions never interleave their positions."""

    insert_num = 1000

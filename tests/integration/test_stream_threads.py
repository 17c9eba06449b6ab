"""However many streams are open, there is a thread for whoever asks something else."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.streaming import Client, serving
from vehicle_tracker.serving import STREAMS_AT_ONCE

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from vehicle_tracker.settings import Settings


def test_as_many_streams_as_are_taken_leave_threads_for_requests(
    settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    """All streams that a read service takes are answered, and so is a search beside them."""
    with serving(settings, tmp_path) as service, ExitStack() as streams:

        def ask() -> int:
            client = Client(service.port).connect()
            streams.callback(client.close)
            return client.status

        assert {ask() for _ in range(STREAMS_AT_ONCE)} == {200}
        assert service.get("/api/v1/vehicles")["total"] == 0
        assert ask() == 503

"""The read models: what is folded out of the event log, where it is kept, how it is asked.

`python -m projections …` is `__main__`; `flask --app projections …`, too, finds `create_app` here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from vehicle_tracker.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The application behind `flask --app projections`."""
    # Whoever only asks read models imports this package, too, and needs nothing of that.
    from projections import app  # noqa: PLC0415

    return app.migrating(settings)

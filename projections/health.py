"""How a follower shows that it keeps up: lag as metrics, and as what makes it ready or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector

from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.health_port import serve_health
from vehicle_tracker.telemetry import log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from projections.status import Progress
    from vehicle_tracker.settings import Settings


class LagError(Exception):
    """The projection is further behind than it may be."""


def check_lag(progress: Progress, most_seconds: float) -> None:
    """Return if the projection is at most so far behind; else say how far it is."""
    seconds = progress.lag_seconds(utc_now())
    if seconds > most_seconds:
        raise LagError(
            f"{progress.name} is {progress.lag_events()} events and {seconds:.0f} s behind,"
            f" more than {most_seconds:g} s"
        )


class LagCollector(Collector):
    """Lag and parked events as metrics, read when they are asked for; none while that fails."""

    def __init__(self, progress: Callable[[], Iterable[Progress]]) -> None:
        self._progress = progress

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One gauge a figure, each with the projections' names."""
        try:
            progress = list(self._progress())
        except Exception as error:  # noqa: BLE001 # the other metrics are worth having all the same
            log.warning("no lag to measure", error=str(error))
            return
        now = utc_now()
        figures: tuple[tuple[str, str, Callable[[Progress], float]], ...] = (
            ("lag_events", "Positions it is behind", lambda one: one.lag_events()),
            ("lag_seconds", "How long it is behind", lambda one: one.lag_seconds(now)),
            ("parked_events", "Events it could not fold", lambda one: one.parked),
        )
        for name, what, figure in figures:
            gauge = GaugeMetricFamily(f"projection_{name}", what, labels=["projection"])
            for one in progress:
                gauge.add_metric([one.name], figure(one))
            yield gauge

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is asked of the databases before the first scrape."""
        return []


def serve_follower_health(settings: Settings, progress: Callable[[], Progress]) -> None:
    """Answer health and metrics in the background, if there is a port for it."""
    if settings.health_port:
        REGISTRY.register(LagCollector(lambda: [progress()]))
    lag = {"lag": lambda: check_lag(progress(), settings.most_lag_s)}
    serve_health("follower", settings, lag)

"""One measured run: a fleet that is registered and connected, posted for so many seconds."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench import dashboards, gateways
from bench.beside import Beside
from bench.dashboards import Searching
from bench.disk import Disk
from bench.lag import Lag
from bench.seeding import let_be_heard, register
from bench.usage import Usage
from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.event_log import EventLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.dashboards import Asked
    from bench.deployment import Deployment
    from bench.gateways import Posted

LOOKS_EVERY_S = 0.5
LOOKS_AT_PROCESSES = 4
"""Once in so many looks."""
DRAINED_WITHIN_S = 900.0


@dataclass
class Run:
    """What was found, measured from the first heartbeat due until the last was answered."""

    posted: Posted
    asked: Asked | None
    lag: Lag
    usage: Usage
    before: Disk
    after: Disk
    caught_up_s: float
    """How long after the last answer the last read model was where the log is."""
    rates: list[tuple[float, float]]
    """Seconds since the beginning, and heartbeats accepted a second since the last look."""


@contextmanager
def progress() -> Iterator[Callable[[str, float], Callable[..., None]]]:
    """A bar for each piece of work: `bar(title, total)` answers what is told how far it is."""
    columns = (
        TextColumn("{task.description:34}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[said]}"),
    )
    console = Console(stderr=True)
    quiet = not console.is_terminal
    with Progress(*columns, console=console, refresh_per_second=1, disable=quiet) as shown:

        def bar(title: str, total: float) -> Callable[[float, str], None]:
            if quiet:
                console.print(f"{time.strftime('%H:%M:%S')} {title}", highlight=False)
            task = shown.add_task(title, total=total, said="")

            def update(done: float, said: str = "") -> None:
                shown.update(task, completed=done, said=said)

            return update

        yield bar


def prepare(tracker: Deployment, vehicles: int, bar: Any, *, write_workers: int = 1) -> float:
    """Start everything, register the fleet if it is not, let it be heard, let followers catch up.

    Answers for how many seconds the followers had to.
    """
    with EventLog(tracker.url) as log:
        tracker.migrate()
        said = bar(f"register {vehicles:,} vehicles", vehicles)
        if not register(log, tracker.folder, vehicles, said):
            said(vehicles, "are registered already")
        let_be_heard(log, vehicles, utc_now(), bar("a heartbeat of each", vehicles))
        tracker.start_followers()
        tracker.start_services(write_workers=write_workers)
        began = time.monotonic()
        catch_up(tracker, bar)
        took = time.monotonic() - began
        tracker.wait_until_ready("connection-monitor")
        catch_up(tracker, bar)
    with psycopg.connect(tracker.url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")
    return took


def catch_up(tracker: Deployment, bar: Any) -> None:
    """Wait until all read models are where the log is, and stay there."""
    said = bar("read models catch up", 1)
    lag = Lag(tracker.ports["read-service"], tracker.followers)
    deadline = time.monotonic() + DRAINED_WITHIN_S
    most, still = 1.0, 0
    while still < 3:  # noqa: PLR2004 # the monitor appends, too
        time.sleep(LOOKS_EVERY_S)
        tracker.supervisor.tick()
        behind = lag.events_behind()
        most = max(most, behind)
        said(1 - behind / most, f"{behind:,} events behind")
        still = 0 if behind else still + 1
        if time.monotonic() > deadline:
            raise TimeoutError(f"still {behind:,} events behind after {DRAINED_WITHIN_S:g} s")


def measure(  # noqa: PLR0913
    tracker: Deployment,
    bar: Any,
    *,
    vehicles: int,
    rate: float,
    seconds: float,
    searchers: int = 0,
    search_every_s: float = 5.0,
) -> Run:
    """Post at a rate, look at everything meanwhile, then wait until the followers are there."""
    said = bar(f"{rate:,.0f} heartbeats/s", seconds)
    lag = Lag(tracker.ports["read-service"], tracker.followers)
    with ExitStack() as stack:
        before = Disk.of(tracker.url)
        posting = stack.enter_context(
            Beside(gateways.post, tracker.ports["write-service"], vehicles, rate, seconds)
        )
        beside = {"load generator": posting.pid}
        searching = None
        if searchers:
            how = Searching(
                tracker.ports["read-service"], vehicles, searchers, search_every_s, seconds
            )
            searching = stack.enter_context(Beside(dashboards.search, how))
            beside["dashboards"] = searching.pid
        usage = Usage(tracker, beside)
        rates = _watch(tracker, posting, lag, usage, said)
        posted: Posted = posting.wait()
        asked: Asked | None = searching.wait() if searching else None
        answered = time.monotonic()
        while lag.events_behind() > 0:
            time.sleep(LOOKS_EVERY_S)
            lag.sample()
            usage.sample()
        caught_up_s = time.monotonic() - answered
        usage.sample()
        after = Disk.of(tracker.url)
    return Run(posted, asked, lag, usage, before, after, caught_up_s, rates)


def _watch(
    tracker: Deployment, posting: Beside, lag: Lag, usage: Usage, said: Callable[[float, str], None]
) -> list[tuple[float, float]]:
    while posting.told is None:  # what its start takes is not what heartbeats take
        posting.listen(LOOKS_EVERY_S)
    began = time.monotonic()
    rates: list[tuple[float, float]] = []
    at, accepted, looks = 0.0, 0, 0
    while not posting.done:
        if looks % LOOKS_AT_PROCESSES == 0:
            usage.sample()
        looks += 1
        posting.listen(LOOKS_EVERY_S)
        tracker.supervisor.tick()
        lag.sample()
        now = time.monotonic() - began
        if posting.told and now - at >= 2 * LOOKS_EVERY_S:
            rates.append((now, (posting.told.accepted - accepted) / (now - at)))
            at, accepted = now, posting.told.accepted
            behind = ", ".join(f"{name} {some[-1]:.1f} s" for name, some in lag.seconds.items())
            said(now, f"{rates[-1][1]:,.0f}/s; behind: {behind}")
    return rates

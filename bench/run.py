"""One measured run: a fleet that is registered and connected, posted for so many seconds."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench import dashboards, gateways
from bench.beside import Beside
from bench.dashboards import Searching
from bench.disk import Disk
from bench.gateways import Posting
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
DRAINED_WITHIN_S = 1_800.0
LIMIT, A_MONTH = "DISCONNECT_AFTER_S", str(30 * 24 * 60 * 60)


class Traffic(NamedTuple):
    """What a fleet sends, in heartbeats a second, and how many dashboards search, how often."""

    vehicles: int
    rate: float
    searchers: int = 0
    search_every_s: float = 5.0


@dataclass
class Run:
    """What was found, from the first heartbeat due until the read models had the last one."""

    posted: Posted
    heartbeats: int
    """Those accepted while CPU time, disk and lag were looked at."""
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


def prepare(tracker: Deployment, bar: Any, traffic: Traffic, *, write_workers: int = 1) -> float:
    """Start everything on a fleet that is connected, and registered before if it was not yet.

    Answers for how many seconds the read models had to be filled; 0 if they were. Meanwhile silence
    is no silence, however long it takes; in the end two rounds are posted, so that nobody has been
    silent for longer than one when everything starts anew for the run. Dashboards search then, too:
    the stores, which go on, have been asked before.
    """
    tracker.migrate()
    limit = tracker.where[LIMIT]
    tracker.where[LIMIT] = A_MONTH
    tracker.start_followers()
    tracker.start_services(write_workers=write_workers)
    filled_s = _fill(tracker, bar, traffic.vehicles)
    with psycopg.connect(tracker.url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")
    round_s = max(1.0, traffic.vehicles / traffic.rate)
    # After the first a fleet that was kept from another day is where it drives now.
    for _ in range(2):
        measure(tracker, bar, traffic, seconds=round_s, whole=True)
    tracker.stop()
    tracker.where[LIMIT] = limit
    tracker.start_followers()
    tracker.start_services(write_workers=write_workers)
    tracker.wait_until_ready("connection-monitor")
    return filled_s


def _fill(tracker: Deployment, bar: Any, vehicles: int) -> float:
    began = time.monotonic()
    with EventLog(tracker.url) as log:
        is_new = register(log, tracker.folder, vehicles, bar("register the fleet", vehicles))
        if is_new:
            let_be_heard(log, vehicles, utc_now(), bar("a heartbeat of each", vehicles))
    catch_up(tracker, bar)
    return time.monotonic() - began if is_new else 0.0


def catch_up(tracker: Deployment, bar: Any) -> None:
    """Wait until all read models are where the log is, and stay there."""
    said = bar("read models catch up", 1)
    lag = Lag(tracker.ports["read-service"], tracker.followers)
    most, still = 1, 0
    deadline = time.monotonic() + DRAINED_WITHIN_S
    while still < 3:  # noqa: PLR2004 # the monitor appends, too
        time.sleep(LOOKS_EVERY_S)
        tracker.supervisor.tick()
        behind = lag.events_behind()
        still = still + 1 if behind == 0 else 0
        if behind is not None:
            most = max(most, behind)
            said(1 - behind / most, f"{behind:,} events behind")
        _in_time(deadline)


def _drain(lag: Lag, usage: Usage) -> float:
    """Wait until all read models are where the log is; for how many seconds that was."""
    began = time.monotonic()
    while lag.events_behind() != 0:
        time.sleep(LOOKS_EVERY_S)
        lag.sample()
        usage.sample()
        _in_time(began + DRAINED_WITHIN_S)
    return time.monotonic() - began


def _in_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError(f"the read models are not there after {DRAINED_WITHIN_S:g} s")


def measure(  # noqa: PLR0913
    tracker: Deployment,
    bar: Any,
    traffic: Traffic,
    *,
    seconds: float,
    skip_s: float = 0.0,
    whole: bool = False,
) -> Run:
    """Let there be traffic, look at everything meanwhile, then wait until the followers are there.

    Nothing but the posting itself is looked at in the first `skip_s` seconds. `whole`: see
    `Posting`.
    """
    vehicles, rate, searchers, search_every_s = traffic
    said = bar(f"{rate:,.0f} heartbeats/s", seconds)
    lag = Lag(tracker.ports["read-service"], tracker.followers)
    with ExitStack() as stack:
        posting = stack.enter_context(
            Beside(
                gateways.post,
                Posting(tracker.ports["write-service"], vehicles, rate, seconds, whole),
            )
        )
        beside = {"load generator": posting.pid}
        searching = None
        if searchers:
            silent_s = int(tracker.where[LIMIT]) * 3 // 2
            port = tracker.ports["read-service"]
            how = Searching(port, vehicles, searchers, search_every_s, seconds, silent_s)
            searching = stack.enter_context(Beside(dashboards.search, how))
            beside["dashboards"] = searching.pid
        usage = Usage(tracker, beside)
        skipped = _skip(posting, skip_s)
        before = Disk.of(tracker.url)
        rates = _watch(tracker, posting, lag, usage, said)
        posted: Posted = posting.wait()
        asked: Asked | None = searching.wait() if searching else None
        caught_up_s = _drain(lag, usage)
        usage.sample()
        after = Disk.of(tracker.url)
    heartbeats = posted.accepted - skipped
    return Run(posted, heartbeats, asked, lag, usage, before, after, caught_up_s, rates)


def _skip(posting: Beside, seconds: float) -> int:
    """Wait until it has posted for so long; how many heartbeats were accepted until then.

    What its own start takes is skipped in any case: heartbeats do not take that.
    """
    while posting.told is None:
        posting.listen(LOOKS_EVERY_S)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        posting.listen(LOOKS_EVERY_S)
    accepted: int = posting.told.accepted
    return accepted


def _watch(
    tracker: Deployment, posting: Beside, lag: Lag, usage: Usage, said: Callable[[float, str], None]
) -> list[tuple[float, float]]:
    began = time.monotonic()
    rates: list[tuple[float, float]] = []
    at, accepted, looks = 0.0, posting.told.accepted, 0
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

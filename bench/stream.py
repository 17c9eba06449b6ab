"""How long from a POST to the screens, with how many of them, and what that does to searches.

`python -m bench.stream --listeners 500`: a PostgreSQL of its own, both services, a follower and the
monitor as they are run for real. Each listener is a dashboard: a page of 100 vehicles, and counts.
One more is an `EventSource` in a real browser.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import click
import msgspec
import psutil
from selenium import webdriver

from bench.deployment import deployed
from bench.listeners import Listeners

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.deployment import Deployment

WRITE, READ = 8180, 8181
PORTS = {"write-service": WRITE, "read-service": READ}
PROBED = 50
LISTEN = """
window.heard = []
new EventSource(arguments[0]).addEventListener('vehicle', (event) => {
  const at = (performance.timeOrigin + performance.now()) / 1000
  const number = JSON.parse(event.data).vehicle.odometer_km
  if (!window.heard.some(([known]) => known === number)) window.heard.push([number, at])
})
"""


def vin(n: int) -> str:
    """The VIN of the n-th vehicle of the fleet."""
    return f"YS2R4X2000{n:07d}"


def ask(connection: HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    content = "text/csv" if isinstance(body, str) else "application/json"
    data = body.encode() if isinstance(body, str) else msgspec.json.encode(body) if body else None
    connection.request(method, path, data, {"Content-Type": content})
    answer = connection.getresponse()
    return answer.status, msgspec.json.decode(answer.read())


def beat(vehicles: int, rate: int, stop: Event) -> None:
    """The rest of the fleet sends so many heartbeats a second."""
    connection = HTTPConnection("127.0.0.1", WRITE)
    number = 0
    while not stop.wait(0.25):
        some = [
            {"vin": vin(PROBED + n % (vehicles - PROBED))}
            for n in range(number, number + rate // 4)
        ]
        ask(connection, "POST", "/api/v1/heartbeats", some)
        number += len(some)


def probe(seconds: float) -> dict[int, tuple[float, float]]:
    """Five heartbeats a second, one a request: when each was sent, and when it was answered."""
    connection = HTTPConnection("127.0.0.1", WRITE)
    sent = {}
    for number in range(1, int(5 * seconds)):
        at = time.time()
        heartbeat = {"vin": vin(number % PROBED), "odometer_km": number}
        heartbeat["recorded_at"] = datetime.now(UTC).isoformat()
        ask(connection, "POST", "/api/v1/heartbeats", heartbeat)
        sent[number] = at, time.time()
        time.sleep(0.2)
    return sent


def search(seconds: float) -> list[float]:
    """How long a page of the search took, in seconds, asked again and again."""
    connection = HTTPConnection("127.0.0.1", READ)
    took = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.perf_counter()
        ask(connection, "GET", "/api/v1/vehicles?limit=50&sort=vin")
        took.append(time.perf_counter() - began)
        time.sleep(0.03)
    return took


def report(what: str, seconds: list[float]) -> None:
    """One line: p50, p99 and the most, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100)
    p50, p99, most = (1_000 * s for s in (cuts[49], cuts[98], max(seconds)))
    click.echo(f"{what:48} p50 {p50:7.1f} ms   p99 {p99:7.1f} ms   max {most:7.1f} ms")


@contextmanager
def browser(folder: Path) -> Iterator[webdriver.Chrome]:
    """A headless Chromium on a page of the read service's own."""
    options = webdriver.ChromeOptions()
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    options.add_argument(f"--user-data-dir={folder / 'chromium'}")
    driver = webdriver.Chrome(options=options)
    try:
        driver.get(f"http://127.0.0.1:{READ}/health/live")
        yield driver
    finally:
        driver.quit()


def together(*works: Callable[[], Any]) -> list[Any]:
    """What each answers, all at once."""
    answers: dict[int, Any] = {}
    threads = [
        Thread(target=lambda n=n, work=work: answers.update({n: work()}))
        for n, work in enumerate(works)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[n] for n in range(len(works))]


def _reader(tracker: Deployment) -> psutil.Process:
    """The worker of the read service."""
    (worker,) = psutil.Process(tracker.supervisor.processes()["read-service"]).children()
    return worker


@click.command()
@click.option("--listeners", default=500, show_default=True)
@click.option("--vehicles", default=10_000, show_default=True)
@click.option("--rate", default=100, show_default=True, help="Heartbeats a second, beside probes.")
@click.option("--seconds", default=20.0, show_default=True)
def main(listeners: int, vehicles: int, rate: int, seconds: float) -> None:
    """Measure with one listener, and with many."""
    page = "&".join(f"vin={vin(n)}" for n in range(100))
    path = f"/api/v1/stream?counts=true&{page}"
    with (
        tempfile.TemporaryDirectory(prefix="vt-bench-") as name,
        deployed(None, search=False, environment={"LOG_LEVEL": "WARNING"}, ports=PORTS) as tracker,
    ):
        tracker.migrate()
        tracker.start_followers()
        tracker.start_services()
        rows = "\n".join(f"{vin(n)},BEN{n},Bench {n % 50} AB,Väg 1" for n in range(vehicles))
        csv = f"vin,registration_number,customer,address\n{rows}"
        connection = HTTPConnection("127.0.0.1", WRITE)
        _accepted(ask(connection, "POST", "/api/v1/vehicles/import", csv))
        position = _accepted(ask(connection, "POST", "/api/v1/heartbeats", {"vin": vin(0)}))
        reading = HTTPConnection("127.0.0.1", READ)
        while ask(reading, "GET", f"/api/v1/vehicles?limit=1&at_least={position}")[0] != 200:  # noqa: PLR2004
            pass
        stop = Event()
        Thread(target=beat, args=(vehicles, rate, stop)).start()
        try:
            report("a search, nobody listens", search(seconds))
            for count in (1, listeners):
                _measure(tracker, Path(name), path, count, seconds)
        finally:
            stop.set()


def _accepted(answer: tuple[int, Any]) -> int:
    if answer[0] not in (200, 202):
        raise click.ClickException(f"not accepted: {answer}")
    return int(answer[1].get("position", 0))


def _measure(tracker: Deployment, folder: Path, path: str, count: int, seconds: float) -> None:
    with browser(folder) as chromium, Listeners(READ, path, count) as many:
        chromium.execute_script(LISTEN, path)
        time.sleep(2)
        reader = _reader(tracker)
        before, began = reader.cpu_times(), time.monotonic()
        sent, took = together(lambda: probe(seconds), lambda: search(seconds))
        after, lasted = reader.cpu_times(), time.monotonic() - began
        busy = sum(after[:2]) - sum(before[:2])
        time.sleep(3)
        many_heard = [one for one in many.heard() if one[0] in sent]
        in_browser = chromium.execute_script("return window.heard")
        browser_heard = [one for one in in_browser if one[0] in sent]
        click.echo(
            f"{count} listeners, {len(many_heard):,} of {count * len(sent):,} heard;"
            f" {reader.memory_info().rss / 1e6:.0f} MB, {busy / lasted:.0%} of a core,"
            f" {1_000 * busy / len(took):.1f} ms of CPU a search"
        )
        for who, heard in ((f"{count} listeners", many_heard), ("Chromium", browser_heard)):
            report(f"  from the POST's sending, {who}", [at - sent[n][0] for n, at in heard])
            report(f"  from its answer, {who}", [at - sent[n][1] for n, at in heard])
        report("  a search meanwhile", took)


if __name__ == "__main__":
    main()

"""The dashboard in a real browser, over the whole system as `make run` starts it."""

from __future__ import annotations

import json
import signal
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from embedded.programs import free_port
from tests.running import Run, named, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver.remote.webelement import WebElement

ABC123, DEF456 = "YS2R4X20005399401", "VLUR4X20009093588"
GHI789, JKL012 = "VLUR4X20009048066", "YS2R4X20005388011"
PROMISED_S = 2.0
"""Changes appear within two seconds."""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def tracker() -> Iterator[Run]:
    """The demo fleet, with nobody driving it."""
    with tempfile.TemporaryDirectory(prefix="vt-e2e-", ignore_cleanup_errors=True) as folder:
        run = Run(Path(folder) / "data", free_port())
        run.start(180)
        yield run
        run.stop()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A headless Chromium: the machine's own, or the one that Selenium fetches."""
    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--window-size=1280,900",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options)
    yield driver
    driver.quit()


class Dispatcher:
    """What a person at the dashboard sees and does."""

    def __init__(self, browser: webdriver.Chrome, tracker: Run) -> None:
        self._browser = browser
        self._tracker = tracker

    def open(self, path: str = "/", vehicles: int = 7) -> None:
        """Open a page and wait until it shows so many vehicles."""
        self._browser.get(f"{self._tracker.address}{path}")
        self.sees(lambda: len(self.plates) == vehicles, 30)

    def find(self, name: str) -> list[WebElement]:
        """The elements with this test id."""
        return self._browser.find_elements(By.CSS_SELECTOR, f"[data-testid='{name}']")

    def row(self, vin: str) -> WebElement:
        """The row of a vehicle."""
        return self._browser.find_element(By.CSS_SELECTOR, f"[data-vin='{vin}']")

    def in_row(self, vin: str, name: str) -> str:
        """What stands in a vehicle's row."""
        cell = self.row(vin).find_element(By.CSS_SELECTOR, f"[data-testid='{name}']")
        return str(cell.text)

    @property
    def plates(self) -> list[str]:
        """The VINs shown, from the top."""
        return [str(row.get_attribute("data-vin")) for row in self.find("vehicle-row")]

    @property
    def url(self) -> str:
        """The page's address: the filters are in it."""
        return str(self._browser.current_url)

    def count(self, status: str) -> int:
        """How many vehicles are said to be in a status."""
        return int(self.find(f"count-{status}")[0].text)

    def sees(self, what: Any, within_s: float = PROMISED_S) -> None:
        """Wait until it is so, reading the page as often as it takes."""
        wait = WebDriverWait(self._browser, within_s, 0.05, ignored_exceptions=[Exception])
        wait.until(lambda _: what())

    def text(self, name: str) -> str:
        """What the element with this test id says."""
        return str(self.find(name)[0].text)

    @property
    def asked(self) -> int:
        """How often this page has asked for the list of vehicles."""
        script = "return performance.getEntriesByType('resource').map(({name}) => name)"
        return sum("/api/v1/vehicles?" in name for name in self._browser.execute_script(script))

    def types(self, text: str) -> None:
        """Type wherever the focus is."""
        webdriver.ActionChains(self._browser).send_keys(text).perform()


@pytest.fixture
def dispatcher(browser: webdriver.Chrome, tracker: Run) -> Dispatcher:
    """A person at the dashboard."""
    return Dispatcher(browser, tracker)


def _post(tracker: Run, vin: str, **fields: Any) -> None:
    status, answer = tracker.ask(
        "POST", f"/api/v1/vehicles/{vin}/heartbeats", json.dumps(fields).encode()
    )
    assert status == 202, answer


def _told(tracker: Run, path: str, **fields: Any) -> Any:
    status, answer = tracker.ask("POST", f"/api/v1{path}", json.dumps(fields).encode())
    assert status in {200, 201}, answer
    return json.loads(answer)


def test_a_heartbeat_appears_without_a_reload(dispatcher: Dispatcher, tracker: Run) -> None:
    """A vehicle that sends becomes connected on the open page, with its age and the new counts."""
    dispatcher.open()
    before = dispatcher.count("connected")
    assert dispatcher.in_row(ABC123, "status") == "Never seen"
    _post(tracker, ABC123)
    dispatcher.sees(lambda: dispatcher.in_row(ABC123, "status") == "Connected")
    dispatcher.sees(lambda: dispatcher.count("connected") == before + 1)
    assert dispatcher.in_row(ABC123, "last-seen").endswith("s ago")


def test_a_silent_vehicle_is_seen_to_be_silent(dispatcher: Dispatcher, tracker: Run) -> None:
    """A vehicle whose newest heartbeat is older than its limit is disconnected, with its age."""
    dispatcher.open()
    at = datetime.now(UTC) - timedelta(minutes=10, seconds=10)
    _post(tracker, DEF456, recorded_at=at.isoformat())
    dispatcher.sees(lambda: dispatcher.in_row(DEF456, "status") == "Disconnected")
    assert "10 min ago" in dispatcher.in_row(DEF456, "last-seen")


def test_filters_are_kept_in_the_address(dispatcher: Dispatcher, tracker: Run) -> None:
    """What is searched and filtered is in the address, works by keyboard, and survives a reload."""
    _post(tracker, ABC123)  # or it may be silent by now, too
    dispatcher.open()
    dispatcher.types("/")
    dispatcher.types("bulk")
    dispatcher.sees(lambda: len(dispatcher.plates) == 2, 5)
    assert "q=bulk" in dispatcher.url
    dispatcher.open(dispatcher.url.removeprefix(tracker.address), vehicles=2)
    search = dispatcher.find("search")[0]
    assert search.get_attribute("value") == "bulk"
    search.send_keys(Keys.CONTROL, "a")
    search.send_keys(Keys.DELETE)
    dispatcher.sees(lambda: len(dispatcher.plates) == 7, 5)
    dispatcher.find("count-disconnected")[0].click()
    dispatcher.sees(lambda: dispatcher.plates == [DEF456], 5)
    assert "status=disconnected" in dispatcher.url


def test_several_customers_can_be_chosen(dispatcher: Dispatcher) -> None:
    """One customer after the other is chosen by typing; both customers' vehicles are shown."""
    dispatcher.open()
    for name, vehicles in (("Johans", 2), ("Haralds", 4)):
        field = dispatcher.find("customer-filter")[0]
        field.send_keys(name)
        dispatcher.sees(
            lambda: dispatcher._browser.find_element(By.CSS_SELECTOR, "mat-option").is_displayed(),  # noqa: SLF001
            5,
        )
        field.send_keys(Keys.ENTER)
        dispatcher.sees(lambda wanted=vehicles: len(dispatcher.plates) == wanted, 5)
    assert dispatcher.url.count("customer_id=") == 2


def test_heartbeats_come_by_the_stream(dispatcher: Dispatcher, tracker: Run) -> None:
    """What vehicles say appears, and the page does not ask for the list again."""
    dispatcher.open()
    dispatcher.sees(lambda: dispatcher.asked == 2)  # once, and once when the stream is open
    for minutes in (9, 6, 3):
        at = datetime.now(UTC) - timedelta(minutes=minutes)
        _post(tracker, GHI789, recorded_at=at.isoformat())
        dispatcher.sees(
            lambda age=minutes: f"{age} min ago" in dispatcher.in_row(GHI789, "last-seen")
        )
    assert dispatcher.asked == 2


def test_a_vehicle_has_a_page_of_its_own(dispatcher: Dispatcher, tracker: Run) -> None:
    """By its plate one comes to when it was silent, what happened, and where it went; and back."""
    began = datetime.now(UTC) - timedelta(minutes=40)
    for minute in (*range(10), *range(20, 40)):
        _post(
            tracker,
            JKL012,
            recorded_at=(began + timedelta(minutes=minute)).isoformat(),
            latitude=59.2 + minute / 100,
            longitude=18.0,
        )
    trip = _told(
        tracker, f"/vehicles/{JKL012}/trips", started_at=began.isoformat(), driver="Astrid"
    )
    ended = began + timedelta(minutes=9)
    _told(tracker, f"/trips/{trip['trip_id']}/end", ended_at=ended.isoformat())

    dispatcher.open("/?q=bulk", vehicles=2)
    link = dispatcher.row(JKL012).find_element(By.CSS_SELECTOR, "[data-testid='vehicle-link']")
    link.click()
    dispatcher.sees(lambda: dispatcher.text("status") == "Connected", 10)
    dispatcher.sees(lambda: dispatcher.text("availability").endswith("% connected"), 10)
    dispatcher.sees(lambda: "Disconnected: nothing heard since" in dispatcher.text("timeline"), 20)
    dispatcher.sees(lambda: "Astrid" in dispatcher.text("trips"), 20)
    dispatcher.find("trips")[0].find_element(By.PARTIAL_LINK_TEXT, ended.strftime("%Y")).click()
    dispatcher.sees(lambda: dispatcher.find("track"), 10)
    dispatcher.find("back")[0].click()
    dispatcher.sees(lambda: len(dispatcher.plates) == 2, 10)
    assert dispatcher.url.endswith("/?q=bulk")


def test_what_was_shown_stays_while_the_read_service_is_away(
    dispatcher: Dispatcher, tracker: Run
) -> None:
    """While the read service hangs the last page stays and says how old it is; it recovers."""
    dispatcher.open()
    reading = next(child for child in tracker.children if named(child) == "read-service")
    family = [reading, *reading.children(recursive=True)]
    for process in family:
        process.send_signal(signal.SIGSTOP)
    try:
        dispatcher.sees(lambda: "old" in dispatcher.text("stale-banner"), 25)
        assert len(dispatcher.plates) == 7
    finally:
        for process in family:
            process.send_signal(signal.SIGCONT)
    dispatcher.sees(lambda: not dispatcher.find("stale-banner"), 15)
    wait_for(lambda: tracker.ask("GET", "/health/ready")[0] == 200, 15)

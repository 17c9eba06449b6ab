"""The HTTP contract, seen from a device: one attempt each, no retries."""

import csv
import io
import json
from asyncio import Semaphore
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NamedTuple, Self

import aiohttp

from simulator.backoff import UnavailableError, retry_after_s
from simulator.fleet import Heartbeat
from simulator.registrations import Registration
from simulator.schedule import Clock

_IMPORT_TIMEOUT_S = 60.0  # a thousand registrations are no heartbeat
_TRY_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})

Answer = dict[str, Any]


class Rejection(NamedTuple):
    """Something the server refused, and why; `line` is that of the CSV file, if it was one."""

    code: str
    detail: str
    line: int | None = None


class Receipt(NamedTuple):
    """The server's answer to some heartbeats; each of them is in one of the three."""

    accepted: int
    duplicates: int
    rejected: list[Rejection]


class ImportReceipt(NamedTuple):
    """The server's answer to some registrations."""

    registered: int
    unchanged: int
    rejected: list[Rejection]


class Client:
    """Speaks to one server over keep-alive connections, at most `connections` of them.

    Whatever is no proper answer raises UnavailableError: no connection, a time-out, 5xx, 408, 429,
    a success that is not of the contract. All else, 4xx too, is an answer.
    """

    def __init__(self, url: str, *, timeout_s: float, connections: int, clock: Clock) -> None:
        self._url = url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._import_timeout = aiohttp.ClientTimeout(total=max(timeout_s, _IMPORT_TIMEOUT_S))
        self._clock = clock
        # Waiting for a connection of ours is not the server's delay: the time-out begins after it.
        self._free = Semaphore(connections)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections),
            headers={"User-Agent": "vehicle-tracker-simulator"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def ask_alive(self) -> None:
        """Return when there is a server that answers at all."""
        await self._exchange("GET", "/health/live", timeout=self._timeout)

    async def post_heartbeats(self, heartbeats: Sequence[Heartbeat]) -> Receipt:
        """Post one heartbeat as an object, several as an array."""
        body = heartbeats[0] if len(heartbeats) == 1 else heartbeats
        status, answer = await self._post(
            "/api/v1/heartbeats",
            data=json.dumps(body, separators=(",", ":")).encode(),
            headers={"Content-Type": "application/json"},
            timeout=self._timeout,
        )
        if _refused(status) and "rejected" not in answer:
            return Receipt(0, 0, [_rejection(answer, status)] * len(heartbeats))
        accepted, duplicates = _count(answer, "accepted"), _count(answer, "duplicates")
        rejected = [_rejection(item, status) for item in _items(answer, "rejected")]
        missing = len(heartbeats) - accepted - duplicates - len(rejected)
        unaccounted = Rejection("unaccounted", "The server's answer does not mention it.")
        return Receipt(accepted, duplicates, rejected + [unaccounted] * missing)

    async def import_vehicles(self, registrations: Sequence[Registration]) -> ImportReceipt:
        """Register vehicles and their customers as CSV; those already known are harmless."""
        status, answer = await self._post(
            "/api/v1/vehicles/import",
            data=_csv(registrations).encode(),
            headers={"Content-Type": "text/csv; charset=utf-8"},
            timeout=self._import_timeout,
        )
        if _refused(status) and "rejected" not in answer:
            return ImportReceipt(0, 0, [_rejection(answer, status)])
        rejected = [_rejection(item, status) for item in _items(answer, "rejected")]
        return ImportReceipt(_count(answer, "registered"), _count(answer, "unchanged"), rejected)

    async def _post(self, path: str, **request: Any) -> tuple[int, Answer]:
        """Give the status and the JSON object of the answer, empty if a refusal has none."""
        status, body = await self._exchange("POST", path, **request)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if isinstance(answer, dict):
            return status, answer
        if _refused(status):
            return status, {}
        raise UnavailableError("unexpected answer")

    async def _exchange(self, method: str, path: str, **request: Any) -> tuple[int, bytes]:
        """Give the status and the body of the answer, whatever they say."""
        try:
            async with (
                self._free,
                self._session.request(
                    method, self._url + path, allow_redirects=False, **request
                ) as response,
            ):
                status, body = response.status, await response.read()
        except TimeoutError as error:
            raise UnavailableError("time-out") from error
        except aiohttp.ClientConnectorError as error:
            raise UnavailableError("no connection") from error
        except aiohttp.ClientError as error:
            raise UnavailableError("connection lost") from error
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TRY_AGAIN:
            wait_s = retry_after_s(response.headers.get("Retry-After", ""), self._clock)
            raise UnavailableError(str(status), wait_s)
        return status, body


def _refused(status: int) -> bool:
    return status >= HTTPStatus.MULTIPLE_CHOICES


def _count(answer: Answer, name: str) -> int:
    count = answer.get(name, 0)
    return count if isinstance(count, int) else 0


def _items(answer: Answer, name: str) -> list[Answer]:
    items = answer.get(name)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _rejection(answer: Answer, status: int) -> Rejection:
    """Read a problem document, or one item of a list of rejections."""
    code = answer.get("code", f"http_{status}")
    return Rejection(str(code), str(answer.get("detail", "")), answer.get("line"))


def _csv(registrations: Sequence[Registration]) -> str:
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(("vin", "registration_number", "customer", "address"))
    for vin, plate, haulier in registrations:
        rows.writerow((vin, plate, haulier.name, haulier.address))
    return file.getvalue()

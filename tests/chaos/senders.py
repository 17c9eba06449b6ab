"""The load: devices that send heartbeats and dispatchers that change the fleet, each a thread."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from contextlib import ExitStack, closing, contextmanager
from random import Random
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import msgspec

from tests.chaos.ledger import Ledger, Said
from tests.chaos.wire import NOBODY, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

AWAY = (NOBODY, 503)
"""Answers after which the same is sent again."""
PATIENCE_S = 60.0
LONGEST_PAUSE_S = 0.03
DEVICES = 5
LARGEST_BATCH = 200


class Sender(Thread):
    """Works until told to stop, over a connection of its own to each write service."""

    def __init__(
        self, dice: Random, vins: Sequence[str], ports: Sequence[int], ledger: Ledger
    ) -> None:
        super().__init__(daemon=True)
        self.dice = dice
        self.vins = vins
        self.ledger = ledger
        self.stop = Event()
        self._ports = ports
        self._wires: list[Wire] = []

    def run(self) -> None:
        """Work; whatever goes wrong is told in the ledger."""
        with ExitStack() as stack:
            self._wires = [stack.enter_context(closing(Wire(port))) for port in self._ports]
            try:
                while not self.stop.is_set():
                    self.work()
                    self.stop.wait(self.dice.uniform(0, LONGEST_PAUSE_S))
            except Exception as error:  # noqa: BLE001 # a thread's exception would go unseen
                self.ledger.surprises.append(repr(error))

    @abstractmethod
    def work(self) -> None:
        """Do one thing, to its end."""

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask any of the write services; the status and the decoded answer."""
        encoded = None if body is None else msgspec.json.encode(body)
        status, answer = self.dice.choice(self._wires).ask(method, path, encoded)
        if status >= 500 and status not in AWAY:
            self.ledger.surprises.append(f"{method} {path}: {status} {answer!r}")
        return status, json.loads(answer) if answer else None


class Device(Sender):
    """A gateway that passes on what vehicles say: mostly new, some late, some said before.

    Others pass on the same vehicles' heartbeats; what was not answered it sends again. It goes on
    where those before it ended.
    """

    def __init__(
        self, dice: Random, vins: Sequence[str], ports: Sequence[int], ledger: Ledger
    ) -> None:
        super().__init__(dice, vins, ports, ledger)
        self._now = ledger.last_second

    def work(self) -> None:
        """Compose a request and send it until it is answered."""
        self._now += 1
        size = 1 if self.dice.random() < 0.6 else self.dice.randint(2, LARGEST_BATCH)
        batch = [
            Said(self.dice.choice(self.vins), max(0, self._now - int(self.dice.expovariate(0.1))))
            for _ in range(size)
        ]
        body = [one.message() for one in batch]
        self.ledger.send(batch)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            status, answer = self.ask("POST", "/api/v1/heartbeats", body if size > 1 else body[0])
            if status not in AWAY:
                return self._settle(batch, status, answer)
            if time.monotonic() > deadline:
                raise TimeoutError(f"a heartbeat was not answered for {PATIENCE_S:g} s")
            time.sleep(self.dice.uniform(0.02, 0.1))

    def _settle(self, batch: list[Said], status: int, answer: Any) -> None:
        if status == 202:
            refused = {item["index"] for item in answer["rejected"]}
        elif answer["code"] in ("unknown_vehicle", "batch_rejected"):
            refused = set(range(len(batch)))
        else:
            raise AssertionError(f"{status} {answer}")
        self.ledger.settle(
            [one for index, one in enumerate(batch) if index not in refused],
            [one for index, one in enumerate(batch) if index in refused],
        )


class Dispatcher(Sender):
    """Somebody who changes labels and names, and takes vehicles out of use and into use again."""

    customer_id = ""
    changes = 0

    def work(self) -> None:
        """Decide one thing; what is not answered is not asked again."""
        self.changes += 1
        vin, mark = self.dice.choice(self.vins), f"{self.name} {self.changes}"
        path = f"/api/v1/vehicles/{vin}"
        throw = self.dice.random()
        if throw < 0.6:
            self._decide("Vehicle.LabelsChanged", vin, "PATCH", path, {"labels": {"by": mark}})
            return
        if throw < 0.7:
            self.ask("PATCH", f"/api/v1/customers/{self.customer_id}", {"name": f"Kalle {mark}"})
            return
        self._decide("Vehicle.Decommissioned", vin, "DELETE", path)
        self.stop.wait(self.dice.uniform(0, 0.1))
        vehicle = {"vin": vin, "registration_number": mark[-8:], "customer_id": self.customer_id}
        self._decide("Vehicle.Recommissioned", vin, "POST", "/api/v1/vehicles", vehicle)

    def _decide(self, topic: str, vin: str, method: str, path: str, body: Any = None) -> None:
        status, answer = self.ask(method, path, body)
        if status in (200, 201):
            self.ledger.decided[answer["position"]] = (vin, topic)
        elif status not in (*AWAY, 404, 409):
            raise AssertionError(f"{method} {path}: {status} {answer}")


@contextmanager
def sending(senders: Sequence[Sender]) -> Iterator[None]:
    """Have them work; then let each finish what it has begun."""
    for sender in senders:
        sender.start()
    try:
        yield
    finally:
        for sender in senders:
            sender.stop.set()
        for sender in senders:
            sender.join(PATIENCE_S + 20)
    assert not any(sender.is_alive() for sender in senders)

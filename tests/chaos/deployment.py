"""The tracker as it is run for real: separate processes, configured by environment only."""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import msgspec

from embedded.programs import free_port
from embedded.supervisor import Program, Supervisor
from simulator.dice import dice as dice_of
from tests.chaos.database import Database
from tests.chaos.ledger import Ledger
from tests.chaos.running import Everything, Running, Victim, Worker
from tests.chaos.senders import DEVICES, Device, Dispatcher, Sender, sending
from tests.chaos.wire import Wire
from tests.running import CHECKOUT, wait_for
from vehicle_tracker.serving import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random

STARTS_WITHIN_S = 60.0
STEADY = [f"YS2R4X200053{number:05}" for number in range(30)]
"""Vehicles that are in use all the time."""
FICKLE = [f"VLUR4X200090{number:05}" for number in range(8)]
"""Vehicles that a dispatcher may take out of use, and into use again."""


class Deployment:
    """Write services, followers and a read service on a database, and how to put load on them.

    `url` is the address of the database, `folder` where everything logs.
    """

    def __init__(
        self,
        database: Database,
        url: str,
        folder: Path,
        *,
        elasticsearch_url: str = "",
        write_services: int = 1,
        workers: int = 1,
        followers: int = 1,
    ) -> None:
        self.database = database
        self.ledger = Ledger()
        self._logs = folder
        # Pages are small, so that many are stored, and some at the moment of the fault.
        self._environment = {
            "EVENT_LOG_URL": url,
            "DATABASE_URL": url,
            "ELASTICSEARCH_URL": elasticsearch_url,
            "FOLLOWER_PAGE": "100",
            "PYTHONUNBUFFERED": "1",
            "WAIT_FOR_POSITION_S": "20",
        }
        self.write_ports = [free_port() for _ in range(write_services)]
        self.read_port = free_port()
        self.write_services = [
            self._service(f"write-{number}", "write_service", port, workers)
            for number, port in enumerate(self.write_ports)
        ]
        self.read_service = self._service("read", "read_service", self.read_port, 1)
        self.followers = [self.follower(f"follower-{number}") for number in range(followers)]
        if elasticsearch_url:
            self.followers.append(
                self.follower("search-follower", "vehicle_search", FOLLOWER_PAGE="500")
            )
        self._trips = [self.follower("trips-follower", "trips")]
        if elasticsearch_url:
            self._trips.append(self.follower("trip-search-follower", "trip_search"))
        self.monitor = Running(self._monitor(), folder)
        self._customer_id = ""

    @contextmanager
    def running(self) -> Iterator[Deployment]:
        """All of it, started at once, as an orchestrator does, on a fleet that is registered."""
        try:
            self._start()
            yield self
        finally:
            for program in self._programs:
                program.end()

    def _start(self) -> None:
        for program in self._programs:
            program.start()
        migration = self._projections("migration", "db", "upgrade")
        Supervisor(self._logs).run(migration, "Migrating")
        for port in (*self.write_ports, self.read_port):
            wait_for(lambda port=port: self.is_ready(port), STARTS_WITHIN_S)
        self._register_fleet()

    def follower(
        self, name: str, projection: str = "customer_vehicles", **environment: str
    ) -> Running:
        """A follower that is not started yet."""
        return Running(self._projections(name, "follow", projection, **environment), self._logs)

    def victims(self, dice: Random) -> list[Victim]:
        """Every process there is, and all of them at once."""
        workers = [Worker(service, dice) for service in self.write_services]
        single: list[Victim] = [self.database, *self._programs]
        return [*single, *workers, Everything(single)]

    @contextmanager
    def under_load(
        self, dice: Random, *, devices: int = DEVICES, dispatchers: int = 1
    ) -> Iterator[Ledger]:
        """Devices and dispatchers at work; at the end each has finished what it began."""
        self.monitor.resume()  # a check may have ended it
        vins = [*STEADY, *FICKLE]
        senders: list[Sender] = [
            Device(dice_of(dice.getrandbits(32)), vins, self.write_ports, self.ledger)
            for _ in range(devices)
        ]
        for _ in range(dispatchers):
            one = Dispatcher(dice_of(dice.getrandbits(32)), FICKLE, self.write_ports, self.ledger)
            one.customer_id = self._customer_id
            senders.append(one)
        with sending(senders):
            yield self.ledger

    def is_ready(self, port: int) -> bool:
        """True if the service on this port says so."""
        with closing(Wire(port)) as wire:
            return wire.ask("GET", "/health/ready")[0] == 200

    @property
    def _programs(self) -> list[Running]:
        followers = [*self.followers, *self._trips]
        return [*self.write_services, *followers, self.monitor, self.read_service]

    def _register_fleet(self) -> None:
        lines = ["vin,registration_number,customer,address"]
        lines += [f"{vin},{vin[-6:]},Kalle {vin[-1]},Väg {vin[-1]}" for vin in (*STEADY, *FICKLE)]
        csv, path = "\n".join(lines).encode(), "/api/v1/vehicles/import"
        customer = msgspec.json.encode({"name": "Kalle 0", "address": "Väg 0"})
        with closing(Wire(self.write_ports[0])) as wire:
            status, answer = wire.ask("POST", path, csv, "text/csv; charset=utf-8")
            assert (status, b'"rejected":[]' in answer) == (200, True), answer
            status, answer = wire.ask("POST", "/api/v1/customers", customer)
        self._customer_id = msgspec.json.decode(answer)["customer_id"]

    def _service(self, name: str, package: str, port: int, workers: int) -> Running:
        options = ("--workers", str(workers), "--blocking-threads", "4")
        command = served(package, port, *options)
        return Running(self._program(name, command), self._logs)

    def _monitor(self) -> Program:
        command = [sys.executable, "-m", "write_service.connection_monitor"]
        return self._program("connection-monitor", command)

    def _projections(self, name: str, *arguments: str, **environment: str) -> Program:
        command = [sys.executable, "-m", "projections", *arguments]
        return self._program(name, command, **environment)

    def _program(self, name: str, command: list[str], **environment: str) -> Program:
        """A program whose connections PostgreSQL knows by its name."""
        environment = {**self._environment, "PGAPPNAME": name, **environment}
        return Program(name, command, environment, folder=CHECKOUT)

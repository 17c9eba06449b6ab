"""A device: records the heartbeats of its vehicles and delivers each until it is answered."""

from collections.abc import Iterator, Sequence

from simulator.backoff import Backoff
from simulator.client import Client
from simulator.fleet import Vehicle
from simulator.outbox import Outbox, Report
from simulator.tally import Tally

_BACKLOG = 100


class Device:
    """The device of one vehicle, or a gateway that speaks for several.

    Each vehicle has an outbox of `buffer` heartbeats. They are delivered in the order of recording,
    what has piled up as arrays of at most 100, or one for each vehicle of a larger gateway.
    """

    def __init__(
        self,
        vehicles: Sequence[Vehicle],
        buffer: int,
        client: Client,
        backoff: Backoff,
        tally: Tally,
    ) -> None:
        self._outboxes = {vehicle: Outbox(buffer) for vehicle in vehicles}
        self._most = max(_BACKLOG, len(vehicles))
        self._client = client
        self._backoff = backoff
        self._tally = tally
        self._now = 0.0
        self._delivering = False

    def record(self, at: float) -> bool:
        """Record a heartbeat of each vehicle that is not silent; say whether any can be sent."""
        self._now = at
        for vehicle, outbox in self._outboxes.items():
            if vehicle.habits.silent.cover(at):
                continue
            report = Report(vehicle, at, vehicle.habits.resending.cover(at))
            self._tally.recorded += 1
            self._tally.resent += report.resent
            if oldest := outbox.put(report):
                self._tally.drop(1 + oldest.resent)
        return any(self._ready(held_too=False))

    async def deliver(self, *, held_too: bool = False) -> None:
        """Deliver all that is recorded, then return; what a tunnel holds up only if `held_too`.

        While one delivery of a device is under way, another returns at once.
        """
        if self._delivering:
            return
        self._delivering = True
        while reports := self._collect(held_too=held_too):
            await self._post(reports)
            if again := [report for report in reports if report.resent]:
                await self._post(again)
        self._delivering = False

    def _ready(self, *, held_too: bool) -> Iterator[Outbox]:
        """Give the outboxes that something can be sent from."""
        for vehicle, outbox in self._outboxes.items():
            if outbox and (held_too or not vehicle.habits.tunnel.cover(self._now)):
                yield outbox

    def _collect(self, *, held_too: bool) -> list[Report]:
        """Take what goes into the next request, each vehicle's oldest first."""
        reports: list[Report] = []
        for outbox in self._ready(held_too=held_too):
            reports += outbox.take(self._most - len(reports))
        return reports

    async def _post(self, reports: list[Report]) -> None:
        """Post these reports until they are answered."""
        heartbeats = [report.heartbeat() for report in reports]

        async def attempt() -> None:
            self._tally.sent += len(heartbeats)
            self._tally.count(await self._client.post_heartbeats(heartbeats))

        await self._backoff.retrying(self._tally.fail)(attempt)

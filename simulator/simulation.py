"""One run: wait for the server, register the fleet, report until told to stop."""

import asyncio
from collections.abc import Sequence
from math import inf

from simulator.backoff import Backoff, UnavailableError
from simulator.client import Client
from simulator.device import Device
from simulator.dice import dice
from simulator.enrolment import enrol
from simulator.fleet import plan_fleet
from simulator.schedule import Clock, Sleep, due
from simulator.settings import Settings
from simulator.tally import Tally


async def simulate(
    settings: Settings, client: Client, tally: Tally, *, clock: Clock, sleep: Sleep
) -> None:
    """Do the whole run; return when its duration or count is reached, if it has one."""
    jitter = dice(settings.seed, "jitter")
    await _wait_for_server(settings.url, client, tally, Backoff(jitter, sleep, 0.5, 5.0))
    backoff = Backoff(jitter, sleep)
    fleet = plan_fleet(settings.seed, settings.vehicles, settings.interval, settings.shares)
    if settings.register:
        papers = [vehicle.registration for vehicle in fleet]
        await enrol(papers, client, backoff.retrying(tally.fail), tally.notice)
    devices = [
        Device(fleet[first : first + settings.batch], settings.buffer, client, backoff, tally)
        for first in range(0, len(fleet), settings.batch)
    ]
    await _report(devices, settings, tally, clock, sleep)


async def _wait_for_server(url: str, client: Client, tally: Tally, backoff: Backoff) -> None:
    """Return when it gives any answer at all, however long that takes."""
    try:
        await client.ask_alive()
    except UnavailableError as error:
        tally.notice(f"Waiting for {url} ({error.kind}) …")
        await backoff.retrying(lambda _: None)(client.ask_alive)


async def _report(
    devices: Sequence[Device], settings: Settings, tally: Tally, clock: Clock, sleep: Sleep
) -> None:
    """Let the devices report; at the end, give what still waits one time-out to get through."""
    until = inf if settings.duration is None else clock() + settings.duration
    enough = inf if settings.count is None else settings.count
    try:
        async with asyncio.timeout(None) as patience:
            async with asyncio.TaskGroup() as deliveries:
                async for number, at in due(
                    len(devices), settings.interval, clock, until=until, sleep=sleep
                ):
                    if devices[number].record(at):
                        deliveries.create_task(devices[number].deliver())
                    if tally.recorded >= enough:
                        break
                patience.reschedule(asyncio.get_running_loop().time() + settings.timeout)
            async with asyncio.TaskGroup() as deliveries:
                for device in devices:
                    deliveries.create_task(device.deliver(held_too=True))
    except TimeoutError:
        tally.notice(f"The server did not answer in time; {tally.waiting:,} were left waiting.")

"""The command line: reads the options and runs the simulation until it ends or is ended."""

import asyncio
import signal
import time
from contextlib import suppress
from functools import partial
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

import click
from rich.console import Console

from simulator.client import Client
from simulator.progress import Progress
from simulator.settings import Settings
from simulator.simulation import simulate
from simulator.tally import Tally

_option = partial(click.option, show_default=True, show_envvar=True)


class _Finite(click.FloatRange):
    """A range that NaN is not in either."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"{value} is not a number of that range.", param, ctx)
        return number


_SHARE = _Finite(0, 1)


def _server(_context: click.Context, _parameter: click.Parameter, url: str) -> str:
    """Accept an address that HTTP can be spoken to."""
    with suppress(ValueError):
        parts = urlsplit(url)
        plain = not (parts.query or parts.fragment or any(map(str.isspace, url)))
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and plain:
            return url
    raise click.BadParameter(f"{url!r} is not an address such as http://127.0.0.1:8000")


@click.command(context_settings={"auto_envvar_prefix": "SIMULATOR"})
@_option("--url", default=Settings.url, callback=_server, help="The server's address.")
@_option(
    "--vehicles",
    type=click.IntRange(1, 1_000_000),
    default=Settings.vehicles,
    help="How many vehicles; the first seven are the demo fleet.",
)
@_option(
    "--interval",
    type=_Finite(0.1),
    default=Settings.interval,
    help="Seconds between a vehicle's heartbeats.",
)
@_option(
    "--seed",
    default=Settings.seed,
    help="The same seed gives the same fleet, routes and heartbeats.",
)
@_option(
    "--batch",
    type=click.IntRange(1, 5000),
    default=Settings.batch,
    help="Vehicles a gateway: it posts their heartbeats as one array. 1: each posts its own.",
)
@_option(
    "--silent-share",
    type=_SHARE,
    default=Settings.silent_share,
    help="Share of the vehicles that fall silent for minutes and come back.",
)
@_option(
    "--resend-share",
    type=_SHARE,
    default=Settings.resend_share,
    help="Share of the vehicles that send some heartbeats twice.",
)
@_option(
    "--late-share",
    type=_SHARE,
    default=Settings.late_share,
    help="Share of the vehicles that deliver some heartbeats late, as after a tunnel.",
)
@_option(
    "--register/--no-register",
    default=Settings.register,
    help="Register the vehicles first; those known already are left as they are.",
)
@_option(
    "--connections",
    type=click.IntRange(1, 10_000),
    default=Settings.connections,
    help="Most keep-alive connections at a time.",
)
@_option(
    "--timeout",
    type=_Finite(0.1),
    default=Settings.timeout,
    help="Seconds to wait for an answer; at the end, for all that still wait.",
)
@_option(
    "--buffer",
    type=click.IntRange(1),
    default=Settings.buffer,
    help="Unsent heartbeats a vehicle keeps; beyond, the oldest is dropped and counted.",
)
@_option("--duration", type=_Finite(0), help="Stop after so many seconds of reporting.")
@_option("--count", type=click.IntRange(1), help="Stop once so many heartbeats are recorded.")
def main(**options: Any) -> None:
    """Drive a seeded fleet of vehicles through Sweden, sending heartbeats over HTTP.

    Every option can be given in the environment too. Ctrl-C ends it.
    """
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(Settings(**options)))


async def _run(settings: Settings) -> None:
    """Run the simulation; SIGINT and SIGTERM end it, with the closing line."""
    progress = Progress(Console(highlight=False), time.time, asyncio.sleep)
    tally = Tally(progress.notice)
    async with Client(
        settings.url,
        timeout_s=settings.timeout,
        connections=settings.connections,
        clock=time.time,
    ) as client:
        run = asyncio.create_task(
            simulate(settings, client, tally, clock=time.time, sleep=asyncio.sleep)
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, run.cancel)
        watch = asyncio.create_task(progress.watch(tally))
        try:
            with suppress(asyncio.CancelledError):
                await run
        finally:
            watch.cancel()
            await asyncio.wait({watch})
            progress.close(tally)

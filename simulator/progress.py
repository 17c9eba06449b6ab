"""What whoever started the simulator sees: a live line on a terminal, else a line now and then."""

from collections import deque
from contextlib import nullcontext

from rich.console import Console
from rich.live import Live
from rich.text import Text

from simulator.schedule import Clock, Sleep
from simulator.tally import Tally

_LIVE_EVERY_S = 0.5
_PLAIN_EVERY_S = 10.0
_LIVE_SAMPLES = 21  # ten seconds of them
_PLAIN_SAMPLES = 2


class Progress:
    """Shows notices and the tally, with the rate of heartbeats answered in the last ten seconds."""

    def __init__(self, console: Console, clock: Clock, sleep: Sleep) -> None:
        self._console = console
        self._clock, self._sleep = clock, sleep
        self._begun = clock()

    def notice(self, line: str) -> None:
        """Show one line, as it is."""
        self._console.print(Text(line), soft_wrap=True)

    async def watch(self, tally: Tally) -> None:
        """Show how the tally gets on, until cancelled."""
        on_terminal = self._console.is_terminal
        samples = deque[tuple[float, int]](maxlen=_LIVE_SAMPLES if on_terminal else _PLAIN_SAMPLES)
        samples.append((self._clock(), tally.answered))
        screen = Live(console=self._console, auto_refresh=False, transient=True)
        with screen if on_terminal else nullcontext():
            while True:
                await self._sleep(_LIVE_EVERY_S if on_terminal else _PLAIN_EVERY_S)
                samples.append((self._clock(), tally.answered))
                line = f"{tally} · {_rate(samples[0], samples[-1]):.1f}/s"
                if on_terminal:
                    screen.update(Text(line), refresh=True)
                else:
                    self.notice(line)

    def close(self, tally: Tally) -> None:
        """Show the closing summary."""
        seconds = self._clock() - self._begun
        rate = _rate((self._begun, 0), (self._clock(), tally.answered))
        self.notice(f"Stopped after {seconds:.0f} s: {tally} · {rate:.1f}/s on average")


def _rate(first: tuple[float, int], last: tuple[float, int]) -> float:
    """Heartbeats a second between two samples of time and count."""
    return (last[1] - first[1]) / max(last[0] - first[0], 1e-9)

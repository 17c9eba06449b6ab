"""How long a device waits before it tries again."""

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from random import Random

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from simulator.schedule import Clock, Sleep

_LONGEST_RETRY_AFTER_S = 3600.0


class UnavailableError(Exception):
    """The server gave no proper answer (`kind` says how); it is worth trying again."""

    def __init__(self, kind: str, retry_after_s: float = 0.0) -> None:
        super().__init__(kind)
        self.kind = kind
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Backoff:
    """Exponential back-off with full jitter, never sooner than the server's `Retry-After`.

    Full jitter: uniform between 0 and a ceiling that doubles from `first_s` up to `longest_s`
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """

    dice: Random
    sleep: Sleep
    first_s: float = 1.0
    longest_s: float = 60.0

    def __call__(self, state: RetryCallState) -> float:
        """Give the seconds to wait after the attempt that has just failed."""
        doublings = min(state.attempt_number - 1, 32)
        wait = self.dice.uniform(0, min(self.longest_s, self.first_s * 2**doublings))
        error = state.outcome and state.outcome.exception()
        return wait + (error.retry_after_s if isinstance(error, UnavailableError) else 0.0)

    def retrying(self, failed: Callable[[UnavailableError], None]) -> AsyncRetrying:
        """Give a loop of attempts without end; `failed` hears of each that was unavailable."""

        def tell(state: RetryCallState) -> None:
            error = state.outcome and state.outcome.exception()
            if isinstance(error, UnavailableError):
                failed(error)

        return AsyncRetrying(
            retry=retry_if_exception_type(UnavailableError),
            wait=self,
            sleep=self.sleep,
            before_sleep=tell,
        )


def retry_after_s(header: str, clock: Clock) -> float:
    """Read a `Retry-After` (RFC 9110: seconds or a date) as seconds from now, an hour at most.

    One that is past or unreadable asks for no wait.
    """
    try:
        seconds = float(header) if header.isdigit() else _date(header) - clock()
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_S)


def _date(header: str) -> float:
    return parsedate_to_datetime(header).timestamp()

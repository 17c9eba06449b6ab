"""What became of every heartbeat: none is lost without being counted."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from simulator.backoff import UnavailableError
from simulator.client import Receipt

Notice = Callable[[str], None]
"""Shows one line to whoever watches."""


@dataclass
class Tally:
    """Counts of heartbeats since the start; `errors` counts requests that had no proper answer.

    Every heartbeat that was recorded or re-sent is in exactly one of accepted, duplicates,
    rejected (by code), dropped and waiting. Each kind of error and rejection is noticed once.
    """

    notice: Notice
    recorded: int = 0
    resent: int = 0
    sent: int = 0  # on the wire, retries included
    accepted: int = 0
    duplicates: int = 0
    dropped: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def answered(self) -> int:
        """Heartbeats that the server has taken or refused."""
        return self.accepted + self.duplicates + self.rejected.total()

    @property
    def waiting(self) -> int:
        """Heartbeats that are recorded and neither answered nor dropped."""
        return self.recorded + self.resent - self.answered - self.dropped

    def count(self, receipt: Receipt) -> None:
        """Count the heartbeats of an answer."""
        self.accepted += receipt.accepted
        self.duplicates += receipt.duplicates
        for code, detail, _ in receipt.rejected:
            if code not in self.rejected:
                self.notice(f"Rejected, {code}: {detail}")
            self.rejected[code] += 1

    def fail(self, error: UnavailableError) -> None:
        """Count a request that had no proper answer."""
        if error.kind not in self.errors:
            self.notice(f"The server is unavailable ({error.kind}); it is tried again.")
        self.errors[error.kind] += 1

    def drop(self, reports: int) -> None:
        """Count heartbeats that a full outbox had to drop."""
        if reports and not self.dropped:
            self.notice("An outbox is full: its oldest heartbeats are dropped.")
        self.dropped += reports

    def __str__(self) -> str:
        return " · ".join(
            (
                f"sent {self.sent:,}",
                f"accepted {self.accepted:,}",
                f"duplicates {self.duplicates:,}",
                f"rejected {_by_kind(self.rejected)}",
                f"waiting {self.waiting:,}",
                f"dropped {self.dropped:,}",
                f"errors {_by_kind(self.errors)}",
            )
        )


def _by_kind(counts: Counter[str]) -> str:
    kinds = ", ".join(f"{kind}: {count:,}" for kind, count in counts.most_common())
    return f"{counts.total():,}" + (f" ({kinds})" if kinds else "")

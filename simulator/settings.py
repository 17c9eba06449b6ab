"""What a run of the simulator was asked to do."""

from dataclasses import dataclass

from simulator.habits import Shares


@dataclass(frozen=True)
class Settings:
    """One run: the options of the command line and their defaults, times in seconds."""

    url: str = "http://127.0.0.1:8000"
    vehicles: int = 7
    interval: float = 60.0
    seed: int = 1
    batch: int = 1
    silent_share: float = 0.1
    resend_share: float = 0.1
    late_share: float = 0.1
    register: bool = True
    connections: int = 64
    timeout: float = 10.0
    buffer: int = 1440
    duration: float | None = None
    count: int | None = None

    @property
    def shares(self) -> Shares:
        """The shares of the fleet with each habit."""
        return Shares(self.silent_share, self.resend_share, self.late_share)

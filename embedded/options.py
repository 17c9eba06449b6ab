"""What `make run` can be told, all of it through the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import CannotStart

HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Options:
    """How this run differs from the default one."""

    port: int = 8000
    vehicles: int = 7
    interval_s: float = 60.0
    simulator: bool = True
    elasticsearch: bool = False
    data: Path = Path(".data")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Options":
        """Read PORT, VEHICLES, INTERVAL, SIMULATOR, SEARCH and DATA_DIR; refuse nonsense."""
        port = _number(environment, "PORT", cls.port)
        if not 1 <= port <= HIGHEST_PORT or port != int(port):
            raise CannotStart(f"PORT must be a whole number from 1 to {HIGHEST_PORT}.")
        vehicles = _number(environment, "VEHICLES", cls.vehicles)
        if vehicles < 1 or vehicles != int(vehicles):
            raise CannotStart("VEHICLES must be a whole number from 1.")
        interval_s = _number(environment, "INTERVAL", cls.interval_s)
        if interval_s <= 0:
            raise CannotStart("INTERVAL must be a number of seconds above 0.")
        simulator = environment.get("SIMULATOR", "on").lower()
        if simulator not in {"on", "off"}:
            raise CannotStart(f"SIMULATOR must be on or off, not {simulator!r}.")
        search = environment.get("SEARCH", "").lower()
        if search not in {"", "postgresql", "elasticsearch"}:
            raise CannotStart(f"SEARCH must be postgresql or elasticsearch, not {search!r}.")
        data = Path(environment.get("DATA_DIR") or cls.data)
        return cls(
            port=int(port),
            vehicles=int(vehicles),
            interval_s=interval_s,
            simulator=simulator == "on",
            elasticsearch=search == "elasticsearch",
            data=data.absolute(),
        )


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not number - number == 0:  # neither a number nor a finite one
        raise CannotStart(f"{name} must be a number, not {text!r}.")
    return number

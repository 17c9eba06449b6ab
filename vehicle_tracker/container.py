"""How a service is served in its image: `python -m vehicle_tracker.container write_service`.

On `HEALTH_PORT`, as everything else answers there. Granian would say of a taken port in a hundred
lines what is said here in one.
"""

from __future__ import annotations

import os
import sys

from vehicle_tracker.refusal import refuse_taken_port
from vehicle_tracker.serving import served

OPTIONS = ("--host", "0.0.0.0", "--workers-kill-timeout", "20", "--log-level", "error")


def main() -> None:
    """Become the server; further arguments are Granian's."""
    package, *more = sys.argv[1:]
    port = int(os.environ["HEALTH_PORT"])
    refuse_taken_port(port)
    command = served(package, port, *OPTIONS, *more)
    os.execv(command[0], command)  # noqa: S606 # the command is ours


if __name__ == "__main__":
    main()

"""The health check of our images: exit 0 if the process is well, else 1 and what it says.

    python ready.py [live]

It is well once it has been ready, for as long as it lives: whoever waits for a store that is away
is not helped by being killed. Who is to get requests now is the question of the proxy, which asks
`/health/ready` itself.
"""

import http.client
import os
import sys
from pathlib import Path

WAS_READY = Path("/tmp/was-ready")  # noqa: S108 # a container's own


def main() -> int:
    """Ask, answer with an exit code."""
    question = sys.argv[1] if sys.argv[1:] else "live" if WAS_READY.exists() else "ready"
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["HEALTH_PORT"]), timeout=2)
    try:
        connection.request("GET", f"/health/{question}")
        answer = connection.getresponse()
        said = answer.read(2000).decode()
    except (OSError, http.client.HTTPException) as error:
        sys.stdout.write(f"no answer: {error}\n")
        return 1
    if answer.status != http.client.OK:
        sys.stdout.write(f"{said}\n")
        return 1
    WAS_READY.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())

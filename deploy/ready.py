"""The health check of our images: exit 0 if the process is well, else 1 and what it says.

    python ready.py [live]

It is well once it has been ready, for as long as it lives: whoever waits for a store that is away
is not helped by being killed. Who is to get requests now is the question of the proxy, which asks
`/health/ready` itself.
"""

import os
import socket
import sys
from pathlib import Path

WAS_READY = Path("/tmp/was-ready")  # noqa: S108 # a container's own


def main() -> int:
    """Ask, answer with an exit code. By hand, for an HTTP client takes longest of all to load."""
    question = sys.argv[1] if sys.argv[1:] else "live" if WAS_READY.exists() else "ready"
    try:
        with socket.create_connection(("127.0.0.1", int(os.environ["HEALTH_PORT"])), 2) as asked:
            asked.sendall(f"GET /health/{question} HTTP/1.0\r\n\r\n".encode())
            answer = b"".join(iter(lambda: asked.recv(4096), b""))
    except OSError as error:
        answer = f"no answer: {error}".encode()
    if answer.split()[1:2] != [b"200"]:
        sys.stdout.write(f"{answer.decode()}\n")
        return 1
    WAS_READY.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())

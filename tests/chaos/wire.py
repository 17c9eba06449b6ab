"""A keep-alive connection to a service, as a device has it."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException

HOST = "127.0.0.1"
NOBODY = 0
"""The status of a request that nobody answered."""


class Wire:
    """A connection that comes back after a service was away. For one thread."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection(HOST, port, timeout=15)

    def ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> tuple[int, bytes]:
        """The status and the answer; `NOBODY` if the connection broke before one came."""
        try:
            self._connection.request(method, path, body, {"Content-Type": kind} if body else {})
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException):
            self.close()
            return NOBODY, b""

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

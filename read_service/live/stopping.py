"""Hearing that the process is asked to end, although the server keeps the signals to itself."""

from __future__ import annotations

import signal
import socket
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ENDING = {signal.SIGTERM, signal.SIGINT}


def when_asked_to_end(act: Callable[[], None]) -> None:
    """Call `act` in a thread when a signal asks this process to end. For the main thread only.

    The server answers the signal by finishing what it has begun, and a stream never ends by itself.
    Python writes each signal to this socket whoever handles it, so that nobody's handler is taken.
    """
    reading, writing = socket.socketpair()
    writing.settimeout(0)
    signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)

    def wait() -> None:
        with reading, writing:
            while _ENDING.isdisjoint(reading.recv(64)):
                pass
            act()

    Thread(target=wait, name="ending", daemon=True).start()

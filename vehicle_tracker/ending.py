"""How a process that works until it is told to stop hears of that."""

from __future__ import annotations

import signal
from threading import Event, Thread


def told_to_stop() -> Event:
    """What SIGTERM and Ctrl-C set from now on. For the main thread only.

    Before, both end the process at once: so ask for it only when there is something to finish.
    """
    stop = Event()

    def hear(*_: object) -> None:
        # In a thread: this one may just be looking at the event, and hold its lock.
        Thread(target=stop.set, name="told to stop").start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hear)
    return stop

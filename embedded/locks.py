"""Locks that end with the processes that hold them, whatever ended those."""

import fcntl
from typing import IO

SUPERVISOR = "supervisor.lock"
GROUP = "group.lock"


def take(lock: IO[str]) -> bool:
    """Try to take a lock; answer whether it is ours now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

"""The last one out: stops the process group when its supervisor has gone without doing so.

A supervisor that is killed with -9 can stop nobody. The guardian holds the reading end of a pipe
whose writing end only the supervisor has; when the pipe ends, so does the group. That needs no
feature of one operating system.
"""

import itertools
import os
import signal
import sys
import time

import psutil

PATIENCE_S = 6.0
ASK_EVERY_S = 0.7


def members(group: int) -> list[int]:
    """Answer the processes of a group that still run."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            continue
    return found


def stop_group(group: int, patience_s: float = PATIENCE_S) -> None:
    """End every process of the group but this one: asked first, killed when patience is over.

    All end at SIGTERM; PostgreSQL waits for its clients then, and no longer at SIGINT. Each is
    sent again and again because a program that is just starting may not hear it.
    """
    deadline = time.monotonic() + patience_s
    for number in itertools.cycle((signal.SIGTERM, signal.SIGINT)):
        _signal(group, number)
        ask_again = time.monotonic() + ASK_EVERY_S
        while time.monotonic() < ask_again:
            if not set(members(group)) - {os.getpid()}:
                return
            time.sleep(0.05)
        if time.monotonic() > deadline:
            _signal(group, signal.SIGKILL)
            return


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    sys.stdin.buffer.read()
    stop_group(os.getpgrp())

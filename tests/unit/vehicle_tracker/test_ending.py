"""A process that is told to stop finishes what it is doing."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.running import CHECKOUT

WITHIN_S = 30
WORKING = """
from vehicle_tracker.ending import told_to_stop
stop = told_to_stop()
print("working", flush=True)
stop.wait()
print("finished")
"""
LOOKING = """
import os, signal
from vehicle_tracker.ending import told_to_stop
stop = told_to_stop()
with stop._cond:
    os.kill(os.getpid(), signal.SIGTERM)
stop.wait()
print("finished")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_finishes(number: signal.Signals) -> None:
    """Whichever of the two tells it, it goes on after its work, and ends with 0."""
    with subprocess.Popen(
        [sys.executable, "-c", WORKING], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "working\n"
        process.send_signal(number)
        said, _ = process.communicate(timeout=WITHIN_S)
    assert (process.returncode, said) == (0, "finished\n")


def test_it_may_be_told_at_any_moment() -> None:
    """Also while it looks whether it was told: the signal comes between any two steps."""
    done = subprocess.run(
        [sys.executable, "-c", LOOKING],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "finished\n"), done.stderr

"""A port for a program is its own until it listens: nobody else is given it meanwhile."""

from __future__ import annotations

import random
import socket
from pathlib import Path

import pytest

from embedded import programs

GIVEN_TO_CLIENTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_no_port_is_one_that_a_client_may_be_given() -> None:
    """However many connect before the program listens, they connect from other ports."""
    low, high = map(int, GIVEN_TO_CLIENTS.read_text().split())
    assert not set(programs.PORTS) & set(range(low, high + 1))


def test_a_port_is_given_once_and_only_while_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """What listens elsewhere and what was given before is passed over."""
    first, chosen_at_random = programs.free_port(), random.choice
    with socket.create_server(("127.0.0.2", 0)) as listening:
        choices = [first, listening.getsockname()[1]]
        monkeypatch.setattr(
            "random.choice", lambda ports: choices.pop() if choices else chosen_at_random(ports)
        )
        given = programs.free_port()
    assert not choices
    assert given in programs.PORTS
    assert given != first

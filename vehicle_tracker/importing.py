"""How a process is spared what its imports would cost it: unused packages, looking for garbage."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """What is imported within finds none of these packages, as if they were not installed.

    Libraries import whatever they could make use of. On a developer's machine, where the simulator
    and the dashboard's front door need more than a service does, that is a fifth of its start. What
    is loaded already stays.
    """
    hidden = [name for name in packages if name not in sys.modules]
    # "If the value is None, a ModuleNotFoundError is raised": Python's reference, The module cache.
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment] # typeshed knows modules only
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def without_other_transports() -> AbstractContextManager[None]:
    """What is imported within finds no HTTP client that Elasticsearch's could use but its own."""
    return without("aiohttp", "requests")


@contextmanager
def for_ever() -> Iterator[None]:
    """What is imported or made within stays as long as the process: no garbage is looked for in it.

    It would be looked through dozens of times while it grows, a twentieth of the start, and again
    each time that all of the memory is.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()

"""When Python may look for garbage that refers to itself.

Folding makes millions of small objects and no cycles: looking for some took a third of its time.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def nothing_collected() -> Iterator[None]:
    """What is no longer referred to is freed as ever, but nobody looks for cycles meanwhile.

    For a stretch of work that ends, in a process with one such thread.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

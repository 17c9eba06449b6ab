"""Every retry policy, in one table. Each is a decorator; what it does not name is not retried."""

from __future__ import annotations

import stamina
from eventsourcing.persistence import IntegrityError

after_a_conflict = stamina.retry(
    on=IntegrityError, attempts=8, timeout=5.0, wait_initial=0.005, wait_max=0.1, wait_jitter=0.05
)
"""Two commands met at one version of an aggregate: load it again and decide again."""

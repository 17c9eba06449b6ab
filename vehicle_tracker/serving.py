"""How a service is served in its image: `python -m vehicle_tracker.serving write_service.wsgi:app`.

Arguments and environment are Granian's; it would say of a taken port only where it found out.
"""

from __future__ import annotations

import os

from granian.cli import entrypoint

from vehicle_tracker.starting import refuse_taken_port


def main() -> None:
    """Serve until told to stop."""
    refuse_taken_port(int(os.environ.get("GRANIAN_PORT", "8000")))
    entrypoint()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()

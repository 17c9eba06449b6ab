"""What a read service imports, which is most of the time that its start takes."""

from __future__ import annotations

import subprocess
import sys


def test_it_imports_only_what_it_uses() -> None:
    """Without Elasticsearch it starts without its client; and always without Alembic."""
    listed = "import sys, read_service.app; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True)
    assert not {"elasticsearch", "alembic"}.intersection(ran.stdout.split())

"""Which vehicles are in a cell of the grid: those at the edge of a shape on the map are looked up.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-21 20:40:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    in_use = sa.text("registered_at IS NOT NULL AND decommissioned_at IS NULL")
    op.create_index("vehicle_cell_idx", "vehicle", ["cell"], postgresql_where=in_use)


def downgrade() -> None:
    op.drop_index("vehicle_cell_idx", "vehicle")

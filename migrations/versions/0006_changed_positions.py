"""At which position what is searched of vehicles and customers changed last, and in which cell.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-21 20:20:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("customer", "vehicle"):
        # What is there counts as changed at the log's beginning: so it is copied first.
        changed = sa.Column("changed_position", sa.BigInteger(), nullable=False, server_default="1")
        op.add_column(table, changed)
        op.alter_column(table, "changed_position", server_default=None)
        op.create_index(f"{table}_changed_position_idx", table, ["changed_position"])
    op.add_column("vehicle", sa.Column("cell", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE vehicle SET cell = 3600 * least(1799, floor(10 *"
        " (least(90, greatest(-90, latitude)) + 90)))"
        " + least(3599, floor(10 * (least(180, greatest(-180, longitude)) + 180)))"
        " WHERE latitude IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_column("vehicle", "cell")
    for table in ("customer", "vehicle"):
        op.drop_column(table, "changed_position")

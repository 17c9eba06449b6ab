"""At which position a trip was written last, and which trips are none any more.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-21 18:10:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Those that are there count as written at the log's beginning: so they are copied first.
    written = sa.Column("position", sa.BigInteger(), nullable=False, server_default="1")
    op.add_column("trip", written)
    op.alter_column("trip", "position", server_default=None)
    op.create_index("trip_position_idx", "trip", ["position"])
    op.create_table(
        "trip_gone",
        sa.Column("trip_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("trip_id", name=op.f("trip_gone_pkey")),
    )
    op.create_index("trip_gone_position_idx", "trip_gone", ["position"])


def downgrade() -> None:
    op.drop_table("trip_gone")
    op.drop_column("trip", "position")

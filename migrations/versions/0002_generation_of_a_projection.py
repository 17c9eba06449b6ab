"""Which generation the documents of a projection are.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-21 14:45:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "projection", sa.Column("generation", sa.Integer(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("projection", "generation")

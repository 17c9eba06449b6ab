"""Customers' limits, and when vehicles were connected.

What was in the log before is in neither until `flask --app projections rebuild customer_vehicles`.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-21 17:10:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customer", sa.Column("disconnect_after_s", sa.Integer(), nullable=True))
    op.create_index(
        "customer_limited_idx",
        "customer",
        ["customer_id"],
        unique=False,
        postgresql_where=sa.text("disconnect_after_s IS NOT NULL"),
    )
    op.create_table(
        "connections",
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("connected_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connected_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("mended", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("forgotten", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("vehicle_id", name=op.f("connections_pkey")),
    )


def downgrade() -> None:
    op.drop_table("connections")
    op.drop_index("customer_limited_idx", table_name="customer")
    op.drop_column("customer", "disconnect_after_s")

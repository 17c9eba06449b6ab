"""How many vehicles in use each customer has.

A follower of an older release does not count; whoever follows after it counts anew.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-30 04:40:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fleet_size",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("vehicles", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name="fleet_size_pkey"),
    )
    op.execute(
        "INSERT INTO fleet_size SELECT customer_id, count(*) FROM vehicle"
        " WHERE registered_at IS NOT NULL AND decommissioned_at IS NULL GROUP BY customer_id"
    )
    largest_first = [sa.text("vehicles DESC"), "customer_id"]
    op.create_index("fleet_size_vehicles_idx", "fleet_size", largest_first)


def downgrade() -> None:
    op.drop_table("fleet_size")

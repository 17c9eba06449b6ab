"""Trips, and what is remembered to derive them.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-21 17:00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "customer", sa.Column("trip_rules", postgresql.JSON(astext_type=sa.Text()), nullable=True)
    )
    op.create_table(
        "trip",
        sa.Column("trip_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("vin", sa.Text(collation="C"), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("driver", sa.Text(), nullable=True),
        sa.Column("folded_driver", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("measured", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("south", sa.Double(), nullable=True),
        sa.Column("north", sa.Double(), nullable=True),
        sa.Column("west", sa.Double(), nullable=True),
        sa.Column("east", sa.Double(), nullable=True),
        sa.Column("latitudes", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.Column("longitudes", postgresql.ARRAY(sa.Double()), nullable=False),
        sa.PrimaryKeyConstraint("trip_id", name=op.f("trip_pkey")),
    )
    for column in ("vehicle_id", "customer_id"):
        op.create_index(f"trip_{column}_started_at_idx", "trip", [column, "started_at", "trip_id"])
    op.create_index("trip_started_at_idx", "trip", ["started_at", "trip_id"])
    op.create_index(
        "trip_period_idx",
        "trip",
        [sa.text("tstzrange(started_at, ended_at, '[]')")],
        postgresql_using="gist",
    )
    op.create_index(
        "trip_open_idx", "trip", ["vehicle_id"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index(
        "trip_reported_idx",
        "trip",
        ["vehicle_id", "started_at"],
        postgresql_where=sa.text("source = 'reported'"),
    )
    op.create_table(
        "trip_vehicle",
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("vin", sa.Text(collation="C"), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("customer_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("belongings", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("reported_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("since_checkpoint", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("vehicle_id", name=op.f("trip_vehicle_pkey")),
        postgresql_with={"fillfactor": "65"},
    )
    op.create_table(
        "trip_checkpoint",
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("vehicle_id", "at", name=op.f("trip_checkpoint_pkey")),
    )
    op.create_table(
        "trip_rules",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("rules", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("trip_rules_pkey")),
    )


def downgrade() -> None:
    for table in ("trip_rules", "trip_checkpoint", "trip_vehicle", "trip"):
        op.drop_table(table)
    op.drop_column("customer", "trip_rules")

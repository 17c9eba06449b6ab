"""Customers and their vehicles, and how far each projection is.

Revision ID: 0001
Revises:
Create Date: 2026-11-21 13:52:27.721341
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

IN_USE = sa.text("registered_at IS NOT NULL AND decommissioned_at IS NULL")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("folded_name", sa.Text(collation="C"), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("customer_pkey")),
    )
    op.create_index(
        "customer_folded_name_idx", "customer", ["folded_name", "customer_id"], unique=False
    )
    op.create_table(
        "parked_event",
        sa.Column("projection", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("projection", "position", name=op.f("parked_event_pkey")),
    )
    op.create_table(
        "projection",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("projection_pkey")),
    )
    op.create_table(
        "vehicle",
        sa.Column("vehicle_id", sa.Uuid(), nullable=False),
        sa.Column("vin", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("registration_number", sa.Text(collation="C"), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decommissioned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disconnect_after_s", sa.Integer(), nullable=True),
        sa.Column("last_heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("speed_kmh", sa.Double(), nullable=True),
        sa.Column("heading_deg", sa.Double(), nullable=True),
        sa.Column("altitude_m", sa.Double(), nullable=True),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("odometer_km", sa.Double(), nullable=True),
        sa.Column("fuel_level", sa.Double(), nullable=True),
        sa.Column("battery_level", sa.Double(), nullable=True),
        sa.Column("ignition", sa.Boolean(), nullable=True),
        sa.Column("attributes", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("position_recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("vehicle_id", name=op.f("vehicle_pkey")),
        sa.UniqueConstraint("vin", name=op.f("vehicle_vin_key")),
        postgresql_with={"fillfactor": "65"},
    )
    op.create_index(
        "vehicle_customer_id_idx",
        "vehicle",
        ["customer_id"],
        unique=False,
        postgresql_where=IN_USE,
    )
    op.create_index(
        "vehicle_registration_number_idx",
        "vehicle",
        ["registration_number", "vin"],
        unique=False,
        postgresql_where=IN_USE,
    )


def downgrade() -> None:
    for table in ("vehicle", "projection", "parked_event", "customer"):
        op.drop_table(table)

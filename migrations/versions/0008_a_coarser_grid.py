"""The grid of the map has cells of a fifth of a degree.

The column has another name: a follower of an older release, which would go on to write numbers of
the older grid, stores nothing from now on.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-22 03:00:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _exchange("cell", "grid_cell", per_degree=5)


def downgrade() -> None:
    _exchange("grid_cell", "cell", per_degree=10)


def _exchange(old: str, new: str, per_degree: int) -> None:
    rows, columns = 180 * per_degree, 360 * per_degree
    op.drop_column("vehicle", old)
    op.add_column("vehicle", sa.Column(new, sa.Integer(), nullable=True))
    op.execute(
        f"UPDATE vehicle SET {new} = {columns} * least({rows - 1}, floor({per_degree} *"  # noqa: S608
        " (least(90, greatest(-90, latitude)) + 90)))"
        f" + least({columns - 1}, floor({per_degree} *"
        " (least(180, greatest(-180, longitude)) + 180)))"
        " WHERE latitude IS NOT NULL"
    )
    in_use = sa.text("registered_at IS NOT NULL AND decommissioned_at IS NULL")
    op.create_index(f"vehicle_{new}_idx", "vehicle", [new], postgresql_where=in_use)

"""What this release says of its migrations is what Alembic finds."""

from __future__ import annotations

from alembic.script import ScriptDirectory

from projections.migrated import MIGRATIONS, revisions


def test_the_names_of_the_files_are_the_revisions() -> None:
    """The migrations by their files are those of Alembic, in the order in which it makes them."""
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    assert revisions() == [one.revision for one in scripts][::-1]

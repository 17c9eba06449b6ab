"""`python -m projections …`: the same commands as `flask --app projections …`, sooner.

`flask` loads Alembic for whatever it is asked, as Flask-Migrate adds `db` to it.
"""

from __future__ import annotations

from vehicle_tracker.importing import for_ever

with for_ever():
    import click
    from flask.cli import ScriptInfo

    from projections import app, cli

_MIGRATIONS = "db"


class Commands(click.Group):
    """Ours, and Flask-Migrate's, which is loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All, for `--help`."""
        return sorted([*super().list_commands(ctx), _MIGRATIONS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, if there is one."""
        if cmd_name != _MIGRATIONS:
            return super().get_command(ctx, cmd_name)
        from flask_migrate.cli import db  # noqa: PLC0415 # the others start without

        ctx.obj = ScriptInfo(create_app=app.migrating)
        found: click.Command = db
        return found


def main() -> None:
    """Run the command that the arguments name."""
    commands = Commands("projections", {str(one.name): one for one in cli.COMMANDS})
    commands.main(prog_name="python -m projections", obj=ScriptInfo(create_app=app.create_app))


if __name__ == "__main__":
    main()

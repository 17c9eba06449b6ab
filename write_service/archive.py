"""Old heartbeats leave the log when an operator says so: `python -m write_service.archive`."""

from __future__ import annotations

from datetime import timedelta

import click

from vehicle_tracker.archiving import AT_ONCE, Archiving, ArchivingBusyError, alone_archiving
from vehicle_tracker.domain.values import utc_now
from vehicle_tracker.ending import told_to_stop
from vehicle_tracker.event_log import LOG_UNREACHABLE
from vehicle_tracker.settings import Settings
from vehicle_tracker.starting import open_log
from vehicle_tracker.telemetry import configure_logging

_DONE = (
    "{heartbeats:,} heartbeats are archived: {in_files:,} bytes in files,"
    " {in_tables:,} in tables. What they took in the log is free for new ones."
)


@click.command()
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(min=1),
    required=True,
    help="Days since they were received.",
)
@click.option(
    "--at-once",
    type=click.IntRange(min=1),
    default=AT_ONCE,
    show_default=True,
    help="Heartbeats of a step; with 60 of each vehicle the archive is smallest.",
)
def main(days: int, at_once: int) -> None:
    """Move old heartbeats out of the log into EVENT_ARCHIVE and the tables beside it.

    Everything still reads them. Stopped by Ctrl-C or SIGTERM, or killed, it goes on where it was
    when it is started again.
    """
    settings = Settings.from_environment(read_models=False)
    configure_logging(settings)
    if not settings.event_archive:
        raise click.UsageError("EVENT_ARCHIVE is not set: expected a folder for the files")
    with open_log(settings) as log, click.progressbar(length=log.head(), label="Archiving") as bar:
        stop = told_to_stop()

        def told(position: int, end: int) -> None:
            bar.length = end
            bar.update(position - bar.pos)

        try:
            with alone_archiving(settings.event_log_url) as connection:
                before = utc_now() - timedelta(days=days)
                archived = Archiving(log, connection, at_once).run(before, told, stop)
        except (ArchivingBusyError, OSError, *LOG_UNREACHABLE) as error:
            raise click.ClickException(str(error)) from error
    click.echo(_DONE.format(**archived._asdict()))
    if stop.is_set():
        click.echo("Stopped; start it again to go on from here.")


if __name__ == "__main__":
    main()

"""All settings of all processes, from the environment and from nowhere else.

`NAME_FILE=/run/secrets/name` may stand for `NAME`, so that no secret is in the environment.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

import psycopg
from environs import EnvError, FileAwareEnv, ValidationError, validate
from psycopg.conninfo import conninfo_to_dict

from vehicle_tracker.serving import REQUESTS_AT_ONCE

_EXPECTED = "expected one such as postgresql://user:password@host/database"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may set. `docs/operations.md` has a line for each."""

    event_log_url: str
    event_archive: str
    database_url: str
    elasticsearch_url: str
    log_format: str
    log_level: str
    disconnect_after_s: int
    heartbeat_interval_s: int
    max_body_bytes: int
    max_batch_items: int
    max_waiting_heartbeats: int
    max_waiting_bytes: int
    max_requests: int
    trusted_proxies: tuple[str, ...]
    follower_page: int
    health_port: int
    most_lag_s: float
    wait_for_position_s: float
    wait_for_stores_s: float

    @classmethod
    def from_environment(cls, *, read_models: bool = True) -> Settings:
        """Read the settings; on a wrong or missing one say which in one line and exit with 2.

        Whoever knows no read models needs no address of theirs, and has none.
        """
        env = FileAwareEnv()
        database_url = partial(env.str, "DATABASE_URL", validate=_postgresql_url)
        positive = validate.Range(min=1)
        try:
            return cls(
                event_log_url=env.str("EVENT_LOG_URL", validate=_postgresql_url).strip(),
                event_archive=env.str("EVENT_ARCHIVE", "").strip(),
                database_url=database_url().strip() if read_models else "",
                elasticsearch_url=env.str("ELASTICSEARCH_URL", "", validate=_http_url).strip(),
                log_format=env.str("LOG_FORMAT", "json", validate=validate.OneOf(["json", "text"])),
                log_level=env.str("LOG_LEVEL", "INFO"),
                disconnect_after_s=env.int("DISCONNECT_AFTER_S", 120, validate=positive),
                heartbeat_interval_s=env.int("HEARTBEAT_INTERVAL_S", 60, validate=positive),
                max_body_bytes=env.int("MAX_BODY_BYTES", 8_000_000, validate=positive),
                max_batch_items=env.int("MAX_BATCH_ITEMS", 10_000, validate=positive),
                max_waiting_heartbeats=env.int("MAX_WAITING_HEARTBEATS", 50_000, validate=positive),
                max_waiting_bytes=env.int("MAX_WAITING_BYTES", 64_000_000, validate=positive),
                max_requests=env.int("MAX_REQUESTS", REQUESTS_AT_ONCE, validate=positive),
                trusted_proxies=tuple(env.list("TRUSTED_PROXIES", [])),
                follower_page=env.int("FOLLOWER_PAGE", 2_000, validate=positive),
                health_port=env.int("HEALTH_PORT", 0, validate=validate.Range(0, 65535)),
                most_lag_s=env.float("MOST_LAG_S", 30.0),
                wait_for_position_s=env.float("WAIT_FOR_POSITION_S", 5.0),
                wait_for_stores_s=env.float("WAIT_FOR_STORES_S", 60.0),
            )
        except (EnvError, ValueError, OSError) as error:
            _exit(error)


def _postgresql_url(value: str) -> None:
    with suppress(psycopg.ProgrammingError):
        if value.startswith(("postgresql://", "postgres://")) and conninfo_to_dict(value.strip()):
            return
    raise ValidationError(f"not a PostgreSQL address: {_EXPECTED}")


def _http_url(value: str) -> None:
    if value.strip() and not value.startswith(("http://", "https://")):
        raise ValidationError("not an address such as http://elasticsearch:9200")


def _exit(error: Exception) -> NoReturn:
    missing = error.__cause__
    which = f" {missing.strerror}: {missing.filename}" if isinstance(missing, OSError) else ""
    sys.stderr.write(f"wrong setting: {error}{which}\n")
    raise SystemExit(2)

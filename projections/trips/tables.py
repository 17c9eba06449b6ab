"""Trips in PostgreSQL: the tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Double, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from projections.database import db

_INSTANT = DateTime(timezone=True)

trip = db.Table(
    "trip",
    Column("trip_id", Uuid, primary_key=True),
    Column("source", Text, nullable=False),
    Column("vehicle_id", Uuid, nullable=False),
    Column("vin", Text(collation="C"), nullable=False),
    Column("customer_id", Uuid),
    Column("driver", Text),
    Column("folded_driver", Text, nullable=False),
    Column("started_at", _INSTANT, nullable=False),
    Column("ended_at", _INSTANT),
    Column("known_at", _INSTANT),
    # Only shown, never asked for.
    Column("said", JSON),
    Column("measured", JSON),
    # What its places are in between, and the places: the first rules most trips out.
    Column("south", Double),
    Column("north", Double),
    Column("west", Double),
    Column("east", Double),
    Column("latitudes", ARRAY(Double), nullable=False),
    Column("longitudes", ARRAY(Double), nullable=False),
    # At which position of the log it was written last: by that it is copied.
    Column("position", BigInteger, nullable=False),
    Index("trip_position_idx", "position"),
    Index("trip_vehicle_id_started_at_idx", "vehicle_id", "started_at", "trip_id"),
    Index("trip_customer_id_started_at_idx", "customer_id", "started_at", "trip_id"),
    Index("trip_started_at_idx", "started_at", "trip_id"),
    Index(
        "trip_period_idx",
        text("tstzrange(started_at, ended_at, '[]')"),
        postgresql_using="gist",
    ),
    Index("trip_open_idx", "vehicle_id", postgresql_where=text("ended_at IS NULL")),
    Index(
        "trip_reported_idx",
        "vehicle_id",
        "started_at",
        postgresql_where=text("source = 'reported'"),
    ),
)

followed = db.Table(
    "trip_vehicle",
    Column("vehicle_id", Uuid, primary_key=True),
    Column("vin", Text(collation="C"), nullable=False),
    Column("customer_id", Uuid),
    Column("customer_ids", ARRAY(Uuid), nullable=False),
    Column("belongings", JSON, nullable=False),
    Column("reported_until", _INSTANT),
    Column("heard_until", _INSTANT),
    Column("state", JSON, nullable=False),
    Column("since_checkpoint", Integer, nullable=False),
    # Heartbeats change it, and no index: a third of each page is left free for that (HOT).
    postgresql_with={"fillfactor": "65"},
)
"""What is remembered of each vehicle."""

checkpoint = db.Table(
    "trip_checkpoint",
    Column("vehicle_id", Uuid, primary_key=True),
    Column("at", _INSTANT, primary_key=True),
    Column("state", JSON, nullable=False),
)
"""What was remembered of a vehicle after its heartbeat of that instant."""

rules = db.Table(
    "trip_rules",
    Column("customer_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("rules", JSON),
)
"""The rules of the customers that have some of their own."""

gone = db.Table(
    "trip_gone",
    Column("trip_id", Uuid, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Index("trip_gone_position_idx", "position"),
)
"""The trips that are none any more, since which position; one that came back is in `trip`, too."""

TRIP_TABLES = (trip, followed, checkpoint, rules, gone)

"""Customers and their vehicles in PostgreSQL: the tables."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Index,
    Integer,
    Text,
    Uuid,
    and_,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB

from projections.database import FOR_READERS, db

_INSTANT = DateTime(timezone=True)

customer = db.Table(
    "customer",
    Column("customer_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("folded_name", Text(collation="C"), nullable=False),
    Column("registered_at", _INSTANT, nullable=False),
    Column("disconnect_after_s", Integer),
    Column("trip_rules", JSON),
    Column("changed_position", BigInteger, nullable=False),
    Index("customer_folded_name_idx", "folded_name", "customer_id"),
    Index("customer_changed_position_idx", "changed_position"),
)

vehicle = db.Table(
    "vehicle",
    Column("vehicle_id", Uuid, primary_key=True),
    Column("vin", Text(collation="C"), nullable=False, unique=True),
    Column("version", BigInteger, nullable=False),
    Column("registration_number", Text(collation="C")),
    Column("customer_id", Uuid),
    Column("labels", JSONB),
    Column("search_text", Text, nullable=False),
    Column("registered_at", _INSTANT),
    Column("decommissioned_at", _INSTANT),
    Column("disconnect_after_s", Integer),
    Column("last_heartbeat_at", _INSTANT),
    Column("speed_kmh", Double),
    Column("heading_deg", Double),
    Column("altitude_m", Double),
    Column("accuracy_m", Double),
    Column("odometer_km", Double),
    Column("fuel_level", Double),
    Column("battery_level", Double),
    Column("ignition", Boolean),
    # Only shown, never asked for, so kept as it was said.
    Column("attributes", JSON),
    Column("position_recorded_at", _INSTANT),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("grid_cell", Integer),
    # When what is searched of it changed last: not by heartbeats in the cell where it was.
    Column("changed_position", BigInteger, nullable=False),
    Index("vehicle_changed_position_idx", "changed_position", info=FOR_READERS),
    # So they change no column of an index, and a third of each page is left free: an update
    # touches one page and no index (HOT).
    postgresql_with={"fillfactor": "65"},
)
in_use = and_(vehicle.c.registered_at.is_not(None), vehicle.c.decommissioned_at.is_(None))
"""What is shown: registered, and not decommissioned since."""

Index(
    "vehicle_registration_number_idx",
    vehicle.c.registration_number,
    vehicle.c.vin,
    postgresql_where=in_use,
    info=FOR_READERS,
)
Index("vehicle_customer_id_idx", vehicle.c.customer_id, postgresql_where=in_use, info=FOR_READERS)

limited = customer.c.disconnect_after_s.is_not(None)
"""The few customers that have a limit of their own."""

Index("customer_limited_idx", customer.c.customer_id, postgresql_where=limited)

# Who is at the edge of a shape on the map.
Index("vehicle_grid_cell_idx", vehicle.c.grid_cell, postgresql_where=in_use, info=FOR_READERS)

# Beside the vehicles, not in them: searches walk over those, and they are changed all the time.
connections = db.Table(
    "connections",
    Column("vehicle_id", Uuid, primary_key=True),
    Column("connected_since", _INSTANT),
    Column("connected_until", _INSTANT),
    Column("judged", JSON, nullable=False),
    Column("mended", JSON, nullable=False),
    Column("forgotten", _INSTANT),
)

# Asked for with each page of a whole fleet, the largest first. Beside the customers, for those are
# written whole by what was decided about them.
fleet_size = db.Table(
    "fleet_size",
    Column("customer_id", Uuid, primary_key=True),
    Column("vehicles", BigInteger, nullable=False),
)
Index("fleet_size_vehicles_idx", fleet_size.c.vehicles.desc(), fleet_size.c.customer_id)

TABLES = (customer, vehicle, connections, fleet_size)
"""All that this read model is kept in."""

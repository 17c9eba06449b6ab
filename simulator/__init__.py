"""A seeded fleet of vehicles that speaks HTTP only, as real devices and gateways do."""

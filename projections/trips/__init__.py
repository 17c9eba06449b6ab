"""Trips, derived from heartbeats or told of: where they began and ended, and how far they went."""

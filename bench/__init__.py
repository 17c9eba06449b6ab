"""Measurements: real processes, a real PostgreSQL with `fsync` on, HTTP on loopback."""

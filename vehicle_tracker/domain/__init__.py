"""What happens in the world we track: customers, vehicles and their heartbeats, as events."""

"""Read model: the customers and their vehicles, each with its newest heartbeat."""

"""The shared kernel: the domain, the event log, and what every process needs."""

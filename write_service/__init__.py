"""The write service: takes commands and heartbeats, and answers once they are in the event log."""

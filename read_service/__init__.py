"""The read service: answers what the read models and the event log know, over HTTP."""

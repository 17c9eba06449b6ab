"""Everything on one machine: the thing behind `make run`."""

"""What happens now: the live feed, and the changes it is made of."""

"""What was: availability, timelines, and the fleet as it was at an instant."""

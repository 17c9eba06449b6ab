"""Finding vehicles: what may be asked, and who can answer."""

"""A sweep: its points, the same bytes however it is run, going on, and what it refuses."""

"""Written head CT reports of simulated findings, with what they say about each label."""

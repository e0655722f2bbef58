"""One training engine for all methods."""

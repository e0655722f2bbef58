"""brain-uad."""

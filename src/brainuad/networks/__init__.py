"""Network architectures; they know nothing of methods."""

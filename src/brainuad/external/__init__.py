"""Programs with an environment of their own: finding them, running them, and the files they read and write."""

"""The program `brainuad`: one verb per job of the workflow, and a few for its users."""

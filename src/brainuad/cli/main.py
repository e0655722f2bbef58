"""The program with all its verbs, in the order in which a user meets them."""

from brainuad.cli import data, models, results, setup
from brainuad.cli.app import app

__all__ = ["app", "data", "models", "results", "setup"]

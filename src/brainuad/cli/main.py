"""The program with all its verbs, in the order in which a user meets them."""

from brainuad.cli import data, leaderboard, models, results, setup
from brainuad.cli.app import app

__all__ = ["app", "data", "leaderboard", "models", "results", "setup"]

"""The program with all its verbs, in the order in which a user meets them."""

from brainuad.cli import curation, data, leaderboard, models, results, selection, setup
from brainuad.cli.app import app

__all__ = [
    "app",
    "curation",
    "data",
    "leaderboard",
    "models",
    "results",
    "selection",
    "setup",
]

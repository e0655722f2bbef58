"""The pretrained networks that the chosen studies need, and whether their weights are in place.

A dry run needs no weights, so this is asked when a run starts, and by `brainuad doctor`.
"""

from dataclasses import dataclass
from pathlib import Path

from brainuad.config_errors import ConfigError
from brainuad.errors import InputError
from brainuad.networks.pretrained import find_weights
from brainuad.plan import Plan


@dataclass(frozen=True)
class NeededWeights:
    """One network, the models and methods that use it, its file, or what is wrong with it."""

    network: str
    users: tuple[str, ...]
    path: Path | None
    error: str = ""


def needed_weights(plan: Plan) -> list[NeededWeights]:
    """The networks of all chosen studies, sorted by name."""
    users: dict[str, list[str]] = {}
    for study in plan.studies:
        for network, names in plan.pretrained_networks(study).items():
            users.setdefault(network, []).extend(f"{study}: {name}" for name in names)
    return [
        _look(plan.config.perceptual_weights, network, tuple(users[network])) for network in sorted(users)
    ]


def require_weights(plan: Plan) -> None:
    """A `ConfigError` that lists every network whose weights are missing or damaged."""
    errors = [f"{', '.join(found.users)}: {found.error}" for found in needed_weights(plan) if found.error]
    if errors:
        raise ConfigError(errors)


def _look(folder: Path, network: str, users: tuple[str, ...]) -> NeededWeights:
    try:
        return NeededWeights(network, users, find_weights(folder, network))
    except InputError as error:
        return NeededWeights(network, users, None, str(error))

"""What the chosen studies need beyond Python packages: pretrained weights, and programs that train for us.

A dry run needs none of it, so this is asked when a run starts, and by `brainuad doctor`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from brainuad.config_errors import ConfigError
from brainuad.errors import InputError
from brainuad.external.model import ExternalModel
from brainuad.methods.registry import models
from brainuad.networks.pretrained import find_weights
from brainuad.plan import Plan


@dataclass(frozen=True)
class Requirement:
    """One thing that models and methods need, who they are, and what is wrong with it."""

    text: str
    users: tuple[str, ...]
    error: str = ""


def requirements(plan: Plan) -> list[Requirement]:
    """Everything that the chosen studies need, present or not."""
    return [*_weights(plan), *_programs(plan)]


def require_all(plan: Plan) -> None:
    """A `ConfigError` that lists everything that is missing or damaged."""
    errors = [f"{', '.join(found.users)}: {found.error}" for found in requirements(plan) if found.error]
    if errors:
        raise ConfigError(errors)


def _weights(plan: Plan) -> Iterator[Requirement]:
    users: dict[str, list[str]] = {}
    for study in plan.studies:
        for network, names in plan.pretrained_networks(study).items():
            users.setdefault(network, []).extend(f"{study}: {name}" for name in names)
    for network in sorted(users):
        try:
            path = find_weights(plan.config.perceptual_weights, network)
            yield Requirement(f"weights of {network} in {path}", tuple(users[network]))
        except InputError as error:
            yield Requirement(f"weights of {network}", tuple(users[network]), str(error))


def _programs(plan: Plan) -> Iterator[Requirement]:
    for study, content in plan.studies.items():
        for name in plan.trained_models(study):
            chosen = models()[content.models[name].kind]
            if not issubclass(chosen, ExternalModel):
                continue
            try:
                chosen.check_installed()
                yield Requirement(f"programs of {chosen.kind}", (f"{study}: {name}",))
            except InputError as error:
                yield Requirement(f"programs of {chosen.kind}", (f"{study}: {name}",), str(error))

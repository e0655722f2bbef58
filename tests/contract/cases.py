"""What the contract trains and scores: every model and scoring rule as it is, and what studies choose otherwise.

An entry of a study is a case of its own where its settings make a choice that no other case makes: another of a
closed set (an architecture, a kind of noise, a switch), or zero or null in place of a number. Entries that differ in
other numbers, and in settings of the training engine, run the same code. Entries are found by themselves.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from brainuad.config_errors import read_yaml
from brainuad.external.model import ExternalModel
from brainuad.methods.base import AnyDimensionSettings
from brainuad.methods.registry import models, scoring_rules
from brainuad.study import MethodEntry, ModelEntry, Study, at_scale, resolved
from brainuad.sweeps import expand_sweeps

STUDIES = Path(__file__).parents[2] / "workflow" / "studies"
IN_3D = "-3d"
# Where the choice is made, such as ("model", "dae", 2, "noise.kind"), and what is chosen.
Choice = tuple[tuple[Any, ...], Any]


class Scoring(NamedTuple):
    """A scoring rule with its settings, and the case of the model that it scores with; empty if it needs none."""

    entry: MethodEntry
    model: str


def read_studies() -> dict[str, Study]:
    """Every study at the quick scale, with the models and methods of its sweeps."""
    contents = {path.stem: at_scale(read_yaml(path), "quick") for path in sorted(STUDIES.glob("*.yaml"))}
    return {name: Study.model_validate(expand_sweeps(some, "quick")) for name, some in contents.items()}


def is_external(entry: ModelEntry) -> bool:
    """Whether a program of its own trains the model, whose choices are that program's."""
    return issubclass(models()[entry.kind], ExternalModel)


def dimension(entry: ModelEntry) -> int:
    """2 for a model of slices, 3 for one of volumes."""
    return int(entry.settings.get("dimension", 2))


def model_cases(studies: Mapping[str, Study]) -> dict[str, ModelEntry]:
    """Models to train by name: kinds, kinds with -3d, then the entries of studies that choose otherwise."""
    cases = {kind: ModelEntry(kind=kind) for kind in models()}
    for kind, chosen in models().items():
        if issubclass(chosen.settings_class, AnyDimensionSettings):
            cases[kind + IN_3D] = ModelEntry(kind=kind, settings={"dimension": 3})
    entries = {
        f"{study}-{name}": entry
        for study, content in studies.items()
        for name, entry in content.models.items()
        if not is_external(entry)
    }
    made = frozenset().union(*map(model_choices, cases.values()))
    offers = {name: model_choices(entry) for name, entry in entries.items()}
    return cases | {name: entries[name] for name in needed(offers, made, most_first=True)}


def scoring_cases(studies: Mapping[str, Study], trained: Mapping[str, ModelEntry]) -> dict[str, Scoring]:
    """What to score by name: every rule with every kind of model that it can use, then what studies do otherwise.

    That is a choice of the rule's settings, or a model that is not its kind's own. `trained` is `model_cases`.
    """
    cases = {}
    for rule, chosen in scoring_rules().items():
        for name in filter(is_kind, trained) if chosen.needs else [""]:
            if not name or can_score(rule, trained[name]):
                cases[f"{rule}-{name}" if name else rule] = Scoring(MethodEntry(label=rule, rule=rule), name)
    alike = {model_choices(entry): name for name, entry in reversed([*trained.items()])}
    entries = {
        f"{study}-{name}": Scoring(entry, case_of(content.models[entry.model], alike))
        for study, content in studies.items()
        for name, entry in content.methods.items()
        # A rule without a model is arithmetic alone, which its unit tests cover.
        if entry.model and not is_external(content.models[entry.model])
    }
    made = frozenset().union(*map(scoring_choices, cases.values()))
    offers = {name: scoring_choices(entry) for name, entry in entries.items()}
    return cases | {name: entries[name] for name in needed(offers, made, most_first=False)}


def is_kind(name: str) -> bool:
    """Whether a case is a kind of model as it is, not an entry of a study."""
    return name.removesuffix(IN_3D) in models()


def can_score(rule: str, entry: ModelEntry) -> bool:
    """Whether the rule can use a model of this kind."""
    chosen = scoring_rules()[rule]
    return hasattr(models()[entry.kind], chosen.needs) and dimension(entry) in chosen.dimensions


def case_of(entry: ModelEntry, alike: Mapping[frozenset[Choice], str]) -> str:
    """The case that makes the same choices as an entry, or the one of its kind as it is."""
    return alike.get(model_choices(entry), entry.kind + (IN_3D if dimension(entry) == 3 else ""))


def needed(
    offers: Mapping[str, frozenset[Choice]], made: frozenset[Choice], *, most_first: bool
) -> list[str]:
    """Names that together make every choice of `offers` that is not in `made`, each at least one of its own.

    They are taken in their order, or with `most_first` those with most new choices first, which are fewer.
    """
    names: list[str] = []
    while missing := {name: offer - made for name, offer in offers.items() if offer - made}:
        names.append(max(missing, key=lambda name: len(missing[name])) if most_first else next(iter(missing)))
        made |= missing[names[-1]]
    return names


def model_choices(entry: ModelEntry) -> frozenset[Choice]:
    """The choices of a model at the quick scale."""
    chosen = models()[entry.kind]
    settings = resolved(chosen.settings_class, entry, chosen.quick, "quick")
    settings.pop("training", None)  # of the engine, which has tests of its own
    return choices(settings, ("model", entry.kind, dimension(entry)))


def scoring_choices(case: Scoring) -> frozenset[Choice]:
    """The choices of a rule at the quick scale, of which the model it scores with is one."""
    chosen = scoring_rules()[case.entry.rule]
    settings = resolved(chosen.settings_class, case.entry, chosen.quick, "quick")
    return choices(settings, ("rule", case.entry.rule)) | {(("scored", case.entry.rule), case.model)}


def choices(settings: Mapping[str, Any], where: tuple[Any, ...]) -> frozenset[Choice]:
    """The value of every closed set in nested settings, and of every number or list whether it is zero or empty."""
    found: set[Choice] = set()
    for key, value in settings.items():
        if isinstance(value, Mapping):
            found |= choices(value, (*where, key))
        else:
            closed = value is None or isinstance(value, str | bool)
            found.add(((*where, key), value if closed else bool(value)))
    return frozenset(found)

"""Data sets that a study has for the leaderboard alone: who has no scans of them runs the study without them.

The studies of the papers name data sets on which their methods meet those of other studies. A study with real scans
does not score simulated ones beside them unless its own protocol asks for that.
"""

from collections.abc import Collection
from dataclasses import replace

from brainuad.datasets.registry import BUILT_IN
from brainuad.plan import Plan
from brainuad.study import Study


def without_absent(plan: Plan, where: str) -> tuple[Plan, list[str]]:
    """The plan without the leaderboard's data sets that have no scans, and a line on each study that had some."""
    absent = {name: _absent(plan, study) for name, study in plan.studies.items()}
    studies = {name: _without(study, absent[name]) for name, study in plan.studies.items()}
    hint = f"{where} gives no path, and nothing else in the study needs them."
    said = [
        f"{name}: left out of the leaderboard: {', '.join(gone)}. {hint}"
        for name, gone in absent.items()
        if gone
    ]
    return replace(plan, studies=studies), said


def own_datasets(study: Study) -> set[str]:
    """The data sets that the protocol of a study names: to train, to test, for thresholds or for planting."""
    named = {*study.test_datasets, *study.training_data.datasets}
    named |= {study.healthy_dataset} if study.healthy_dataset else set()
    for model in study.models.values():
        named |= set(model.training_data.datasets) if model.training_data else set()
    return named | {planted.of for planted in study.synthetic.values()}


def _absent(plan: Plan, study: Study) -> list[str]:
    """The data sets for the leaderboard alone that have no scans, or simulated ones beside real ones."""
    own = own_datasets(study) | (study.splits.keys() - set(study.leaderboard_datasets))
    for recipe in filter(plan.recipes.__contains__, {study.recipe, *study.recipes.values()}):
        own |= set(plan.histogram_references(recipe))
    beside_real = any(_is_real(plan, name) for name in own | study.splits.keys())
    alone = [name for name in study.leaderboard_datasets if name not in own]
    return [
        name
        for name in alone
        if (beside_real and not _is_real(plan, name) if name in plan.known_datasets else name in BUILT_IN)
    ]


def _is_real(plan: Plan, name: str) -> bool:
    """Whether a data set has a path; one that is not in the configuration has none."""
    location = plan.config.datasets.get(plan.scans_of(name))
    return location is not None and not location.is_phantom


def _without(study: Study, names: Collection[str]) -> Study:
    if not names:
        return study
    kept = tuple(name for name in study.leaderboard_datasets if name not in names)
    change = {
        part: {name: value for name, value in getattr(study, part).items() if name not in names}
        for part in ("splits", "recipes")
    }
    return study.model_copy(update={**change, "leaderboard_datasets": kept})

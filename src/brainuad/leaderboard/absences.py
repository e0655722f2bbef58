"""Why a study has no maps of a test set on which other studies are compared, from the plan of the workflow."""

from collections.abc import Iterable

from brainuad.leaderboard.inputs import Entrant, NotScored
from brainuad.plan import Plan

NOT_NAMED = "the study names it neither in test_datasets nor in leaderboard_datasets"
SIMULATED = "its scans are simulated and those of the study are real"
NO_METHOD = "no method of the study is tested on it"
NO_TEST_SUBJECT = "the study has it for training or validation alone"


def absences(plan: Plan, entrants: Iterable[Entrant]) -> tuple[NotScored, ...]:
    """One reason for each chosen study and test set that do not meet.

    Synthetic test sets belong to one study each and are left out.
    """
    members: dict[str, set[str]] = {}
    for entrant in entrants:
        if entrant.contest == entrant.dataset:
            members.setdefault(entrant.dataset, set()).add(entrant.study)
    return tuple(
        NotScored(dataset, study, why_not_scored(plan, study, dataset))
        for dataset, studies in members.items()
        for study in plan.studies
        if study not in studies
    )


def why_not_scored(plan: Plan, study: str, dataset: str) -> str:
    """Why a study cannot score a data set, or that it does not although it could."""
    content = plan.studies[study]
    needed = plan.recipes[content.recipe_of(dataset)].modalities
    missing = [name.upper() for name in needed if name not in plan.dataset(dataset).modalities]
    if missing:
        return f"the data set has no {', '.join(missing)}"
    if dataset in content.splits and "test" not in content.splits[dataset].roles:
        return NO_TEST_SUBJECT
    views = list(dict.fromkeys(_view(plan, name) for name in content.splits))
    if (shown := _view(plan, dataset)) not in views:
        return f"another field of view: {shown}; the study takes {' or '.join(views)}"
    if plan.is_phantom(dataset) and not all(map(plan.is_phantom, content.splits)):
        return SIMULATED  # a plan leaves such a data set out, named or not
    return NO_METHOD if dataset in {*content.test_datasets, *content.leaderboard_datasets} else NOT_NAMED


def _view(plan: Plan, dataset: str) -> str:
    """What the derivatives of a data set show, and in which space."""
    settings = plan.preprocessing(dataset)
    space = "their own space" if settings.atlas == "none" else settings.space
    return f"{'whole heads' if settings.keep_skull else 'brains without the skull'} in {space}"

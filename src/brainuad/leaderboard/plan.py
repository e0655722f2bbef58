"""From the plan of the workflow to the entrants of the leaderboard."""

from collections.abc import Iterator

from brainuad.leaderboard.absences import absences
from brainuad.leaderboard.inputs import Entrant, RankingInputs
from brainuad.leaderboard.sources import mapped_datasets, threshold_sources
from brainuad.methods.registry import models
from brainuad.plan import Plan


def ranked_methods(plan: Plan, study: str) -> list[str]:
    """The methods whose maps are compared: each map once, however it is post-processed in the study."""
    methods = plan.studies[study].methods
    return list(dict.fromkeys(methods[name].maps_of or name for name in plan.compared_methods(study)))


def contests(plan: Plan, study: str) -> dict[str, str]:
    """The test sets of a study, each with the name of its contest.

    A synthetic test set is the study's own, since no other study has the same anomalies.
    """
    content = plan.studies[study]
    synthetic = {name: f"{study}-{name}" for name in content.synthetic}
    names = (*content.test_datasets, *content.leaderboard_datasets, *synthetic)
    return {name: synthetic.get(name, name) for name in names}


def ranking_inputs(plan: Plan) -> RankingInputs:
    """All methods of all chosen studies on all test sets that they are scored on, and why not on the others."""
    entrants = tuple(entrant for study in plan.studies for entrant in _entrants(plan, study))
    titles = {name: study.title for name, study in plan.studies.items()}
    return RankingInputs(entrants, titles, absences(plan, entrants))


def _entrants(plan: Plan, study: str) -> Iterator[Entrant]:
    content = plan.studies[study]
    for dataset, contest in contests(plan, study).items():
        base = content.synthetic[dataset].of if dataset in content.synthetic else dataset
        scans = plan.scans_of(base)
        same = tuple(name for name in content.splits if name != dataset and plan.scans_of(name) == scans)
        for name in ranked_methods(plan, study):
            if dataset not in {*mapped_datasets(plan, study, name), *content.leaderboard_datasets}:
                continue
            method = content.methods[name]
            model = method.model or ""
            kind = models()[content.models[model].kind] if model else None
            yield Entrant(
                study=study,
                method=name,
                label=method.label,
                contest=contest,
                dataset=dataset,
                arrays=plan.arrays(study, dataset),
                runs=content.runs.count,
                model=model,
                training=tuple(plan.training_data(study, model)[0]) if model else (),
                supervised=kind is not None and kind.learns_from_lesions,
                healthy=threshold_sources(plan, study, name, dataset).strata(dataset),
                same_scans=same,
            )

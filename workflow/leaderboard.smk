# Who competes in the leaderboard, and under which settings.

from brainuad.leaderboard.plan import ranking_inputs
from brainuad.leaderboard.sources import threshold_sources

RANKING = ranking_inputs(PLAN)


def common_protocol():
    """The settings under which the maps of all methods are scored and ranked."""
    return CONFIG.leaderboard.model_dump(mode="json")


def threshold_lenders(wildcards):
    """The data sets that lend a test set the scans on which thresholds are chosen."""
    return threshold_sources(PLAN, wildcards.study, wildcards.method, wildcards.dataset)


def maps_on(wildcards, datasets):
    """The manifests of the maps of the same method and run on other data sets."""
    folder = (
        f"results/{wildcards.study}/maps/{scored_method(wildcards)}/run-{wildcards.run}"
    )
    return [f"{folder}/{name}.tsv" for name in datasets]


def lent_patient_maps(wildcards):
    return maps_on(wildcards, threshold_lenders(wildcards).patients)


def lent_patient_arrays(wildcards):
    return [
        arrays_index(wildcards.study, name)
        for name in threshold_lenders(wildcards).patients
    ]


def lent_healthy_maps(wildcards):
    return maps_on(wildcards, threshold_lenders(wildcards).healthy)


def lent_healthy_arrays(wildcards):
    return [
        arrays_index(wildcards.study, name)
        for name in threshold_lenders(wildcards).healthy
    ]


def rescoring_settings(wildcards):
    return settings(
        "rescore",
        leaderboard=common_protocol(),
        study=wildcards.study,
        method=wildcards.method,
        run=int(wildcards.run),
        dataset=wildcards.dataset,
        sources=described(threshold_lenders(wildcards)),
    )


def common_scores(wildcards):
    """The scores of every method, run and test set under the common protocol."""
    return [
        str(entrant.scores(run))
        for entrant in RANKING.entrants
        for run in range(entrant.runs)
    ]


def ranking_settings(wildcards):
    return settings(
        "rank",
        inputs=described(RANKING),
        leaderboard=common_protocol(),
        seed=CONFIG.seed,
    )

# Who competes in the leaderboard, and under which settings.

from brainuad.leaderboard.plan import ranking_inputs

RANKING = ranking_inputs(PLAN)


def common_protocol():
    """The settings under which the maps of all methods are scored and ranked."""
    return CONFIG.leaderboard.model_dump(mode="json")


def rescoring_settings(wildcards):
    return settings(
        "rescore",
        leaderboard=common_protocol(),
        study=wildcards.study,
        method=wildcards.method,
        run=int(wildcards.run),
        dataset=wildcards.dataset,
        healthy=healthy_dataset(wildcards),
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

"""Verbs of the rules in `workflow/rules/leaderboard.smk`: all methods under one protocol, and their ranking."""

from pathlib import Path

from brainuad.cli.app import File, Settings, job_of, validated, verb
from brainuad.storage import write_table


@verb
def rescore(
    settings: Settings,
    split: File,
    maps: File,
    arrays: File,
    scores: File,
    healthy_maps: str = "",
    healthy_arrays: str = "",
) -> None:
    """Score the maps of one method, run and data set under the protocol of the leaderboard."""
    from brainuad.leaderboard import rescore as rescoring
    from brainuad.leaderboard.settings import LeaderboardSettings
    from brainuad.preprocessing.split_file import read_split

    job = job_of(settings)
    chosen = validated(LeaderboardSettings, job["leaderboard"], "leaderboard")
    healthy = rescoring.open_maps(Path(healthy_maps), Path(healthy_arrays)) if healthy_maps else None
    labels = {key: job[key] for key in ("study", "method", "run")}
    found = rescoring.rescore(rescoring.open_maps(maps, arrays), read_split(split), healthy, chosen, labels)
    write_table(found, scores)


@verb
def rank(settings: Settings, output: File) -> None:
    """Rank the methods of all studies; OUTPUT is the table ranking.tsv, the others lie beside it."""
    from brainuad.leaderboard.inputs import RankingInputs
    from brainuad.leaderboard.rank import rank_methods
    from brainuad.leaderboard.settings import LeaderboardSettings

    job = job_of(settings)
    inputs = validated(RankingInputs, job["inputs"], "inputs")
    chosen = validated(LeaderboardSettings, job["leaderboard"], "leaderboard")
    rank_methods(inputs, chosen, job["seed"]).write(output.parent)

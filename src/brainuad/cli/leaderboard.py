"""Verbs of the rules in `workflow/rules/leaderboard.smk`: all methods under one protocol, and their ranking."""

from typing import Annotated

import typer

from brainuad.cli.app import File, Settings, job_of, validated, verb
from brainuad.storage import write_table

Files = Annotated[str, typer.Option(help="Files with spaces between; none by default.")]


@verb
def rescore(
    settings: Settings,
    split: File,
    maps: File,
    arrays: File,
    scores: File,
    patient_maps: Files = "",
    patient_arrays: Files = "",
    healthy_maps: Files = "",
    healthy_arrays: Files = "",
) -> None:
    """Score the maps of one method, run and data set under the protocol of the leaderboard.

    PATIENT and HEALTHY maps are those of other data sets, on which thresholds are chosen too.
    """
    from brainuad.leaderboard import rescore as rescoring
    from brainuad.leaderboard.inputs import Sources
    from brainuad.leaderboard.settings import LeaderboardSettings
    from brainuad.preprocessing.split_file import read_split

    job = job_of(settings)
    chosen = validated(LeaderboardSettings, job["leaderboard"], "leaderboard")
    sources = validated(Sources, job["sources"], "sources")
    lenders = rescoring.Lenders(
        patients=rescoring.open_all(patient_maps.split(), patient_arrays.split()),
        healthy=rescoring.open_all(healthy_maps.split(), healthy_arrays.split()),
        slices=sources.slices,
        named=sources.named,
    )
    labels = {key: job[key] for key in ("study", "method", "run")}
    found = rescoring.rescore(rescoring.open_maps(maps, arrays), read_split(split), lenders, chosen, labels)
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

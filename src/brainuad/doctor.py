"""`brainuad doctor`: what is present, what is missing, and what the chosen studies will need."""

import importlib.metadata
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from brainuad.curation.plan import curated_datasets, curation_of, review_table, selection_table
from brainuad.curation.tables_check import faults_of_tables
from brainuad.errors import InputError
from brainuad.plan import Plan
from brainuad.plan_requirements import Place, requirements

State = Literal["ok", "missing", "note"]
PACKAGES = ("torch", "snakemake", "SimpleITK", "monai", "lightning-fabric", "spacy", "mlxtend")


@dataclass(frozen=True)
class Finding:
    """One line of the report; `missing` is something that the configuration needs and has not."""

    section: str
    state: State
    text: str


def examine(plan: Plan) -> list[Finding]:
    """Everything worth knowing before the first job."""
    return [*_machine(), *_software(plan), *_datasets(plan), *_curation(plan), *_needs(plan)]


def _machine() -> Iterator[Finding]:
    import torch

    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield Finding("machine", "ok", f"{os.cpu_count()} processors, {memory_gib:.0f} GiB of memory")
    free_gib = shutil.disk_usage(Path.cwd()).free / 2**30
    yield Finding("machine", "ok", f"{free_gib:.0f} GiB free on the disk of {Path.cwd().name}/")
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            yield Finding("machine", "ok", f"GPU {number}: {torch.cuda.get_device_name(number)}")
    else:
        yield Finding("machine", "note", "no GPU: fine for scale quick; scale paper needs one")
    found = shutil.which("sbatch") is not None
    text = (
        "sbatch found: `snakemake --profile slurm all` can be used" if found else "no sbatch: no SLURM here"
    )
    yield Finding("machine", "ok" if found else "note", text)


def _software(plan: Plan) -> Iterator[Finding]:
    for name in PACKAGES:
        yield Finding("software", "ok", f"{name} {importlib.metadata.version(name)}")
    # The login node of a cluster may lack the GPU that its compute nodes have.
    place = Place(this_machine=shutil.which("sbatch") is None)
    for needed in requirements(plan, place):
        if needed.error:
            yield Finding("software", "missing", needed.line)
        else:
            yield Finding("software", "ok", needed.text)
    if plan.config.device == "cuda" and not place.this_machine:
        yield Finding(
            "software", "note", "device: cuda: the compute nodes must have a GPU; here none is looked for"
        )


def _datasets(plan: Plan) -> Iterator[Finding]:
    for name in plan.used_datasets():
        count = len(plan.subjects(name))
        if plan.is_phantom(name):
            yield Finding("data sets", "ok", f"{name}: phantom, {count} simulated subjects")
            continue
        state: State = "ok" if count else "missing"
        yield Finding("data sets", state, f"{name}: {count} subjects in {plan.root(name)}")
        yield from _unusable_scans(plan, name)
        yield from _published_count(plan, name, count)


def _unusable_scans(plan: Plan, name: str) -> Iterator[Finding]:
    """Rows of an export with reports that name no image, or one that is not there."""
    if not plan.dataset(name).reports:
        return
    reasons = [row.reason for row in plan.dataset(name).rows(plan.root(name))]
    counts = Counter(filter(None, reasons))
    if counts:
        told = "; ".join(f"{number}: {reason}" for reason, number in counts.most_common())
        state: State = "note" if "" in reasons else "missing"
        text = f"{name}: {counts.total()} of {len(reasons)} scans cannot be used as they are ({told})"
        yield Finding("data sets", state, text)


def _curation(plan: Plan) -> Iterator[Finding]:
    for name in curated_datasets(plan):
        curation = curation_of(plan, name)
        readers = ", ".join([curation.labeller, *curation.other_labellers])
        review = review_table(plan, name)
        found = f"reviewed in {review}" if review else "not reviewed yet"
        yield Finding("curation", "ok", f"{name}: labels by {readers}; {found}")
        yield from _joined_tables(plan, name)
    for name in plan.used_datasets():
        if plan.dataset(name).reports and selection_table(plan, name) is None:
            text = f"{name}: neither reports nor a selection in {plan.root(name)}, so nobody is known to be healthy"
            yield Finding("curation", "missing", text)


def _joined_tables(plan: Plan, name: str) -> Iterator[Finding]:
    """Whether scans, reports and the review of an export belong together."""
    if plan.is_phantom(name):
        return
    try:
        remark = faults_of_tables(plan, name)
    except InputError as error:
        yield Finding("curation", "missing", f"{name}: {error}")
    else:
        if remark:
            yield Finding("curation", "note", f"{name}: {remark}")


def _published_count(plan: Plan, name: str, count: int) -> Iterator[Finding]:
    for study, content in plan.studies.items():
        split = content.splits.get(name)
        if split is None or split.unit == "share":
            continue
        wanted = int(split.train + split.validation + split.test)
        if count < wanted:
            text = f"{name}: {study} was published with {wanted} subjects; the counts are used as proportions"
            yield Finding("data sets", "note", text)


def _needs(plan: Plan) -> Iterator[Finding]:
    for name, study in plan.studies.items():
        trained = plan.trained_models(name)
        runs = len(plan.runs(name))
        maps = [method for method, entry in study.methods.items() if entry.maps_of is None]
        datasets = plan.scored_datasets(name)
        yield Finding(
            "cost",
            "ok",
            f"{name} at scale {plan.config.scale}: {len(trained)} models × {runs} runs to train, "
            f"{len(maps)} methods × {runs} runs × {len(datasets)} data sets to score",
        )
        for model in trained:
            yield Finding(
                "cost", "ok", f"{name}, {model}: {_training_length(plan.model_settings(name, model))}"
            )


def _training_length(settings: dict[str, Any]) -> str:
    """How long a model trains; a program of its own counts in epochs."""
    training = settings.get("training")
    if training is None:
        return f"{settings['epochs']:,} epochs of {settings['iterations_per_epoch']:,} iterations"
    return f"{training['iterations']:,} iterations of batch {training['batch_size']}"

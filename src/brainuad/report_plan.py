"""Describes studies to the reporting stage: which files exist for which method, data set, table and figure."""

import hashlib
import importlib.metadata
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from brainuad.curation.plan import curation_of, curation_result, is_compared, used_curated
from brainuad.leaderboard.inputs import LEADERBOARD
from brainuad.leaderboard.plan import contests
from brainuad.plan import Plan
from brainuad.reporting.inputs import (
    CurationEntry,
    DatasetEntry,
    MethodEntry,
    Provenance,
    ReportInputs,
    StudyEntry,
)
from brainuad.reporting.needed_scores import needed_by_figure

VERSIONS_SHOWN = ("brain-uad", "torch", "snakemake", "numpy", "SimpleITK", "scikit-learn", "mlxtend")
TIMED_STEPS = ("simulate", "preprocess", "train", "calibrate", "infer")


def study_entry(plan: Plan, name: str) -> StudyEntry:
    """The description of one study."""
    study, compared = plan.studies[name], plan.compared_methods(name)
    methods = tuple(
        MethodEntry(
            name=key,
            label=method.label,
            model=method.model,
            maps=method.maps_of or key,
            steps=plan.post_processing(name, key),
            remark=plan.remark(name, key),
            compared=key in compared,
            datasets=method.datasets or (),
        )
        for key, method in study.methods.items()
    )
    datasets = tuple(dataset_entry(plan, name, key) for key in plan.scored_datasets(name))
    return StudyEntry(
        name=name,
        title=study.title,
        reference=study.reference,
        folder=Path("results") / name,
        methods=methods,
        datasets=datasets,
        runs=study.runs.count,
        tables=study.tables,
        figures=study.figures,
        evaluation=study.evaluation,
    )


def figure_entry(plan: Plan, name: str, figure: str) -> StudyEntry:
    """The description of one study for one of its figures: the methods that the figure shows, and no other.

    So nothing but they decides which scans it shows, and a change of another method does not draw it again.
    """
    entry, chosen = study_entry(plan, name), plan.studies[name].figures[figure]
    shown = needed_by_figure(chosen).methods
    models = {logged.model for logged in getattr(chosen, "models", ())}
    methods = tuple(
        replace(method, compared=True)
        for method in entry.methods
        if method.name in shown or method.model in models
    )
    return replace(entry, methods=methods, tables={}, figures={})


def dataset_entry(plan: Plan, study: str, name: str) -> DatasetEntry:
    """The description of one data set as a study packs it, or of a synthetic test set of the study."""
    derivatives = Path("results/derivatives") / name
    synthetic = name in plan.studies[study].synthetic
    return DatasetEntry(
        name=name,
        arrays=plan.arrays(study, name),
        phantom=plan.is_phantom(name, study),
        quality=None if synthetic else derivatives / "quality.tsv",
        mosaic=None if synthetic else derivatives / "mosaic.png",
    )


def curation_entry(plan: Plan, name: str) -> CurationEntry:
    """The description of a data set whose cohort is chosen by reports."""
    return CurationEntry(
        name=name,
        phantom=plan.is_phantom(name),
        labeller=curation_of(plan, name).labeller,
        flow=curation_result(name, "flow.tsv"),
        remarks=curation_result(name, "remarks.tsv"),
        agreement=curation_result(name, "agreement.tsv") if is_compared(plan, name) else None,
    )


def report_inputs(plan: Plan) -> ReportInputs:
    """The description of everything that the HTML report shows."""
    first = {
        dataset: dataset_entry(plan, key, dataset)
        for key, study in reversed(plan.studies.items())
        for dataset in study.splits
    }
    return ReportInputs(
        studies=tuple(study_entry(plan, name) for name in plan.studies),
        provenance=Provenance(
            versions={name: importlib.metadata.version(name) for name in VERSIONS_SHOWN},
            config_hash=_hash(plan.config.model_dump(mode="json")),
            scale=plan.config.scale,
        ),
        quality=tuple(first[name] for name in plan.used_datasets()),
        curation=tuple(curation_entry(plan, name) for name in used_curated(plan)),
        benchmarks={step: Path("results/benchmarks") / step for step in TIMED_STEPS},
        leaderboard=LEADERBOARD,
        phantom_contests=phantom_contests(plan),
    )


def phantom_contests(plan: Plan) -> tuple[str, ...]:
    """The contests of the leaderboard on simulated scans."""
    return tuple(
        dict.fromkeys(
            contest
            for study in plan.studies
            for dataset, contest in contests(plan, study).items()
            if plan.is_phantom(dataset, study)
        )
    )


def _hash(content: Any) -> str:
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=6).hexdigest()

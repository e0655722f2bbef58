"""Describes studies to the reporting stage: which files exist for which method, data set, table and figure."""

import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

from brainuad.plan import Plan
from brainuad.reporting.inputs import DatasetEntry, MethodEntry, Provenance, ReportInputs, StudyEntry

VERSIONS_SHOWN = ("brain-uad", "torch", "snakemake", "numpy", "SimpleITK", "scikit-learn", "mlxtend")
TIMED_STEPS = ("simulate", "preprocess", "train", "calibrate", "infer")


def study_entry(plan: Plan, name: str) -> StudyEntry:
    """The description of one study."""
    study = plan.studies[name]
    methods = tuple(
        MethodEntry(
            name=key,
            label=method.label,
            model=method.model,
            maps=method.maps_of or key,
            steps=plan.post_processing(name, key),
            remark=plan.remark(name, key),
        )
        for key, method in study.methods.items()
    )
    datasets = tuple(dataset_entry(plan, key, study.recipe) for key in plan.scored_datasets(name))
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
    )


def dataset_entry(plan: Plan, name: str, recipe: str) -> DatasetEntry:
    """The description of one data set under a recipe."""
    derivatives = Path("results/derivatives") / name
    return DatasetEntry(
        name=name,
        arrays=Path("results/arrays") / name / recipe,
        phantom=plan.config.datasets[name].is_phantom,
        quality=derivatives / "quality.tsv",
        mosaic=derivatives / "mosaic.png",
    )


def report_inputs(plan: Plan) -> ReportInputs:
    """The description of everything that the HTML report shows."""
    first = {
        dataset: dataset_entry(plan, dataset, study.recipe)
        for study in reversed(plan.studies.values())
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
        benchmarks={step: Path("results/benchmarks") / step for step in TIMED_STEPS},
    )


def _hash(content: Any) -> str:
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=6).hexdigest()

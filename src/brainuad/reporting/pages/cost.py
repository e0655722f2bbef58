"""What methods cost: training, memory, and seconds per volume; and what each step of the pipeline took."""

from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pandas as pd

from brainuad.reporting.colours import colour_of
from brainuad.reporting.figures.comparison import seconds_per_volume
from brainuad.reporting.figures.style import Results
from brainuad.reporting.inputs import MethodEntry, StudyEntry
from brainuad.reporting.names import dataset_name
from brainuad.storage import read_table
from brainuad.training.cost import read_cost


def method_costs(results: Results) -> list[dict[str, Any]]:
    """One row per method: what its model took to train (mean over runs), and median seconds per volume."""
    return [_method_cost(method, results) for method in results.study.compared_methods]


def _method_cost(method: MethodEntry, results: Results) -> dict[str, Any]:
    costs = _training_costs(results.study, method.model)
    sharing = [other.label for other in results.study.methods if other.model == method.model]
    seconds = {}
    for dataset in results.study.datasets:
        times = seconds_per_volume(results, method.name, dataset.name)
        seconds[dataset_name(dataset.name)] = float(np.median(times)) if len(times) else None
    return {
        "label": method.label,
        "colour": colour_of(method.name),
        "model": method.model or "no training",
        "shared": len(sharing) > 1 and method.model is not None,
        "runs": len(costs),
        "parameters": _first(costs, "parameters"),
        "iterations": _first(costs, "iterations"),
        "hours": mean(cost["training_hours"] for cost in costs) if costs else None,
        "memory_gb": max(cost["peak_memory_mb"] for cost in costs) / 1024 if costs else None,
        "device": _first(costs, "device") or "",
        "seconds": seconds,
    }


def _training_costs(study: StudyEntry, model: str | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    paths = [study.cost(model, run) for run in range(study.runs)]
    return [read_cost(path) for path in paths if path.exists()]


def _first(costs: list[dict[str, Any]], key: str) -> Any:
    return costs[0].get(key) if costs else None


def step_costs(benchmarks: Mapping[str, Path]) -> list[dict[str, Any]]:
    """One row per step with a Snakemake benchmark: jobs, total and longest seconds, highest memory in GB."""
    rows = []
    for step, folder in benchmarks.items():
        tables = [read_table(path) for path in sorted(folder.rglob("*.tsv"))]
        if not tables:
            continue
        table = pd.concat(tables, ignore_index=True)
        seconds = pd.to_numeric(table["s"], errors="coerce")
        memory = pd.to_numeric(table["max_rss"], errors="coerce")  # MB
        rows.append(
            {
                "step": step,
                "jobs": len(table),
                "seconds": float(seconds.sum()),
                "longest": float(seconds.max()),
                "memory_gb": float(memory.max()) / 1024 if memory.notna().any() else None,
            }
        )
    return rows


def duration_text(seconds: float | None) -> str:
    """A duration in the unit that suits it; `–` for none."""
    if seconds is None:
        return "–"
    for limit, factor, unit in ((1, 1000, "ms"), (120, 1, "s"), (7200, 1 / 60, "min")):
        if seconds < limit:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds / 3600:.3g} h"

"""The verbs of scoring, called on the small arrays of `cohort`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainuad.storage import read_table, write_table
from tests.conftest import SLICES
from tests.verbs import run


def infer(places: dict[str, Path], dataset: str = "patients", **change: Any) -> tuple[Any, ...]:
    job = {"version": 1, "rule": "thresholding", "settings": {"modality": "t2"}, "seed": 0}
    checkpoint = change.pop("checkpoint", "")
    settings = json.dumps(job | {"dataset": dataset} | change)
    output = places.get(f"{dataset} maps", places["split"].with_name("other.tsv"))
    files = ("--split", places["split"], "--arrays", places.get(dataset, places["patients"]))
    files += ("--maps", output.with_suffix(""), "--output", output, "--checkpoint", checkpoint)
    return ("infer", "--settings", settings, "--device", "cpu", *files)


def evaluate(places: dict[str, Path], healthy: bool = False, **settings: Any) -> tuple[Any, ...]:
    job = {"study": "s", "method": "m", "run": 0, "evaluation": settings}
    files = ("--split", places["split"], "--maps", places["patients maps"], "--arrays", places["patients"])
    files += (
        "--scores",
        places["split"].with_name("scores.tsv"),
        "--curve",
        places["split"].with_name("c.tsv"),
    )
    if healthy:
        files += ("--healthy-maps", places["healthy maps"], "--healthy-arrays", places["healthy"])
    return ("evaluate", "--settings", json.dumps(job), *files)


def scores_of(places: dict[str, Path], healthy: bool = False, **settings: Any) -> pd.DataFrame:
    """The rows of the whole test set, by metric and protocol."""
    run(*evaluate(places, healthy, **settings))
    table = read_table(places["split"].with_name("scores.tsv"))
    return table[(table["subject"] == "pooled") & (table["stratum"] == "")].set_index(["metric", "protocol"])


def remove_lesions(places: dict[str, Path], *subjects: str) -> None:
    lesion = places["patients"].with_name("lesion.npy")
    values, table = np.load(lesion), read_table(places["patients"])
    for subject in subjects:
        first = int(table.loc[table["subject"] == subject, "first_slice"].item())
        values[first : first + SLICES] = False
        table.loc[table["subject"] == subject, "lesion_voxels"] = "0"
    np.save(lesion, values)
    write_table(table, places["patients"])

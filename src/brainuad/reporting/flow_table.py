"""The table of a paper that counts images and patients after each step of the selection of a cohort."""

from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from brainuad.reporting.settings import FlowTableSettings
from brainuad.storage import read_table

COUNTS = ("images", "patients")


def read_flow(paths: Sequence[Path]) -> pd.DataFrame | None:
    """Images and patients of a data set by step; None where there are none, for it is not configured."""
    if not paths:
        return None
    return read_table(paths[0], needs=("step", *COUNTS)).set_index("step")[list(COUNTS)].astype(int)


def build_flow_table(
    settings: FlowTableSettings, flow: pd.DataFrame | None, phantoms: Collection[str] = ()
) -> pd.DataFrame:
    """One row per cell, as `build_table` has it: our count, the published one, the difference."""
    rows = []
    for row in settings.rows:
        published = settings.published.get(row.step)
        for place, count in enumerate(COUNTS):
            ours = float("nan") if flow is None else float(flow[count][row.step])
            theirs = float(published[place]) if published else float("nan")
            rows.append(
                {
                    "row": row.label,
                    "column": count.capitalize(),
                    "method": row.step,
                    "dataset": settings.dataset,
                    "metric": count,
                    "ours_mean": ours,
                    "n_runs": 0 if flow is None else 1,
                    "published_mean": theirs,
                    "difference": ours - theirs,
                    "note": "data set not in config.yaml" if flow is None else "",
                }
            )
    return pd.DataFrame(rows).assign(phantom=settings.dataset in phantoms, remark="")

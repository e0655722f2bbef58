"""Images and patients after each step of the selection: the layout of Table 1 of Kascenas 2023.

Where it is known what was simulated, also how many of the scans left are abnormal, and how many normal ones a step
cost.
"""

from collections.abc import Collection

import pandas as pd

from brainuad.curation.labels import NORMAL_FOR_AGE
from brainuad.curation.selection import STEPS

INITIAL = "initial"


def flow_table(
    selection: pd.DataFrame,
    truth: pd.DataFrame | None = None,
    allowed: Collection[str] = NORMAL_FOR_AGE,
) -> pd.DataFrame:
    """One row per step: images and patients that are left, and what the step took away.

    With the `truth` of a phantom also abnormal scans before and after the step, their share of all scans
    (contamination), and normal scans that the step took away. Abnormal is a scan in which anything was simulated
    that is not `allowed`.
    """
    passed = _steps_passed(selection)
    abnormal = selection["scan"].isin(abnormal_scans(truth, allowed)) if truth is not None else None
    rows = []
    before = selection
    for number, step in enumerate((INITIAL, *STEPS)):
        after = selection[passed >= number]
        row = {
            "step": step,
            "images": len(after),
            "patients": after["patient"].nunique(),
            "images_lost": len(before) - len(after),
            "patients_lost": before["patient"].nunique() - after["patient"].nunique(),
        }
        if abnormal is not None:
            row |= _contamination(abnormal, before, after)
        rows.append(row)
        before = after
    return pd.DataFrame(rows)


def abnormal_scans(truth: pd.DataFrame, allowed: Collection[str]) -> set[str]:
    """The scans in which something was simulated, for certain or not, that is not `allowed`."""
    present = truth["certainty"].isin(["positive", "uncertain"])
    return set(truth.loc[present & ~truth["label"].isin(["", *allowed]), "scan"])


def _steps_passed(selection: pd.DataFrame) -> pd.Series:
    """How many steps each scan has passed."""
    return selection["step"].map(STEPS.index).where(selection["kept"] == "no", len(STEPS))


def _contamination(abnormal: pd.Series, before: pd.DataFrame, after: pd.DataFrame) -> dict[str, object]:
    counts = [int(abnormal[scans.index].sum()) for scans in (before, after)]
    shares = [
        count / len(scans) if len(scans) else float("nan")
        for count, scans in zip(counts, (before, after), strict=True)
    ]
    return {
        "abnormal_before": counts[0],
        "abnormal_after": counts[1],
        "contamination_before": round(shares[0], 4),
        "contamination_after": round(shares[1], 4),
        "normals_lost": (len(before) - counts[0]) - (len(after) - counts[1]),
    }

"""How a normal cohort was chosen by radiology reports: counts after each step, and how labellers agree.

Only counts and shares are shown; no report, no scan and no patient.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from brainuad.reporting.inputs import CurationEntry
from brainuad.reporting.names import dataset_name
from brainuad.storage import read_table

READERS = {
    "rules": "rules",
    "learned": "learned labeller",
    "table": "labels from elsewhere",
    "written": "what the reports were written from",
}
MICRO, MACRO = "all (micro)", "all (macro)"


@dataclass(frozen=True)
class Step:
    """One step of the selection: what is left and lost, and for a phantom how many of the scans are abnormal.

    `share` is that of the images at the beginning. The last three are empty where the truth is not known.
    """

    name: str
    images: int
    patients: int
    images_lost: int
    patients_lost: int
    share: float
    contamination_before: str = ""
    contamination_after: str = ""
    normals_lost: str = ""


@dataclass(frozen=True)
class Agreement:
    """How a labeller agrees with a reference: over all labels, the mean over labels, and each label."""

    labeller: str
    reference: str
    unit: str
    reports: int
    micro: Mapping[str, str]
    macro: Mapping[str, str]
    labels: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Cohort:
    """What the page shows of a data set."""

    name: str
    label: str
    phantom: bool
    labeller: str
    steps: tuple[Step, ...]
    remarks: tuple[str, ...]
    agreements: tuple[Agreement, ...]

    @property
    def has_truth(self) -> bool:
        """Whether it is known which scans are abnormal."""
        return any(step.contamination_after for step in self.steps)


def chosen_cohort(entry: CurationEntry) -> Cohort | None:
    """The cohort of a data set, or None where it was not chosen yet."""
    if not entry.flow.exists():
        return None
    flow = read_table(entry.flow).to_dict("records")
    return Cohort(
        name=entry.name,
        label=dataset_name(entry.name),
        phantom=entry.phantom,
        labeller=READERS.get(entry.labeller, entry.labeller),
        steps=tuple(_step(row, int(flow[0]["images"])) for row in flow),
        remarks=tuple(read_table(entry.remarks)["remark"]) if entry.remarks.exists() else (),
        agreements=_agreements(entry),
    )


def _step(row: Mapping[Any, str], initial: int) -> Step:
    known: dict[str, Any] = {}
    if "contamination_after" in row:
        known = {
            "contamination_before": _share_text(row["abnormal_before"], row["contamination_before"]),
            "contamination_after": _share_text(row["abnormal_after"], row["contamination_after"]),
            "normals_lost": row["normals_lost"],
        }
    counts: dict[str, Any] = {
        name: int(row[name]) for name in ("images", "patients", "images_lost", "patients_lost")
    }
    share = counts["images"] / initial if initial else 0.0
    return Step(name=str(row["step"]), share=share, **counts, **known)


def _share_text(count: str, share: str) -> str:
    """A number of scans with its share, such as `12 (3.4 %)`."""
    return f"{count} ({100 * float(share):.1f} %)" if share else count


def _agreements(entry: CurationEntry) -> tuple[Agreement, ...]:
    if entry.agreement is None or not entry.agreement.exists():
        return ()
    table = read_table(entry.agreement)
    groups = table.groupby(["labeller", "reference"], sort=False)
    return tuple(_agreement(str(labeller), str(reference), rows) for (labeller, reference), rows in groups)


def _agreement(labeller: str, reference: str, rows: pd.DataFrame) -> Agreement:
    shown = {row["label"]: {name: _number(value) for name, value in row.items()} for row in _records(rows)}
    mentioned = [
        row for label, row in shown.items() if label not in (MICRO, MACRO) and row["mentioned"] != "0"
    ]
    return Agreement(
        labeller=READERS.get(labeller, labeller),
        reference=READERS.get(reference, reference),
        unit="scans" if reference == "written" else "reports",
        reports=int(rows["reports"].iloc[0]),
        micro=shown[MICRO],
        macro=shown[MACRO],
        labels=tuple(mentioned),
    )


def _records(rows: pd.DataFrame) -> list[dict[str, str]]:
    return [{str(name): str(value) for name, value in row.items()} for row in rows.to_dict("records")]


def _number(value: str) -> str:
    """A share with three decimals; whole numbers and words as they are, a dash where it is not defined."""
    if not value:
        return "–"
    try:
        number = float(value)
    except ValueError:
        return value
    return value if value.isdigit() else f"{number:.3f}" if np.isfinite(number) else "–"

"""Why a cell of a table has no value: what the score tables of a method on a data set say about it."""

import pandas as pd

from brainuad.evaluation.catalogue import (
    ANOMALOUS,
    IN_LESION,
    OF_BOXES,
    OF_HEALTHY,
    POOLED,
    WHOLE_IMAGE,
    Quantity,
)
from brainuad.evaluation.settings import AVERAGE

NOT_EVALUATED = "not evaluated"
NO_LESION, NO_LESION_IN_STRATUM = "no lesion in this data set", "no lesion in this stratum"
NO_HEALTHY_SCAN = "no healthy scan in this data set"
NO_THRESHOLD = "no threshold: neither a validation lesion nor a healthy scan"
# The protocols whose threshold is chosen on other scans.
CHOSEN_BEFORE = ("validation", "validation-bisection", "healthy-fpr", "healthy-fpr-grid")
NO_NORMAL = "no healthy scan to compare with"
NOTHING_MARKED = "nothing is marked"
# Undefined where nothing is predicted, lesions or not.
OF_MARKS = ("precision", "lesion_precision")


def reason_for_none(scores: pd.DataFrame, quantity: Quantity) -> str:
    """Why `scores`, those of one method on one data set, have no row of a quantity."""
    metrics = set(scores["metric"])
    if quantity.protocol in CHOSEN_BEFORE and quantity.protocol not in set(scores["protocol"]):
        return NO_LESION if _without_lesion(scores) else NO_THRESHOLD
    if quantity.metric in (*WHOLE_IMAGE, *IN_LESION):
        return _reason_of_images(metrics, quantity)
    if quantity.metric in OF_HEALTHY:
        return NO_HEALTHY_SCAN
    if quantity.metric == "auroc":
        return _reason_of_groups(scores, quantity.stratum)
    if quantity.metric in OF_BOXES:
        return "no box of this class" if quantity.stratum else "no box in this data set"
    if quantity.metric in metrics and quantity.stratum:
        return NO_LESION_IN_STRATUM
    if _without_lesion(scores):
        return NO_LESION
    return NOTHING_MARKED if quantity.metric in OF_MARKS else NOT_EVALUATED


def reason_for_undefined(scores: pd.DataFrame, quantity: Quantity) -> str:
    """Why a quantity of one method on one data set has a row without a number in every run."""
    if _without_lesion(scores):
        return NO_LESION
    if quantity.metric in OF_MARKS:
        return NOTHING_MARKED
    return NO_LESION_IN_STRATUM if quantity.stratum else "undefined"


def _without_lesion(scores: pd.DataFrame) -> bool:
    counts = scores[
        (scores["metric"] == "subjects_with_lesion")
        & (scores["subject"] == POOLED)
        & (scores["stratum"] == "")
    ]
    return not counts.empty and bool((counts["value"] == 0).all())


def _reason_of_groups(scores: pd.DataFrame, stratum: str) -> str:
    """Why a group of conditions has no AUROC, or all of them together no average."""
    pooled = scores[(scores["subject"] == POOLED) & (scores["stratum"] != "")]
    sizes = (
        pooled[pooled["metric"] == "subjects"].groupby("stratum", sort=False, observed=True)["value"].min()
    )
    missing = [str(group) for group, count in sizes.items() if count == 0]
    if stratum == AVERAGE:
        return f"no average: no scan of group {', '.join(missing)}" if missing else NO_NORMAL
    unknown = stratum and stratum not in sizes.index and (scores["metric"] == "auroc").any()
    return "no scan of this group" if stratum in missing or unknown else NO_NORMAL


def _reason_of_images(metrics: set[str], quantity: Quantity) -> str:
    if quantity.metric not in metrics:
        return "no pseudo-healthy images, or none of such a scan"
    if quantity.stratum == ANOMALOUS:
        return NO_LESION
    return NO_HEALTHY_SCAN

"""How well two readers of reports agree: precision, recall, F1 and Cohen's kappa for each label.

Every report counts for every label; what neither side mentions is agreement that only kappa sees. As in Schrempf
2021, precision, recall and F1 are pooled over the classes positive, negative and uncertain; kappa is over all four.
`abnormal` asks what decides about a normal cohort: whether positive or uncertain was told from the rest.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score, precision_recall_fscore_support

from brainuad.curation.labels import CLASSES, LABELS, WORSE, Decision
from brainuad.errors import InputError
from brainuad.storage import read_table

TEST_COLUMNS = ("report", "text", "label", "certainty")
MEASURES = ("precision", "recall", "f1", "kappa", "abnormal_precision", "abnormal_recall")
AGREEMENT_COLUMNS = ("label", "reports", "mentioned", *MEASURES)
ABSENT, UNCERTAIN = WORSE.index("not mentioned"), WORSE.index("uncertain")
MICRO, MACRO = "all (micro)", "all (macro)"


def read_expected(path: Path) -> pd.DataFrame:
    """The rows of a test file: report, text, label, class (what readers say).

    A label without a row is not mentioned in the report; an empty label says that none is.
    """
    table = read_table(path, needs=TEST_COLUMNS)
    certainties = table["certainty"].where(table["label"] != "", CLASSES[-1])
    for column, values, allowed in (
        ("label", table["label"], ("", *LABELS)),
        ("certainty", certainties, CLASSES),
    ):
        if wrong := [place + 2 for place, value in enumerate(values) if value not in allowed]:
            raise InputError(
                f"{path}: row {wrong[0]} has an unknown {column}, as {len(wrong) - 1} others have. "
                f"Expected one of {', '.join(filter(None, allowed))}."
            )
    return table.rename(columns={"certainty": "class"})[["report", "text", "label", "class"]]


def classes_in(rows: pd.DataFrame, reports: Sequence[str] | Sequence[int]) -> np.ndarray:
    """The class of each label in each report, (report, label) as places in `WORSE`.

    `rows` has the columns report, label and class; of several rows about a label the worst counts. Rows of other
    reports are left out.
    """
    places = pd.Index(reports).get_indexer(pd.Index(rows["report"]))
    labels = pd.Index(LABELS).get_indexer(pd.Index(rows["label"]))
    certainties = pd.Index(WORSE).get_indexer(pd.Index(rows["class"]))
    stated = (places >= 0) & (labels >= 0) & (certainties >= 0)
    classes = np.full((len(reports), len(LABELS)), ABSENT, np.uint8)
    np.maximum.at(classes, (places[stated], labels[stated]), certainties[stated].astype(np.uint8))
    return classes


def classes_of(decisions: Collection[Sequence[Decision]]) -> np.ndarray:
    """The class of each label that a labeller gives to each report, (report, label) as places in `WORSE`."""
    rows = [
        (number, each.label, each.certainty) for number, report in enumerate(decisions) for each in report
    ]
    return classes_in(pd.DataFrame(rows, columns=["report", "label", "class"]), range(len(decisions)))


def agreement(truth: np.ndarray, found: np.ndarray) -> pd.DataFrame:
    """A row for each label, one over all labels and reports, and the mean over labels; NaN where undefined.

    `truth` and `found` are classes (report, label). The mean is over labels that the truth mentions.
    """
    rows = [
        {"label": label, **_measures(truth[:, place], found[:, place])} for place, label in enumerate(LABELS)
    ]
    table = pd.DataFrame(rows, columns=list(AGREEMENT_COLUMNS))
    mentioned = table[table["mentioned"] > 0]
    mean = {column: mentioned[column].astype(float).mean() for column in MEASURES}
    total = [
        {"label": MICRO, **_measures(truth.ravel(), found.ravel())},
        {"label": MACRO, "mentioned": table["mentioned"].sum(), **mean},
    ]
    return pd.concat([table, pd.DataFrame(total).assign(reports=len(truth))], ignore_index=True)


def _measures(truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
    precision, recall, f1 = _scores(truth, found, range(ABSENT + 1, len(WORSE)))
    abnormal = _scores(truth >= UNCERTAIN, found >= UNCERTAIN, [True])
    one_class = len(np.union1d(truth, found)) < 2
    return {
        "reports": len(truth),
        "mentioned": int((truth != ABSENT).sum()),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        # One class on both sides leaves nothing to agree about beyond chance.
        "kappa": float("nan") if one_class else float(cohen_kappa_score(truth, found)),
        "abnormal_precision": abnormal[0],
        "abnormal_recall": abnormal[1],
    }


def _scores(truth: np.ndarray, found: np.ndarray, classes: Sequence[int]) -> tuple[float, float, float]:
    """Precision, recall and F1 pooled over some classes."""
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, found, labels=list(classes), average="micro", zero_division=np.nan
    )
    return float(precision), float(recall), float(f1)

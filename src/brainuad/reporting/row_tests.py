"""Whether the rows of a table differ from its best row, column by column, by the values of single subjects.

The paired permutation test of `brainuad.evaluation.significance` on each subject's mean over runs, corrected over
the rows of a column (Holm 1979). A column that is pooled over voxels is tested by the subjects' own values of its
metric, the only ones that can be permuted.
"""

import numpy as np
import pandas as pd

from brainuad.evaluation.catalogue import Quantity
from brainuad.evaluation.significance import holm, paired_p
from brainuad.randomness import numpy_generator
from brainuad.reporting.settings import TableSettings
from brainuad.reporting.summary import subject_means

ROUNDS = 10_000  # Behrendt 2023, section 3.3
NO_SUBJECTS = "no test: no values of single subjects"
TOO_FEW = "no test: fewer than 2 common subjects"
UNTESTED = {"tested_against": "", "n_tested": 0, "p": np.nan, "p_holm": np.nan, "test_note": ""}


def best_rows(settings: TableSettings, table: pd.DataFrame) -> dict[int, int]:
    """By column, the row with the best value of ours; reference rows and lone values are not ranked."""
    width = len(settings.columns)
    best = {}
    for position, column in enumerate(settings.columns):
        ours = table["ours_mean"].to_numpy(float)[position::width].copy()
        ours[[row.reference for row in settings.rows]] = np.nan
        if np.isfinite(ours).sum() > 1:
            best[position] = int(np.nanargmax(ours) if column.better == "higher" else np.nanargmin(ours))
    return best


def compare_rows(settings: TableSettings, table: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The test of each cell of a built table (rows x columns, row by row) against the best row of its column.

    Columns: tested_against (label of the best row; "" in the best row and where nothing is compared), n_tested
    (common subjects), p, p_holm, test_note (why there is no p).
    """
    width = len(settings.columns)
    best = best_rows(settings, table)
    tests = [
        _compare(table.iloc[cell], table.iloc[best[cell % width] * width + cell % width], scores)
        if cell % width in best and best[cell % width] != cell // width
        else UNTESTED
        for cell in range(len(table))
    ]
    found = pd.DataFrame(tests, index=table.index)
    for position in range(width):
        column = found.index[position::width]
        found.loc[column, "p_holm"] = holm(found.loc[column, "p"].to_numpy(float))
    return found


def _compare(cell: pd.Series, best: pd.Series, scores: pd.DataFrame) -> dict[str, object]:
    """The uncorrected test of one cell against the best one of its column."""
    if not np.isfinite(cell["ours_mean"]):
        return UNTESTED
    values = [_subject_values(scores, found) for found in (cell, best)]
    pair = pd.concat(values, axis=1).dropna()
    test = UNTESTED | {"tested_against": best["row"], "n_tested": len(pair)}
    if len(pair) < 2:
        return test | {"test_note": NO_SUBJECTS if any(found.empty for found in values) else TOO_FEW}
    differences = (pair.iloc[:, 0] - pair.iloc[:, 1]).to_numpy(float)
    purpose = [str(cell[name]) for name in ("dataset", "metric", "protocol", "stratum", "method")]
    return test | {"p": paired_p(differences, ROUNDS, numpy_generator(0, "table", *purpose))}


def _subject_values(scores: pd.DataFrame, cell: pd.Series) -> pd.Series:
    quantity = Quantity(cell["dataset"], cell["metric"], cell["protocol"], stratum=cell["stratum"])
    return subject_means(scores, quantity, cell["method"])

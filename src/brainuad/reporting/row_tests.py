"""Whether the rows of a table differ from its best row, column by column, by the values of single subjects.

The paired permutation test of `brainuad.evaluation.significance` on each subject's mean over runs. The best row is
known only after the comparison, so p is corrected over all pairs of rows of a column (Holm 1979), not over those with
the best one alone. A column that is pooled over voxels is tested by the subjects' own values of its metric, the only
ones that can be permuted; their order may be another one than that of the pooled values.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from brainuad.evaluation.catalogue import POOLED, Quantity
from brainuad.evaluation.significance import holm, paired_p
from brainuad.randomness import numpy_generator
from brainuad.reporting.settings import TableSettings
from brainuad.reporting.summary import subject_means

ROUNDS = 10_000  # Behrendt 2023, section 3.3
NO_SUBJECTS = "no test: no values of single subjects"
NO_STRATA = "no test: values of single subjects are not kept by stratum"
ONE_THRESHOLD = "no test: one best threshold for all subjects, of whom each has another"
TOO_FEW = "no test: fewer than 2 common subjects"
NUMBERS = ["p", "p_holm", "subject_difference"]


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
    (common subjects), p, p_holm, subject_difference (mean over subjects of this row minus the best one), test_note (why
    there is no p).
    """
    found = pd.DataFrame({"tested_against": "", "n_tested": 0, "test_note": ""}, index=table.index)
    found[NUMBERS] = np.nan
    width = len(settings.columns)
    for position, best in best_rows(settings, table).items():
        cells = table.iloc[position::width]
        tests = _against(cells, best, scores)
        found.loc[tests.index, tests.columns] = tests
    return found


def _against(cells: pd.DataFrame, best: int, scores: pd.DataFrame) -> pd.DataFrame:
    """The tests of the cells of a column that have a value against the one at place `best`."""
    shown = [place for place in range(len(cells)) if np.isfinite(cells["ours_mean"].iloc[place])]
    values = {place: _subject_values(scores, cells.iloc[place]) for place in shown}
    pairs = list(combinations(shown, 2))
    tests = {pair: _test(values[pair[0]], values[pair[1]], cells.iloc[list(pair)]) for pair in pairs}
    corrected = dict(zip(pairs, holm(np.array([tests[pair][0] for pair in pairs])), strict=True))
    rows = {}
    for place in shown:
        if place == best:
            continue
        pair = (min(place, best), max(place, best))
        p, n, difference = tests[pair]
        rows[cells.index[place]] = {
            "tested_against": cells["row"].iloc[best],
            "n_tested": n,
            "p": p,
            "p_holm": corrected[pair],
            "subject_difference": difference if place < best else -difference,
            "test_note": "" if np.isfinite(p) else _reason(cells.iloc[place], [values[k] for k in pair]),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _test(a: pd.Series, b: pd.Series, cells: pd.DataFrame) -> tuple[float, int, float]:
    """The uncorrected p of two cells, the number of their common subjects, and the mean of a - b."""
    pair = pd.concat([a, b], axis=1).dropna()
    if len(pair) < 2:
        return float("nan"), len(pair), float("nan")
    differences = (pair.iloc[:, 0] - pair.iloc[:, 1]).to_numpy(float)
    first = cells.iloc[0]
    purpose = [str(first[name]) for name in ("dataset", "metric", "protocol")]
    generator = numpy_generator(0, "table", *purpose, *map(str, cells["method"]))
    return paired_p(differences, ROUNDS, generator), len(pair), float(differences.mean())


def _subject_values(scores: pd.DataFrame, cell: pd.Series) -> pd.Series:
    """Each subject's value of what a cell shows; none where it is another quantity than the cell's."""
    if _has_one_threshold(cell):
        return pd.Series(dtype=float)
    quantity = Quantity(cell["dataset"], cell["metric"], cell["protocol"], stratum=cell["stratum"])
    return subject_means(scores, quantity, cell["method"])


def _has_one_threshold(cell: pd.Series) -> bool:
    """Whether one threshold, the best on the test data, serves all subjects together."""
    return bool(cell["protocol"] == "oracle" and cell["aggregate"] == POOLED)


def _reason(cell: pd.Series, values: list[pd.Series]) -> str:
    unknown = any(found.empty for found in values)
    if cell["stratum"] and unknown:
        return NO_STRATA
    if _has_one_threshold(cell):
        return ONE_THRESHOLD
    return NO_SUBJECTS if unknown else TOO_FEW

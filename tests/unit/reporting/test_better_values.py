"""Which values of a metric are the better ones, and what is no result: the same on every page and in every figure."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainuad.evaluation.catalogue import Scored, catalogue
from brainuad.evaluation.settings import EvaluationSettings, ThresholdGrid
from brainuad.reporting.figure_settings import BarsFigure
from brainuad.reporting.figures.comparison import draw_bars
from brainuad.reporting.figures.style import Results
from brainuad.reporting.inputs import StudyEntry
from brainuad.reporting.names import HIGHER_IS_BETTER, LOWER_IS_BETTER, NOT_RANKED, better
from brainuad.reporting.pages.leaderboard import boards
from brainuad.reporting.pages.significance import Matrix, matrices
from brainuad.storage import write_table

PROTOCOLS = ("oracle", "validation", "validation-bisection", "healthy-fpr", "healthy-fpr-grid", "yen")
# Rows of score tables that tables and figures cannot ask for.
FURTHER = ("subjects_unannotated", "protocol_left_out")
COUNTS = (
    "boxes",
    "subjects_without_lesion",
    "subjects_image_only",
    "subjects_unannotated",
    "subjects_failed",
)


def all_metrics() -> set[str]:
    grid = ThresholdGrid(start=0, stop=1, step=0.1)
    settings = EvaluationSettings(protocols=PROTOCOLS, boxes=True, threshold_grid=grid)
    scored = Scored(settings, PROTOCOLS, healthy="ixi", planted="spheres", lpips=True)
    return {entry.metric for entry in catalogue(scored)} | set(FURTHER)


def test_every_metric_of_an_evaluation_is_in_one_class() -> None:
    classes = (HIGHER_IS_BETTER, LOWER_IS_BETTER, NOT_RANKED)
    found = {metric: sum(metric in names for names in classes) for metric in all_metrics()}
    assert found == dict.fromkeys(found, 1)
    assert {"mse_lesion", "threshold_beyond_grid", "f1_boxes", "dice_grid"} <= found.keys()


def row(method: str, value: float, metric: str, stratum: str = "", dataset: str = "ixi") -> dict[str, object]:
    return {
        "study": "study0", "method": method, "run": 0, "dataset": dataset, "subject": "pooled", "protocol": "",
        "metric": metric, "stratum": stratum, "value": value, "threshold": np.nan,
    }  # fmt: skip


@pytest.mark.parametrize("metric", ["mse_lesion", "lpips_lesion", "fpr"])
def test_the_lowest_error_in_a_lesion_wins(study: StudyEntry, scores: pd.DataFrame, metric: str) -> None:
    added = [row(method, value, metric) for method, value in (("dae-coarse", 0.02), ("threshold", 0.5))]
    board = boards(study, pd.concat([scores, pd.DataFrame(added)]), "ixi")[0]
    position = [column.metric for column in board.columns].index(metric)
    assert board.columns[position].lower
    assert [line.label for line in board.rows if line.cells[position].best] == ["DAE (coarse)"]


def test_counts_are_no_column(study: StudyEntry, scores: pd.DataFrame) -> None:
    added = [row(method, 3, metric) for metric in COUNTS for method in ("dae-coarse", "threshold")]
    added += [row("dae-coarse", 3, metric, "mass") for metric in COUNTS]
    found = boards(study, pd.concat([scores, pd.DataFrame(added)]), "ixi")
    assert {column.metric for board in found for column in board.columns} == {"l1"}


def test_what_only_ablations_have_makes_no_board(study: StudyEntry, scores: pd.DataFrame) -> None:
    methods = tuple(replace(method, compared=method.name != "dae-gaussian") for method in study.methods)
    left_out = [row(method.name, 1, "protocol_left_out", "validation") for method in methods]
    added = pd.DataFrame([*left_out, row("dae-gaussian", 0.5, "dice", "large")])
    found = boards(replace(study, methods=methods), pd.concat([scores, added]), "ixi")
    assert [board.title for board in found] == ["Lesions and images"]
    assert all(board.rows for board in found)


def bars(metric: str) -> BarsFigure:
    methods = [
        {"method": name, "label": name} for name in ("andi-mf5", "threshold", "ddpm-simplex", "dae-coarse")
    ]
    content = {"kind": "bars", "title": "T", "datasets": ["ixi"], "metric": metric, "aggregate": "mean"}
    return BarsFigure.model_validate({**content, "methods": methods})


def test_bars_begin_with_the_lowest_error(study: StudyEntry, scores: pd.DataFrame) -> None:
    figure = draw_bars(bars("l1"), Results(study, scores))
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["dae-coarse", "ddpm-simplex", "threshold", "andi-mf5"]


def matrix_of(study: StudyEntry, folder: Path, metric: str) -> Matrix:
    """The DAE with a mean of 0.1 against thresholding with one of 0.3."""
    pair = {
        "method_a": "dae-coarse", "method_b": "threshold", "metric": metric, "protocol": "", "n": 9,
        "test": "permutation (paired)", "mean_a": 0.1, "mean_b": 0.3, "difference": -0.2, "ci_low": -0.3,
        "ci_high": -0.1, "effect_size": -1.0, "p": 0.01, "p_holm": 0.01, "reason": "",
    }  # fmt: skip
    own = replace(study, folder=folder)
    write_table(pd.DataFrame([pair]), own.statistics("ixi"))
    return matrices(own, "ixi")[0]


@pytest.mark.parametrize(
    ("metric", "first", "kind"),
    [
        ("l1", "DAE (coarse)", "better"),
        ("fpr", "DAE (coarse)", "better"),
        ("dice", "Thresholding", "better"),
        ("image_score", "Thresholding", "none"),
    ],
)
def test_the_better_of_two_methods_depends_on_the_metric(
    study: StudyEntry, tmp_path: Path, metric: str, first: str, kind: str
) -> None:
    matrix = matrix_of(study, tmp_path, metric)
    above = matrix.rows[0][1]
    assert above is not None
    assert (matrix.methods[0][0], above.kind) == (first, kind)
    assert (better(metric) == "neither") == (kind == "none")

"""Why a cell of a table is empty, from score tables as an evaluation writes them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainuad.reporting.settings import TableSettings
from brainuad.reporting.tables import build_table
from tests.unit.evaluation.toy import (
    HEALTHY,
    PATIENTS,
    SHAPE,
    change_index,
    evaluate,
    replace,
    write_dataset,
)

VALIDATED = {"protocol": "validation", "aggregate": "pooled"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_dataset(tmp_path, "toy", PATIENTS)
    write_dataset(tmp_path, "well", HEALTHY, group="healthy")
    return tmp_path


def note(folder: Path, metric: str, evaluation: dict[str, Any], dataset: str = "toy", **column: Any) -> str:
    """The note in the only cell of a table on one evaluation of the toy data set."""
    scores, _ = evaluate(folder, **evaluation)
    wanted = {"label": "x", "dataset": dataset, "metric": metric, **column}
    settings = {"title": "T", "rows": [{"method": "m", "label": "M"}], "columns": [wanted]}
    return str(build_table(TableSettings.model_validate(settings), scores)["note"].item())


def sizes(**stratum: int) -> dict[str, Any]:
    return {"subject_strata": [{"name": "huge", **stratum}], "lesion_strata": [{"name": "huge", **stratum}]}


@pytest.mark.parametrize(
    ("metric", "column"),
    [
        ("dice", {"protocol": "oracle", "aggregate": "pooled"}),
        ("dice", {"protocol": "validation"}),
        ("auprc", {}),
        ("lesion_recall", VALIDATED),
    ],
)
def test_a_stratum_without_a_lesion_is_said(folder: Path, metric: str, column: dict[str, Any]) -> None:
    found = note(folder, metric, sizes(above=500), stratum="huge", **column)
    assert found == "no lesion in this stratum"


@pytest.mark.parametrize(
    ("metric", "column"),
    [
        ("dice", {"protocol": "oracle", "aggregate": "pooled"}),
        ("dice", {"protocol": "validation"}),
        ("dice_mean_volumes", {"protocol": "oracle"}),
        ("auprc", {"aggregate": "pooled"}),
        ("auprc", {}),
        ("recall", VALIDATED),
    ],
)
def test_a_test_set_without_a_lesion_is_said(folder: Path, metric: str, column: dict[str, Any]) -> None:
    write_dataset(folder, "toy", PATIENTS, without_lesion=("p1", "p2", "p3"))
    assert note(folder, metric, {}, **column) == "no lesion in this data set"


def test_a_threshold_that_could_not_be_chosen_is_said(folder: Path) -> None:
    write_dataset(folder, "toy", PATIENTS, without_lesion=("v1", "v2"))
    found = note(folder, "dice", {"healthy": False}, protocol="validation")
    assert found == "no threshold: neither a validation lesion nor a healthy scan"


@pytest.mark.parametrize(
    ("metric", "column", "expected"),
    [
        ("fpr", {"protocol": "validation"}, "no healthy scan in this data set"),
        ("l1", {}, "no healthy scan in this data set"),
        ("lpips", {}, "no pseudo-healthy images"),
        ("auroc", {"stratum": "pathology", "aggregate": "pooled"}, "no scan of this group"),
        ("auroc", {"stratum": "average", "aggregate": "pooled"}, "no average: no scan of group pathology"),
        ("detected", {**VALIDATED, "stratum": "mass"}, "no box of this class"),
        ("detected_share", VALIDATED, "no box in this data set"),
    ],
)
def test_what_the_data_do_not_have_is_said(
    folder: Path, metric: str, column: dict[str, Any], expected: str
) -> None:
    change_index(folder, "toy", "p1", condition="motion")
    settings = {"boxes": True, "conditions": {"pathology": ["cyst"], "artefacts": ["motion"]}}
    assert expected in note(folder, metric, settings, **column)


def test_without_a_healthy_scan_groups_have_no_average(folder: Path) -> None:
    change_index(folder, "toy", "p1", condition="motion")
    settings = {"healthy": False, "conditions": {"artefacts": ["motion"]}}
    for stratum in ("artefacts", "average"):
        found = note(folder, "auroc", settings, stratum=stratum, aggregate="pooled")
        assert found == "no healthy scan to compare with"


def test_a_threshold_beyond_the_grid_is_said(folder: Path) -> None:
    column = {"protocol": "healthy-fpr-grid", "aggregate": "pooled"}
    settings = {"protocols": ["healthy-fpr-grid", "healthy-fpr"]}
    assert note(folder, "dice", settings, **column) == ""
    for subject in ("h1", "h2"):
        replace(folder, "well", subject, np.full(SHAPE, 3.0))
    assert note(folder, "dice", settings, **column) == "threshold beyond the grid of the paper"
    assert note(folder, "dice", settings, **{**column, "protocol": "healthy-fpr"}) == ""


def test_a_map_in_which_nothing_is_marked_has_no_precision(folder: Path) -> None:
    for subject in ("p1", "p2", "p3"):
        replace(folder, "toy", subject, scores=np.zeros(SHAPE))
    assert note(folder, "precision", {}, **VALIDATED) == "nothing is marked"


def test_a_method_without_scores_on_a_data_set_is_not_called_not_run(folder: Path) -> None:
    assert note(folder, "auprc", {}, dataset="other") == "not scored on this data set"

"""Tables and figures that ask for numbers which no evaluation gives."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from brainuad.config_errors import read_yaml
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from brainuad.plan_score_checks import score_errors
from tests.unit.test_plan_reader import WORKFLOW, change_study, errors_of

STUDIES = sorted((WORKFLOW / "studies").glob("*.yaml"))
LABELS = [{"method": "dae-coarse", "label": "DAE"}]
SERIES = {"kind": "trend", "title": "T", "x_label": "x", "x": [1], "dataset": "brats21"}
ONE = [{"label": "l", "methods": ["vae"]}]


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """A copy of the workflow's recipes and studies that a test may break."""
    shutil.copytree(WORKFLOW, tmp_path / "workflow")
    return tmp_path / "workflow"


def study_errors(workflow: Path, change: dict[str, Any]) -> list[str]:
    change_study(workflow, change)
    return errors_of({}, workflow)


def column(**content: Any) -> dict[str, Any]:
    return {"tables/results/columns": [{"label": "C", "dataset": "brats21", **content}]}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"metric": "auprcc"}, "metric 'auprcc' is not one of"),
        ({"metric": "auprcc"}, "Did you mean 'auprc'?"),
        ({"metric": "dice", "protocol": "validatoin"}, "Did you mean 'validation'?"),
        ({"metric": "dice"}, "protocol '' of metric 'dice' is not one of healthy-fpr, oracle, validation"),
        ({"metric": "auprc", "protocol": "oracle"}, "it has none, so leave it out"),
        ({"metric": "auprc", "stratum": "smal"}, "stratum 'smal' of metric 'auprc'"),
        ({"metric": "fpr", "protocol": "oracle"}, "protocol 'oracle' of metric 'fpr'"),
        ({"metric": "l1", "aggregate": "pooled"}, "aggregate 'pooled' of metric 'l1' is not one of mean"),
        ({"metric": "dice_grid", "protocol": "oracle"}, "needs `threshold_grid`"),
        ({"metric": "detected", "protocol": "validation"}, "needs `boxes: true`"),
        ({"metric": "mse_lesion"}, "needs a synthetic test set, and 'brats21' is none"),
        ({"metric": "lpips"}, "needs `similarity:"),
    ],
)
def test_a_column_of_something_that_is_not_measured_is_an_error(
    workflow: Path, content: dict[str, Any], expected: str
) -> None:
    (line,) = study_errors(workflow, column(**content))
    assert line.startswith("quickstart.yaml: tables.results.columns.0 (C): ")
    assert expected in line


def test_all_that_is_not_measured_is_shown_at_once(workflow: Path) -> None:
    figure = {
        "kind": "bars",
        "title": "T",
        "datasets": ["brats21", "mslub"],
        "methods": LABELS,
        "metric": "x",
    }
    columns = [{"label": "C", "dataset": "brats21", "metric": name} for name in ("dise", "auprk")]
    change = {"tables/results/columns": columns, "figures/maps": figure}
    lines = study_errors(workflow, change)
    assert [("figures.maps" in line, "tables.results" in line) for line in lines] == [
        (False, True),
        (False, True),
        (True, False),
    ]


def test_a_stratum_may_be_one_of_the_study_or_an_attribute(workflow: Path) -> None:
    settings = {"subject_strata": [{"name": "small", "up_to": 70}], "attributes": ["sex", "age"]}
    change = {f"evaluation/{key}": value for key, value in settings.items()}
    (line,) = study_errors(workflow, change | column(metric="auprc", stratum="smal"))
    assert "is not one of '' (none), age 0-20, age 20-40" in line
    assert "small" in line
    wrong = [{"label": name, "dataset": "brats21", "metric": "auprc", "stratum": name}
             for name in ("small", "sex F", "age 20-40", "site 1")]  # fmt: skip
    (line,) = study_errors(workflow, {"tables/results/columns": wrong})
    assert "(site 1)" in line


def test_the_methods_without_a_number_are_named_where_others_have_it(workflow: Path) -> None:
    grid = {"methods/vae/threshold_grid": {"start": 0, "stop": 1}}
    (line,) = study_errors(workflow, grid | column(metric="dice_grid", protocol="oracle", aggregate="pooled"))
    assert "metric 'dice_grid' of 'thresholding'" in line
    assert "'vae'" not in line


def test_a_threshold_that_evaluated_patients_would_choose_is_an_error(workflow: Path) -> None:
    change = {"methods/vae/role": "validation"} | column(metric="dice", protocol="validation")
    (line,) = study_errors(workflow, change)
    assert "of 'vae' would be chosen on the validation patients whose maps are evaluated" in line


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ({**SERIES, "series": ONE, "metric": "dice"}, "figures.maps.series.0: protocol '' of metric 'dice'"),
        ({**SERIES, "series": ONE, "strata": ["tiny"]}, "stratum 'tiny' of metric 'auprc'"),
        (
            {"kind": "dice-by-lesion-size", "title": "T", "dataset": "brats21", "methods": LABELS,
             "protocol": "yenn"},
            "protocol 'yenn' of metric 'dice'",
        ),
        (
            {"kind": "class-bars", "title": "T", "dataset": "brats21", "methods": LABELS},
            "metric 'detected' needs `boxes: true`",
        ),
    ],
)  # fmt: skip
def test_a_figure_of_something_that_is_not_measured_is_an_error(
    workflow: Path, figure: dict[str, Any], expected: str
) -> None:
    (line,) = study_errors(workflow, {"figures/maps": figure})
    assert expected in line


def test_an_unknown_class_of_boxes_names_the_nearest(workflow: Path) -> None:
    boxes = {"evaluation/boxes": True, "evaluation/box_classes": {"mass": ["mass"], "edema": ["edema"]}}
    figure = {
        "kind": "class-bars",
        "title": "T",
        "dataset": "brats21",
        "methods": LABELS,
        "classes": ["edma"],
    }
    (line,) = study_errors(workflow, {**boxes, "figures/maps": figure})
    assert "Did you mean 'edema'?" in line


def test_what_cannot_be_filled_anyway_is_not_checked(workflow: Path) -> None:
    change = column(metric="anything", unavailable="private data") | {"figures/maps/dataset": "bratz"}
    (line,) = study_errors(workflow, change)
    assert "figures.maps" in line


def grouped(**content: Any) -> dict[str, Any]:
    """A figure with one group of subjects."""
    group = {"label": "rows", "kind": "lesion", **content}
    return {"kind": "maps", "title": "T", "dataset": "brats21", "methods": LABELS, "groups": [group]}


def test_a_group_of_an_unknown_size_names_the_nearest(workflow: Path) -> None:
    strata = {"evaluation/subject_strata": [{"name": "small", "up_to": 70}]}
    (line,) = study_errors(workflow, strata | {"figures/maps": grouped(stratum="smal")})
    assert line.startswith("quickstart.yaml: figures.maps.groups.0: stratum 'smal'")
    assert "Did you mean 'small'?" in line


def test_a_listed_subject_that_the_data_set_does_not_have_names_the_nearest(workflow: Path) -> None:
    known = read_plan({}, workflow).subjects("brats21")[0]
    names = [known, f"{known}9"]
    (line,) = study_errors(workflow, {"figures/maps": grouped(kind="named", subjects_named=names)})
    assert line.startswith(f"quickstart.yaml: figures.maps.groups.0: brats21 has no subject '{known}9'.")
    assert f"Did you mean {known!r}?" in line


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_what_a_study_tests_for_significance_is_measured(path: Path) -> None:
    config = read_yaml(WORKFLOW.parent / "config.yaml") | {"studies": [path.stem]}
    plan = read_plan(config, WORKFLOW)
    study = plan.studies[path.stem]
    # As if written out: a default that nobody measures would leave empty files.
    explicit = study.model_copy(update={"significance": study.significance})
    assert "significance" in explicit.model_fields_set
    assert (
        list(score_errors(Plan(plan.config, {path.stem: explicit}, plan.recipes), path.stem, path.name)) == []
    )

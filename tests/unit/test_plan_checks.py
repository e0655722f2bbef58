"""What does not fit together in a study: splits, synthetic sets, tables and figures."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from brainuad.plan_reader import read_plan
from tests.unit.test_plan_reader import WORKFLOW, change_study, errors_of

METHODS = [{"method": "dae-coarse", "label": "DAE"}]
TREND = {"kind": "trend", "title": "T", "x_label": "x"}


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """A copy of the workflow's recipes and studies that a test may break."""
    shutil.copytree(WORKFLOW, tmp_path / "workflow")
    return tmp_path / "workflow"


def study_errors(workflow: Path, change: dict[str, Any]) -> str:
    change_study(workflow, change)
    return "\n".join(errors_of({}, workflow))


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ({"kind": "maps", "title": "T", "dataset": "bratz", "methods": METHODS}, "data set 'bratz'"),
        ({"kind": "bars", "title": "T", "datasets": ["fastmri"], "methods": METHODS}, "data set 'fastmri'"),
        ({"kind": "anomaly-examples", "title": "T", "datasets": ["ixi"]}, "data set 'ixi' is unknown"),
        (
            {**TREND, "dataset": "ixi", "x": [1], "series": [{"label": "l", "methods": ["dea"]}]},
            "method 'dea'",
        ),
        (
            {**TREND, "x": [1], "series": [{"label": "l", "methods": ["vae"], "dataset": "mslab"}]},
            "Did you mean 'mslub'?",
        ),
        (
            {"kind": "maps", "title": "T", "dataset": "ixi", "methods": METHODS, "channel": "flair"},
            "channel 'flair' is not one of t2",
        ),
        (
            {"kind": "maps", "title": "T", "dataset": "ixi", "methods": METHODS, "run": 1},
            "run = 1: the study has 1",
        ),
        (
            {"kind": "latent-map", "title": "T", "methods": [{"method": "thresholding", "label": "T"}]},
            "the model of method 'thresholding' has no latent vectors",
        ),
    ],
)
def test_a_figure_of_something_that_the_study_does_not_have_is_an_error(
    workflow: Path, figure: dict[str, Any], expected: str
) -> None:
    text = study_errors(workflow, {"figures/maps": figure})
    assert "quickstart.yaml: figures.maps" in text
    assert expected in text


def test_a_table_of_a_data_set_that_is_not_scored_is_an_error(workflow: Path) -> None:
    column = {"label": "Dice", "dataset": "msseg", "metric": "dice"}
    text = study_errors(workflow, {"splits/msseg": {"test": 2}, "tables/results/columns": [column]})
    assert "tables.results: data set 'msseg' is not one of brats21, ixi, mslub" in text


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"splits/ixi": {"train": 0.7, "test": 0.3}}, "for shares set `unit: share`"),
        ({"splits/ixi": {"train": float("inf")}}, "splits.ixi.train"),
        ({"splits/ixi": {"validation": 1, "test": 2}}, "splits.ixi.train: nobody has this role"),
        ({"splits/mslub": {"validation": 1}}, "splits.mslub.test: nobody has this role"),
        ({"splits/ixi/lists": {"train": "none.csv"}}, "lists.train = 'none.csv': no such file"),
        ({"splits/ixi/lists": {"train": "{fold}.csv"}}, "only {run} may stand in braces"),
        ({"methods/vae/datasets": []}, "methods.vae.datasets"),
        ({"methods/vae/maps_of": "vae"}, "has no maps of its own"),
    ],
)
def test_splits_and_methods_that_would_leave_nobody_are_errors(
    workflow: Path, change: dict[str, Any], expected: str
) -> None:
    assert expected in study_errors(workflow, change)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"synthetic/f": {"kind": "spheres", "of": "e"}}, "synthetic.f.of"),
        ({"splits/e": {"test": 1}}, "splits"),
        ({"training_data/datasets": ["e"]}, "training_data"),
        ({"healthy_dataset": "e"}, "healthy_dataset"),
    ],
)
def test_a_synthetic_set_stands_for_no_real_one(workflow: Path, change: dict[str, Any], key: str) -> None:
    planted = {"synthetic": {"e": {"kind": "ellipses", "of": "ixi"}}}
    assert f"{key}: 'e' is a synthetic test set" in study_errors(workflow, planted | change)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"synthetic": {"e": {"kind": "ellipses", "of": "mslub"}}}, "all of its subjects are patients"),
        (
            {"splits/ixi": {"train": 3, "patients": {"test": 1}}, "synthetic": {"e": {"kind": "spheres", "of": "ixi"}}},
            "splits.ixi.test gives no healthy subject this role",
        ),
    ],
)  # fmt: skip
def test_a_synthetic_set_needs_healthy_test_subjects(
    workflow: Path, change: dict[str, Any], expected: str
) -> None:
    text = study_errors(workflow, change)
    assert "quickstart.yaml: synthetic.e.of = " in text
    assert expected in text


def test_a_real_data_set_of_patients_alone_takes_no_anomalies(workflow: Path, tmp_path: Path) -> None:
    (tmp_path / "scans/patient01").mkdir(parents=True)
    change_study(workflow, {"synthetic": {"e": {"kind": "ellipses", "of": "mslub"}}})
    datasets = {"ixi": "phantom", "brats21": "phantom", "mslub": str(tmp_path / "scans")}
    text = "\n".join(errors_of({"datasets": datasets}, workflow))
    assert "synthetic.e.of = 'mslub': all of its subjects are patients" in text


def test_a_method_that_needs_an_equalised_copy_needs_recipes_that_keep_one(workflow: Path) -> None:
    text = study_errors(workflow, {"methods/thresholding/settings/equalised": "recipe"})
    assert "methods.thresholding.settings.equalised = 'recipe': recipe 'quickstart-t2' of data set" in text
    assert "add a step keep_equalised" in text


@pytest.mark.parametrize(
    ("settings", "unlike"),
    [
        ({"modality": "t2"}, "modality 'flair' and not 't2'"),
        ({"region": "brain"}, "region 'positive' and not 'brain'"),
        ({"bins": 64, "modality": "t1"}, "modality 'flair' and not 't1', bins 256 and not 64"),
    ],
)
def test_a_method_is_not_scored_on_a_copy_that_was_equalised_otherwise(
    workflow: Path, settings: dict[str, Any], unlike: str
) -> None:
    change = {"methods/thresholding/settings": {"equalised": "recipe", **settings}}
    change_study(workflow, change, "frotscher2023")
    text = "\n".join(errors_of({"studies": ["frotscher2023"]}, workflow))
    for dataset, recipe in {"brats21": "frotscher2023", "msseg": "frotscher2023-shifts"}.items():
        assert f"recipe '{recipe}' of data set '{dataset}' keeps has {unlike}; change the method" in text


def test_settings_of_a_method_at_quick_count_and_its_defaults_do_not(workflow: Path) -> None:
    settings = {"methods/thresholding/settings": {"equalised": "recipe"}}
    change_study(
        workflow, settings | {"methods/thresholding/quick": {"equalised": "packed", "modality": "t2"}}
    )
    read_plan({}, workflow)
    change_study(workflow, settings | {"methods/thresholding/quick": {"bins": 64}}, "frotscher2023")
    text = "\n".join(errors_of({"studies": ["frotscher2023"]}, workflow))
    assert "keeps has bins 256 and not 64" in text

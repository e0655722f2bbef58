"""What is wrong with a study file, in its own words: one line per fault, with the key as it is written."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.unit.test_plan_reader import WORKFLOW, change_study, errors_of

SWEEP = {"method": "dae-coarse", "vary": "model.noise.resolution", "values": [1, 2]}
LIST, MAPPING = "expected a list, such as [a, b].", "expected keys with values."


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """A copy of the workflow's recipes and studies that a test may break."""
    shutil.copytree(WORKFLOW, tmp_path / "workflow")
    return tmp_path / "workflow"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"tables/results/columns": "auprc"}, f"tables.results.columns = 'auprc': {LIST}"),
        ({"tables/results/columns": ["auprc"]}, f"tables.results.columns.0 = 'auprc': {MAPPING}"),
        ({"tables": [1]}, f"tables = [1]: {MAPPING}"),
        ({"tables/results": None}, f"tables.results = None: {MAPPING}"),
        ({"tables/results/published": {"vae": [1]}}, "published.vae: 1 values for 6 columns"),
        ({"methods": {}}, "methods = {}: expected at least 1 entry."),
        ({"methods/vae": None}, f"methods.vae = None: {MAPPING}"),
        ({"methods/a b": {"label": "x", "rule": "thresholding"}}, "methods.a b: 'a b' is no name"),
        ({"figures/maps/kind": "map"}, "figures.maps.kind = 'map' is not one of"),
        ({"figures/maps": {"title": "T"}}, "figures.maps.kind: this key is required."),
        (
            {"figures/maps/methods": [{"method": "vae"}]},
            "figures.maps.methods.0.label: this key is required.",
        ),
        ({"figures/maps/methods": ["vae"]}, f"figures.maps.methods.0 = 'vae': {MAPPING}"),
        ({"synthetic": {"e": {"kind": "ellipses"}}}, "synthetic.e.of: this key is required."),
        ({"post_processing": [{"step": "medan"}]}, "post_processing.0.step = 'medan' is not one of"),
        ({"runs": 3}, f"runs = 3: {MAPPING}"),
        ({"seed": "abc"}, "seed = 'abc': expected a whole number."),
        ({"title": date(2020, 1, 1)}, "title = datetime.date(2020, 1, 1): expected text."),
        ({"sweeps": {"a": SWEEP | {"values": ["x"]}}}, "sweeps.a.values.0 = 'x': expected a whole number or"),
        ({"sweeps": {"a": SWEEP | {"values": [2, 2]}}}, "sweeps.a.values: 2 is named twice."),
        ({"test_datasets": ["brats21", "mslub", "mslub"]}, "test_datasets: 'mslub' is named twice."),
        (
            {"evaluation": {"protocols": ["oracle", "oracle"]}},
            "evaluation.protocols: 'oracle' is named twice.",
        ),
        ({"models/vae/settings": {"training": 5}}, f"models.vae.settings: training = 5: {MAPPING}"),
    ],
)
def test_a_wrong_value_is_one_line_with_its_key(
    workflow: Path, change: dict[str, Any], expected: str
) -> None:
    change_study(workflow, change)
    (line,) = errors_of({}, workflow)
    assert line.startswith("quickstart.yaml: ")
    assert expected in line


def test_settings_of_the_paper_are_checked_at_the_quick_scale_too(workflow: Path) -> None:
    change_study(workflow, {"models/vae/settings": {"training": {"iterations": -5}}})
    (line,) = errors_of({"scale": "quick"}, workflow)
    assert "models.vae.settings: training.iterations = -5" in line


def test_a_sweep_over_an_unknown_setting_says_that_a_sweep_did_it(workflow: Path) -> None:
    change_study(workflow, {"sweeps": {"a": SWEEP | {"vary": "model.noise.resolutio"}}})
    lines = errors_of({}, workflow)
    assert len(lines) == 2
    assert all("quickstart.yaml: sweeps: models.dae-coarse-resolutio-" in line for line in lines)
    assert all("Did you mean 'resolution'?" in line for line in lines)


def test_a_figure_of_a_method_that_is_not_scored_there_is_an_error(workflow: Path) -> None:
    methods = [{"method": "vae", "label": "VAE"}]
    change_study(workflow, {"methods/vae/datasets": ["mslub"], "figures/precision-recall/methods": methods})
    (line,) = errors_of({}, workflow)
    assert "figures.precision-recall: method 'vae' is not scored there, only on mslub." in line


@pytest.mark.parametrize("metric", ["dise", "detected"])
def test_tests_of_a_metric_that_is_not_measured_are_an_error(workflow: Path, metric: str) -> None:
    change_study(workflow, {"significance": {"metric": metric}})
    assert all(
        f"quickstart.yaml: significance: metric '{metric}'" in line for line in errors_of({}, workflow)
    )


def test_an_unknown_method_of_several_columns_is_said_once(workflow: Path) -> None:
    change_study(workflow, {"tables/results/rows": [{"method": "vea", "label": "V"}]})
    lines = errors_of({}, workflow)
    assert len([line for line in lines if "method 'vea'" in line]) == 1


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"studies": "quickstart"}, f"studies = 'quickstart': {LIST}"),
        ({"studies": ["quickstart", "quickstart"]}, "studies: 'quickstart' is named twice."),
        ({"datasets": ["ixi"]}, f"datasets = ['ixi']: {MAPPING}"),
        ({"phantom": {"subjects": {"ixi": -1}}}, "phantom.subjects: at least 3 subjects are needed"),
    ],
)
def test_a_wrong_value_of_the_configuration_is_one_line_with_its_key(
    config: dict[str, Any], expected: str
) -> None:
    (line,) = errors_of(config)
    assert line.startswith(f"config.yaml: {expected}")

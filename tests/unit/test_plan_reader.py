"""Errors in config.yaml and the study files are found before the first job, all at once."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from brainuad.config import Config
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from tests.unit.configurations import WORKFLOW, errors_of


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """A copy of the workflow's recipes and studies that a test may break."""
    shutil.copytree(WORKFLOW, tmp_path / "workflow")
    return tmp_path / "workflow"


def change_study(workflow: Path, change: dict[str, Any], study: str = "quickstart") -> None:
    path = workflow / "studies" / f"{study}.yaml"
    content = yaml.safe_load(path.read_text())
    for dotted, value in change.items():
        *parents, key = dotted.split("/")
        place = content
        for parent in parents:
            place = place[parent]
        place[key] = value
    path.write_text(yaml.safe_dump(content))


def test_the_tracked_configuration_is_valid_at_both_scales() -> None:
    config = yaml.safe_load((WORKFLOW.parent / "config.yaml").read_text())
    studies = sorted(path.stem for path in (WORKFLOW / "studies").glob("*.yaml"))
    for scale in ("quick", "paper"):
        plan = read_plan({**config, "studies": studies, "scale": scale}, WORKFLOW)
        assert sorted(plan.studies) == studies


@pytest.mark.parametrize("scale", ["quick", "paper"])
def test_frotscher_divides_the_patients_as_kascenas_does(scale: str) -> None:
    config = yaml.safe_load((WORKFLOW.parent / "config.yaml").read_text())
    papers = ["kascenas2023", "frotscher2023"]
    plan = read_plan({**config, "studies": papers, "scale": scale}, WORKFLOW)
    first, second = (plan.split_settings(study, 0) for study in papers)
    assert first["seed"] == second["seed"]
    assert first["datasets"]["brats21"] == second["datasets"]["brats21"]
    assert plan.run_seed("frotscher2023", 0) == 73


def test_an_unknown_key_names_the_nearest_known_one() -> None:
    (line,) = errors_of({"skul_strip": "deepbet"})
    assert line.startswith("config.yaml: skul_strip: unknown key")
    assert "Did you mean 'skull_strip'?" in line


def test_an_unknown_nested_key_names_its_place() -> None:
    (line,) = errors_of({"phantom": {"settings": {"anatommy": "sri24"}}})
    assert "phantom.settings.anatommy" in line
    assert "Did you mean 'anatomy'?" in line


def test_all_errors_are_shown_at_once() -> None:
    lines = errors_of({"scale": "quik", "sedd": 1, "max_failed_share": 2})
    assert len(lines) == 3
    assert any("Did you mean 'quick'?" in line for line in lines)


def test_an_unknown_study_names_the_nearest_one() -> None:
    (line,) = errors_of({"studies": ["quikstart"]})
    assert "Did you mean 'quickstart'?" in line


def test_a_missing_folder_of_a_data_set_is_named() -> None:
    (line,) = errors_of({"datasets": {"ixi": "/does/not/exist", "brats21": "phantom", "mslub": "phantom"}})
    assert "datasets.ixi" in line
    assert "/does/not/exist" in line


def test_a_data_set_that_a_study_needs_must_be_in_the_configuration() -> None:
    lines = errors_of({"datasets": {"ixi": "phantom", "brats21": "phantom"}})
    assert any("'mslub'" in line and "Add it to `datasets`" in line for line in lines)


def test_a_typo_in_a_noise_kind_names_the_nearest_one(workflow: Path) -> None:
    change_study(workflow, {"models/dae-coarse/settings/noise/kind": "corase"})
    (line,) = errors_of({}, workflow)
    assert "models.dae-coarse" in line
    assert "Did you mean 'coarse'?" in line


def test_an_unknown_setting_of_a_model_is_an_error(workflow: Path) -> None:
    change_study(workflow, {"models/vae/settings": {"bata": 3}})
    (line,) = errors_of({}, workflow)
    assert "models.vae" in line
    assert "Did you mean 'beta'?" in line


def test_a_method_that_names_no_known_model_is_an_error(workflow: Path) -> None:
    change_study(workflow, {"methods/vae/model": "vea"})
    (line,) = errors_of({}, workflow)
    assert "methods.vae.model = 'vea'" in line
    assert "Did you mean 'vae'?" in line


def test_a_rule_that_cannot_use_a_model_is_an_error(workflow: Path) -> None:
    change_study(workflow, {"methods/vae/rule": "patched-one-shot"})
    (line,) = errors_of({}, workflow)
    assert "cannot use a model of kind 'vae'" in line


def test_a_rule_for_slices_with_a_model_of_volumes_is_an_error(workflow: Path) -> None:
    change_study(workflow, {"models/dae-coarse/settings": {"dimension": 3}, "methods/dae-coarse/rule": "ra"})
    change_study(workflow, {"methods/dae-coarse/settings": {}})
    text = "\n".join(errors_of({}, workflow))
    assert "rule 'ra' takes models of dimension 2, but model 'dae-coarse' has dimension: 3" in text


def test_a_model_without_a_third_dimension_names_the_key(workflow: Path) -> None:
    change_study(workflow, {"models/ddpm/settings/dimension": 3})
    assert "models.ddpm.settings: dimension: unknown key" in "\n".join(errors_of({}, workflow))


def test_a_typo_in_a_table_row_names_the_nearest_method(workflow: Path) -> None:
    change_study(workflow, {"figures/maps/methods": [{"method": "dae-coars", "label": "DAE"}]})
    (line,) = errors_of({}, workflow)
    assert "figures.maps" in line
    assert "Did you mean 'dae-coarse'?" in line


@pytest.mark.parametrize("scale", ["quick", "paper"])
def test_quick_settings_of_a_method_that_the_study_does_not_have_are_an_error(
    workflow: Path, scale: str
) -> None:
    change_study(workflow, {"quick": {"methods": {"dae-coars": {"label": "DAE"}}}})
    (line,) = errors_of({"scale": scale}, workflow)
    assert "quickstart.yaml: quick: methods: 'dae-coars'" in line
    assert "Did you mean 'dae-coarse'?" in line


def test_quick_settings_lie_over_those_of_the_paper() -> None:
    def settings(scale: str) -> Plan:
        return read_plan({"scale": scale, "studies": ["kascenas2023"]}, WORKFLOW)

    paper = settings("paper").model_settings("kascenas2023", "dae-coarse")
    quick = settings("quick").model_settings("kascenas2023", "dae-coarse")
    assert paper["training"]["iterations"] == 67_200
    assert paper["network"]["widths"] == [64, 128, 256, 512]
    assert quick["training"]["iterations"] < 2_000
    assert quick["noise"] == paper["noise"]


def test_paper_scale_trains_in_float32_unless_told_otherwise() -> None:
    def precision(**config: Any) -> str:
        plan = read_plan({"studies": ["kascenas2023"], **config}, WORKFLOW)
        return plan.training_request("kascenas2023", "dae-coarse", 0)["precision"]

    assert precision(scale="paper") == "32-true"
    assert precision(scale="paper", precision="bf16-mixed") == "bf16-mixed"
    assert precision(scale="quick") == "auto"


def test_a_modality_that_the_recipe_lacks_is_found_before_the_first_job(workflow: Path) -> None:
    change_study(workflow, {"methods/thresholding/settings/modality": "flair"})
    (line,) = errors_of({}, workflow)
    assert "methods.thresholding.settings.modality = 'flair' is not one of t2" in line


def test_a_method_may_have_its_own_grid_of_thresholds(workflow: Path) -> None:
    change_study(workflow, {"methods/thresholding/threshold_grid": {"start": 0.8, "stop": 1}})
    plan = read_plan({}, workflow)
    assert (
        plan.evaluation_request("quickstart", "thresholding")["evaluation"]["threshold_grid"]["start"] == 0.8
    )
    assert plan.evaluation_request("quickstart", "vae")["evaluation"]["threshold_grid"] is None


def test_the_home_folder_may_be_written_as_a_tilde() -> None:
    assert Config(atlas_folder="~/atlas").atlas_folder == Path.home() / "atlas"


def test_wrong_keys_and_wrong_names_are_shown_together(tmp_path: Path) -> None:
    lines = errors_of({"loader_workers": -1, "sedd": 1, "studies": ["quickstart", "kascenas2032"]})
    assert len(lines) == 3
    missing = {"ixi": str(tmp_path / "none"), "brats21": "phantom", "mslub": "phantom"}
    lines = errors_of({"loader_workers": -1, "datasets": missing})
    assert [("loader_workers" in line, "no such folder" in line) for line in lines] == [
        (True, False),
        (False, True),
    ]


def test_a_key_that_is_written_twice_is_an_error(workflow: Path) -> None:
    path = workflow / "studies" / "quickstart.yaml"
    path.write_text(path.read_text() + "\nquick: {runs: {count: 1}}\nquick: {}\n")
    errors = errors_of({}, workflow)
    assert "quickstart.yaml" in errors[0]
    assert "the key 'quick' is written twice" in errors[0]


def test_recipes_of_data_sets_must_exist_and_fit_the_channels(workflow: Path) -> None:
    change_study(
        workflow, {"recipes": {"brats21": "quickstart-t3", "ixi": "kascenas2023-mri", "mslub": "smoke"}}
    )
    text = " ".join(errors_of({}, workflow))
    assert "recipes.brats21 = 'quickstart-t3' is not one of" in text
    assert "recipes.ixi = 'kascenas2023-mri' has 4 modalities where 'quickstart-t2' has 1" in text


def test_a_sweep_of_an_unknown_method_names_the_nearest(workflow: Path) -> None:
    sweep = {"method": "dae-coars", "vary": "model.noise.scale", "values": [1]}
    change_study(workflow, {"sweeps": {"scale": sweep}})
    (line,) = errors_of({}, workflow)
    assert "sweeps.scale.method = 'dae-coars'" in line
    assert "Did you mean 'dae-coarse'?" in line


def test_a_method_that_is_scored_on_other_scans_cannot_stand_for_a_value(workflow: Path) -> None:
    equal = {"value": 64, "method": "thresholding"}
    sweep = {"method": "dae-coarse", "vary": "model.noise.resolution", "values": [4, 64], "equal_to": equal}
    change_study(workflow, {"sweeps": {"resolution": {**sweep, "role": "validation"}}})
    (line,) = errors_of({}, workflow)
    assert "sweeps.resolution.equal_to.method = 'thresholding': its role is 'test'" in line
    change_study(workflow, {"sweeps": {"resolution": {**sweep, "equal_to": {**equal, "method": "thresh"}}}})
    (line,) = errors_of({}, workflow)
    assert "sweeps.resolution.equal_to.method = 'thresh'" in line


def test_a_synthetic_set_cannot_take_the_name_of_a_data_set(workflow: Path) -> None:
    change_study(workflow, {"synthetic": {"ixi": {"kind": "ellipses", "of": "ixi"}}})
    assert any("synthetic.ixi: a data set has this name" in line for line in errors_of({}, workflow))


def study_errors(workflow: Path, change: dict[str, Any], **config: Any) -> str:
    change_study(workflow, change)
    return "\n".join(errors_of(config, workflow))


def test_a_study_that_is_no_text_is_named_without_a_list_of_missing_keys(workflow: Path) -> None:
    (workflow / "studies" / "quickstart.yaml").write_bytes("title: \u00e9".encode("latin-1"))
    (line,) = errors_of({}, workflow)
    assert "quickstart.yaml: not readable as YAML" in line


def test_a_merged_key_may_be_overridden_and_merged_again(workflow: Path) -> None:
    text = "quick:\n  a: &a {seed: 1}\n  c: {b: &b {<<: *a, seed: 2}}\nd: {<<: *b}\n"
    (workflow / "studies" / "quickstart.yaml").write_text(text)
    assert not any("written twice" in line for line in errors_of({}, workflow))


@pytest.mark.parametrize(
    "change",
    [
        {"models/dae-coarse/settings": "abc"},
        {"methods/dae-coarse/model": ["a"]},
        {"figures/noise/x": 5},
        {"figures/noise/x": [[1], [2]]},
    ],
)
def test_wrong_types_beside_a_sweep_are_explained(workflow: Path, change: dict[str, Any]) -> None:
    sweep = {"method": "dae-coarse", "vary": "model.noise.resolution", "values": [1, 16]}
    series = {"figures/noise/kind": "trend", "figures/noise/series": [{"label": "l", "sweep": "a"}]}
    text = study_errors(workflow, {"sweeps": {"a": sweep}, **series, **change})
    assert next(iter(change)).replace("/", ".")[:12] in text


def test_a_series_of_an_unknown_sweep_names_the_known_ones(workflow: Path) -> None:
    sweep = {"method": "dae-coarse", "vary": "model.noise.resolution", "values": [1, 16]}
    series = {"figures/noise/series": [{"label": "l", "sweep": "resolutn"}]}
    text = study_errors(workflow, {"sweeps": {"resolution": sweep}, **series})
    assert "figures.noise.series.0.sweep = 'resolutn' is not one of resolution" in text


def test_a_data_set_of_the_scans_of_another_needs_that_one(workflow: Path, tmp_path: Path) -> None:
    text = (workflow / "studies" / "quickstart.yaml").read_text()
    (workflow / "studies" / "quickstart.yaml").write_text(text.replace("ixi", "ixi_mni"))
    own = {"path": str(tmp_path), "preprocessing": {"modalities": ["t1", "t2"]}}
    others = {"brats21": "phantom", "mslub": "phantom", "ixi_mni": own}
    (line,) = errors_of({"datasets": others}, workflow)
    assert "Add datasets.ixi." in line
    (line,) = errors_of({"datasets": {"ixi": "phantom", **others}}, workflow)
    assert "it takes the scans of 'ixi'; give path and format there" in line


def test_reading_a_plan_loads_no_library_of_its_jobs() -> None:
    heavy = {"spacy", "SimpleITK", "lightning_fabric", "matplotlib", "sklearn"}
    code = (
        "import sys, yaml, brainuad.report_plan, brainuad.plan_requirements, brainuad.reporting.needed_scores; "
        "from brainuad.plan_reader import read_plan; from pathlib import Path; "
        f"workflow = Path({str(WORKFLOW)!r}); config = yaml.safe_load((workflow.parent / 'config.yaml').read_text()); "
        f"read_plan(config, workflow); print(sorted({heavy} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"

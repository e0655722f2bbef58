"""Weights and programs are asked for when a run starts, not in a dry run."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from brainuad.atlas import AtlasName
from brainuad.config_errors import ConfigError, read_config
from brainuad.doctor import examine
from brainuad.errors import InputError
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from brainuad.plan_requirements import (
    HERE,
    PREPROCESSING,
    Place,
    Requirement,
    require_all,
    requirements,
)
from brainuad.training.fabric import make_fabric

WORKFLOW = Path(__file__).parents[2] / "workflow"
STUDIES = sorted(path.stem for path in (WORKFLOW / "studies").glob("*.yaml"))
STUDY: dict[str, Any] = {
    "title": "Perceptual",
    "recipe": "quickstart-t2",
    "splits": {"ixi": {"unit": "share", "train": 0.5, "validation": 0.3, "test": 0.2}},
    "training_data": {"datasets": ["ixi"]},
    "test_datasets": ["ixi"],
    "models": {"vae": {"kind": "vae"}},
    "methods": {"weighted": {"label": "Weighted", "rule": "ra", "model": "vae"}},
}


def plan_with(folder: Path, **config: Any) -> Plan:
    (folder / "studies").mkdir(parents=True)
    (folder / "recipes.yaml").write_text((WORKFLOW / "recipes.yaml").read_text())
    (folder / "studies" / "perceptual.yaml").write_text(yaml.safe_dump(STUDY))
    weights = str(folder / "weights")
    return read_plan({"studies": ["perceptual"], "perceptual_weights": weights, **config}, folder)


def faults(plan: Plan, word: str, place: Place = HERE) -> list[Requirement]:
    """What is missing of the things whose description begins with a word."""
    return [found for found in requirements(plan, place) if found.text.startswith(word) and found.error]


def install_atlas(folder: Path, name: AtlasName) -> None:
    """Empty files under the names of an atlas."""
    (folder / name).mkdir(parents=True)
    for part in ("t1_brain", "brain_mask", "t1_head"):
        (folder / name / f"{name}_{part}.nii.gz").touch()


def test_missing_weights_name_network_and_method_and_stop_a_run(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, scale="paper")
    (needed,) = faults(plan, "weights of")
    assert (needed.text, needed.users) == ("weights of squeeze", ("perceptual: weighted",))
    with pytest.raises(ConfigError) as caught:
        require_all(plan)
    (line,) = (line for line in caught.value.lines if "squeezenet1_1" in line)
    assert "perceptual: weighted" in line


def test_the_quick_scale_needs_no_weights_and_says_so_in_its_results(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, scale="quick")
    assert not any(found.text.startswith("weights of") for found in requirements(plan))
    assert "random" in plan.remark("perceptual", "weighted")


def test_a_missing_program_names_the_model_and_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.prefix", str(tmp_path / "venv"))
    monkeypatch.chdir(tmp_path)
    plan = read_plan({"studies": ["supervised"]}, WORKFLOW)
    (needed,) = faults(plan, "programs of")
    assert needed.users == ("supervised: nnunet",)
    assert "make nnunet" in needed.error


def test_the_doctor_says_how_long_a_program_of_its_own_trains() -> None:
    plan = read_plan({"studies": ["supervised"]}, WORKFLOW)
    texts = [finding.text for finding in examine(plan)]
    assert "supervised, nnunet: 2 epochs of 60 iterations" in texts
    assert "supervised, unet: 250 iterations of batch 8" in texts


@pytest.mark.parametrize("scale", ["quick", "paper"])
@pytest.mark.parametrize("study", STUDIES)
def test_the_doctor_examines_every_study_under_the_delivered_configuration(study: str, scale: str) -> None:
    config = read_config(WORKFLOW.parent / "config.yaml")
    findings = examine(read_plan({**config, "studies": [study], "scale": scale}, WORKFLOW))
    assert any(found.section == "cost" and found.text.startswith(study) for found in findings)
    assert any(found.section == "data sets" and "simulated subjects" in found.text for found in findings)


def test_a_missing_atlas_stops_a_run_and_names_the_data_sets(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, atlas_folder=str(tmp_path / "atlases"))
    (needed,) = faults(plan, "atlas")
    assert needed.users == ("ixi",)
    with pytest.raises(ConfigError, match=r"ixi: .*the SRI24 atlas is not installed"):
        require_all(plan)
    install_atlas(tmp_path / "atlases", "sri24")
    assert faults(plan, "atlas") == []


def test_only_the_atlases_that_are_used_are_needed(tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    (scans / "IXI002-Guys-0828-T2.nii.gz").touch()
    own = {"path": str(scans), "preprocessing": {"atlas": "mni152"}}
    plan = plan_with(tmp_path, atlas_folder=str(tmp_path / "atlases"), datasets={"ixi": own})
    assert [needed.text for needed in faults(plan, "atlas")] == ["atlas mni152"]


@pytest.mark.parametrize(("found", "wrong"), [(1, True), (4, False)])
def test_more_gpus_than_there_are_stop_a_run_and_name_the_key(
    found: int, wrong: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: found)
    text = "config.yaml: gpus_per_training = 4, but torch sees 1 GPU(s). Set it to 1."
    plan = plan_with(tmp_path, scale="paper", gpus_per_training=4)
    assert [needed.error for needed in faults(plan, "4 GPUs")] == ([text] if wrong else [])
    if wrong:
        with pytest.raises(InputError, match="gpus_per_training = 4"):
            make_fabric("auto", "32-true", 4)
    elsewhere = requirements(plan, Place(this_machine=False))
    assert not [needed for needed in elsewhere if needed.text.startswith("4 GPUs")]


def test_a_head_ct_that_is_not_there_is_named(tmp_path: Path) -> None:
    changed = {"modalities": ["ct", "t2"], "reference": "ct", "ct_template": "/nowhere/head.nii.gz"}
    plan = plan_with(tmp_path, datasets={"ixi": {"preprocessing": changed}})
    (needed,) = faults(plan, "head CT")
    assert needed.line == "ixi: preprocessing.ct_template = '/nowhere/head.nii.gz': no such file."


@pytest.mark.parametrize(
    ("engine", "remedy"),
    [("deepbet", "make install"), ("hd-bet-v1", "make hd-bet-v1"), ("hd-bet", "make hd-bet")],
)
def test_a_missing_skull_stripper_stops_a_run_before_its_first_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, remedy: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    plan = plan_with(tmp_path, skull_strip=engine)
    (needed,) = faults(plan, "skull stripping")
    assert needed.users == ("ixi",)
    assert f"`{remedy}`" in needed.error
    with pytest.raises(ConfigError, match=f"skull_strip = '{engine}'"):
        require_all(plan)


def test_a_skull_stripper_that_nobody_uses_is_not_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    plan = plan_with(tmp_path, datasets={"ixi": {"preprocessing": {"skull_strip": "none"}}})
    assert faults(plan, "skull stripping") == []


def test_packages_of_other_environments_are_not_looked_for_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    plan = plan_with(tmp_path)
    assert len(faults(plan, "skull stripping")) == 1
    assert faults(plan, "skull stripping", Place(these_packages=False)) == []


def test_hd_bet_without_its_weights_is_found_before_the_first_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "hd-bet"
    program.touch(mode=0o755)
    changed = {"skull_strip": "hd-bet", "hd_bet": {"program": str(program), "weights": str(tmp_path)}}
    plan = plan_with(tmp_path, datasets={"ixi": {"preprocessing": changed}})
    (needed,) = faults(plan, "skull stripping")
    assert "fold_all/checkpoint_final.pth is missing" in needed.error


def test_a_gpu_is_asked_for_where_jobs_run_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    plan = plan_with(tmp_path, device="cuda")
    (needed,) = faults(plan, "a GPU")
    assert "torch sees no GPU" in needed.error
    assert faults(plan, "a GPU", Place(this_machine=False)) == []
    assert faults(plan_with(tmp_path / "auto", device="auto"), "a GPU") == []


def test_a_skull_stripper_that_insists_on_a_gpu_needs_one_before_preprocessing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    changed = {"skull_strip": "hd-bet", "hd_bet": {"device": "cuda"}}
    plan = plan_with(tmp_path, datasets={"ixi": {"preprocessing": changed}})
    (needed,) = faults(plan, "a GPU")
    assert (needed.users, needed.rules) == (("ixi",), PREPROCESSING)
    changed["hd_bet"] = {"device": "cpu"}
    assert faults(plan_with(tmp_path / "cpu", datasets={"ixi": {"preprocessing": changed}}), "a GPU") == []


@pytest.mark.parametrize(("sbatch", "state"), [(None, "missing"), ("/usr/bin/sbatch", "note")])
def test_the_doctor_misses_a_gpu_only_where_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sbatch: str | None, state: str
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("shutil.which", lambda name: sbatch if name == "sbatch" else None)
    found = examine(plan_with(tmp_path, device="cuda"))
    assert [finding.state for finding in found if "cuda" in finding.text] == [state]


def test_a_run_is_stopped_by_what_its_own_jobs_need_alone(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, scale="paper", atlas_folder=str(tmp_path / "atlases"))
    require_all(plan, rules={"tabulate", "plot", "report"})
    with pytest.raises(ConfigError) as caught:
        require_all(plan, rules={"preprocess"})
    assert not any("squeezenet" in line for line in caught.value.lines)
    with pytest.raises(ConfigError) as caught:
        require_all(plan, rules={"infer", "evaluate"})
    assert not any("atlas" in line for line in caught.value.lines)

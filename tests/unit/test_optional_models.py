"""Optional models: a study without the program of one is the same study without its methods."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from brainuad.methods.nnunet import NnUnet
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from tests.unit.test_plan_reader import change_study, errors_of, workflow

__all__ = ["workflow"]  # a fixture

WORKFLOW = Path(__file__).parents[2] / "workflow"
STUDY = "kascenas2023-ct"


@pytest.fixture
def not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.prefix", str(tmp_path / "venv"))


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NnUnet, "check_installed", classmethod(lambda _: None))


def plan_of(scale: str) -> Plan:
    return read_plan({"studies": [STUDY], "scale": scale}, WORKFLOW)


@pytest.mark.usefixtures("not_installed")
@pytest.mark.parametrize("scale", ["quick", "paper"])
def test_without_nnunet_the_study_of_head_ct_trains_all_others_and_its_table_says_why(scale: str) -> None:
    plan = plan_of(scale)
    assert "nnunet" not in plan.trained_models(STUDY)
    rows = {row.method: row.unavailable for row in plan.studies[STUDY].tables["table4"].rows}
    assert "docs/methods/nnunet.md" in rows.pop("nnunet")
    assert set(rows.values()) == {""}


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("scale", ["quick", "paper"])
def test_with_nnunet_it_learns_whole_volumes_of_annotated_patients(scale: str) -> None:
    plan = plan_of(scale)
    assert plan.model_settings(STUDY, "nnunet")["configuration"] == "3d_fullres"
    assert plan.training_data(STUDY, "nnunet") == (("hospital_ct",), "tumour")
    assert plan.method_datasets(STUDY, "nnunet") == ["hospital_ct"]
    assert not any(row.unavailable for row in plan.studies[STUDY].tables["table4"].rows)


@pytest.mark.usefixtures("not_installed")
def test_what_needs_the_maps_of_a_missing_model_is_left_out_and_rows_say_why(workflow: Path) -> None:
    label = {"method": "nnunet", "label": "nnU-Net"}
    dae = {"method": "dae-coarse", "label": "DAE"}
    maps = {"kind": "maps", "title": "Maps", "dataset": "hospital_ct"}
    lines = {"title": "Sizes", "dataset": "hospital_ct", "x_label": "n", "x": [1, 2], "kind": "trend"}
    change_study(
        workflow,
        {
            "methods/again": {
                "label": "again",
                "rule": "nnunet-segmentation",
                "model": "nnunet",
                "maps_of": "nnunet",
            },
            "figures/both": {**maps, "methods": [label, dae]},
            "figures/alone": {**maps, "methods": [label]},
            "figures/curves": {
                "kind": "training-curves",
                "title": "Training",
                "models": [{"model": "nnunet", "label": "nnU-Net"}],
            },
            "figures/sizes": {
                **lines,
                "series": [
                    {"label": "mixed", "methods": ["dae-coarse", "nnunet"]},
                    {"label": "nnU-Net", "methods": ["nnunet", "again"]},
                ],
            },
        },
        STUDY,
    )
    study = read_plan({"studies": [STUDY]}, workflow).studies[STUDY]
    assert not {"nnunet", "again"} & study.methods.keys()
    assert [entry.method for entry in study.figures["both"].methods] == ["dae-coarse"]
    assert not {"alone", "curves"} & study.figures.keys()
    assert [line.methods for line in study.figures["sizes"].series] == [("dae-coarse", None)]


@pytest.mark.usefixtures("not_installed")
def test_a_sweep_over_a_missing_model_is_left_out(workflow: Path) -> None:
    sweep = {"method": "nnunet", "vary": "model.epochs", "values": [1, 2]}
    change_study(workflow, {"sweeps/epochs": sweep}, STUDY)
    study = read_plan({"studies": [STUDY], "scale": "paper"}, workflow).studies[STUDY]
    assert "epochs" not in study.sweeps
    assert not [name for name in (*study.methods, *study.models) if name.startswith("nnunet")]


@pytest.mark.usefixtures("not_installed")
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"models/nnunet/bogus": 1}, "models.nnunet.bogus"),
        ({"models/nnunet/settings": {"configuration": "4d"}}, "models.nnunet.settings: configuration"),
        ({"methods/nnunet/labell": "x"}, "methods.nnunet.labell"),
        ({"methods": None}, "methods"),
        ({"methods": [1]}, "methods"),
        ({"tables": [1]}, "tables"),
        ({"tables": "x"}, "tables"),
        ({"figures": 5}, "figures"),
        ({"methods/1": {"label": "x", "rule": "reconstruction", "model": 1}}, "methods.1.model"),
    ],
)
def test_what_is_wrong_beside_or_in_a_missing_model_is_named(
    workflow: Path, change: dict[str, Any], named: str
) -> None:
    change_study(workflow, change, STUDY)
    lines = errors_of({"studies": [STUDY]}, workflow)
    assert any(line.startswith(f"{STUDY}.yaml: {named}") for line in lines), lines


@pytest.mark.usefixtures("not_installed")
def test_a_model_that_is_not_optional_stays(workflow: Path) -> None:
    change_study(workflow, {"models/nnunet/optional": False}, STUDY)
    assert "nnunet" in read_plan({"studies": [STUDY]}, workflow).trained_models(STUDY)


def test_one_method_must_be_there_without_optional_models(workflow: Path) -> None:
    path = workflow / "studies" / f"{STUDY}.yaml"
    content = yaml.safe_load(path.read_text())
    content |= {"tables": {}, "figures": {}, "sweeps": {}, "quick": {}}
    content |= {part: {"nnunet": content[part]["nnunet"]} for part in ("models", "methods")}
    path.write_text(yaml.safe_dump(content))
    (line,) = errors_of({"studies": [STUDY]}, workflow)
    assert line.startswith(f"{STUDY}.yaml: models: all methods use optional models")


def test_a_model_without_a_program_of_its_own_cannot_be_optional(workflow: Path) -> None:
    change_study(workflow, {"models/vae/optional": True})
    (line,) = errors_of({}, workflow)
    assert line.startswith("quickstart.yaml: models.vae.optional: kind 'vae' needs no other program")

"""Optional models: a study without the program of one is the same study without its methods."""

from pathlib import Path
from typing import Any

import pytest

from brainuad.methods.nnunet import NnUnet
from brainuad.optional_models import without_missing
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from tests.unit.test_plan_reader import change_study, errors_of, workflow

__all__ = ["workflow"]  # a fixture

WORKFLOW = Path(__file__).parents[2] / "workflow"
STUDY = "kascenas2023-ct"
CONTENT: dict[str, Any] = {
    "models": {"dae": {"kind": "dae"}, "nnunet": {"kind": "nnunet", "optional": True}},
    "methods": {"dae": {"model": "dae"}, "other": {"model": "nnunet"}},
    "tables": {"t": {"rows": [{"method": "dae"}, {"method": "other"}]}},
    "figures": {"f": {"methods": [{"method": "dae"}, {"method": "other"}]}, "g": {"dataset": "ixi"}},
}


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
def test_methods_of_a_missing_model_leave_figures_and_keep_their_rows() -> None:
    kept = without_missing(CONTENT)
    assert (list(kept["models"]), list(kept["methods"])) == (["dae"], ["dae"])
    assert kept["figures"] == {"f": {"methods": [{"method": "dae"}]}, "g": {"dataset": "ixi"}}
    assert [row.get("unavailable", "") for row in kept["tables"]["t"]["rows"]] == [
        "",
        "optional, and not installed here; see docs/methods/nnunet.md",
    ]


@pytest.mark.usefixtures("not_installed")
def test_a_model_that_is_not_optional_stays() -> None:
    needed = {**CONTENT, "models": {"nnunet": {"kind": "nnunet"}}}
    assert without_missing(needed) == needed


def test_a_model_without_a_program_of_its_own_cannot_be_optional(workflow: Path) -> None:
    change_study(workflow, {"models/vae/optional": True})
    (line,) = errors_of({}, workflow)
    assert line.startswith("quickstart.yaml: models.vae.optional: kind 'vae' needs no other program")

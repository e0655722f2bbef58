"""What the report is told of data sets: names of synthetic test sets belong to one study each."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from brainuad.report_plan import dataset_entry, phantom_contests

WORKFLOW = Path(__file__).parents[2] / "workflow"


def study_on(dataset: str, split: dict[str, Any]) -> str:
    """A study file with a synthetic test set of a data set."""
    return yaml.safe_dump(
        {
            "title": "Own",
            "recipe": "quickstart-t2",
            "splits": {dataset: split},
            "training_data": {"datasets": [dataset]},
            "test_datasets": [dataset],
            "synthetic": {"ellipses": {"of": dataset, "kind": "ellipses"}},
            "models": {"vae": {"kind": "vae"}},
            "methods": {"vae": {"label": "VAE", "rule": "reconstruction", "model": "vae"}},
        }
    )


def plan_of(folder: Path, order: list[str]) -> Plan:
    """Two studies with a synthetic test set `ellipses` each, of a phantom and of real scans."""
    (folder / "studies").mkdir(parents=True)
    (folder / "recipes.yaml").write_text((WORKFLOW / "recipes.yaml").read_text())
    simulated = study_on("ixi", {"train": 8, "validation": 2, "test": 2})
    (folder / "studies" / "simulated.yaml").write_text(simulated)
    real = study_on("own", {"unit": "share", "train": 0.5, "validation": 0.3, "test": 0.2})
    (folder / "studies" / "real.yaml").write_text(real)
    scan = folder / "own" / "sub-01" / "anat" / "sub-01_T2w.nii.gz"
    scan.parent.mkdir(parents=True)
    scan.write_text("x")
    (folder / "own" / "participants.tsv").write_text("participant_id\tgroup\nsub-01\tcontrol\n")
    datasets = {"ixi": "phantom", "own": {"path": str(folder / "own"), "format": "bids"}}
    return read_plan({"studies": order, "datasets": datasets}, folder)


@pytest.mark.parametrize("order", [["simulated", "real"], ["real", "simulated"]])
def test_a_synthetic_test_set_is_simulated_where_its_own_study_says_so(
    tmp_path: Path, order: list[str]
) -> None:
    plan = plan_of(tmp_path, order)
    assert {name: dataset_entry(plan, name, "ellipses").phantom for name in order} == {
        "simulated": True,
        "real": False,
    }
    assert set(phantom_contests(plan)) == {"ixi", "simulated-ellipses"}

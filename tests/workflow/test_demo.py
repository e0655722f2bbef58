"""What the demo claims, from a run of the delivered quickstart on its tumours: the learned methods find them."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from brainuad.storage import read_table
from tests.workflow.conftest import REPOSITORY, copy_repository

STUDY = yaml.safe_load((REPOSITORY / "workflow" / "studies" / "quickstart.yaml").read_text())
LEARNED = [name for name, method in STUDY["methods"].items() if "model" in method]


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """AUPRC and prevalence over all voxels of the phantom's BraTS21: a row for each learned method."""
    workflow = copy_repository(tmp_path_factory.mktemp("demo") / "workflow")
    without = {"tables": {}, "figures": {}, "test_datasets": ["brats21"]}  # and without the patients of MSLUB
    splits = {name: split for name, split in STUDY["splits"].items() if name != "mslub"}
    workflow.change("workflow/studies/quickstart.yaml", {**without, "splits": splits})
    targets = {method: f"results/quickstart/scores/{method}/run-0/brats21.tsv" for method in LEARNED}
    workflow.run("--profile", "profiles/local", *targets.values())
    return pd.DataFrame([_pooled(workflow.folder / target) for target in targets.values()], index=LEARNED)


def _pooled(scores: Path) -> "pd.Series[float]":
    table = read_table(scores)
    chosen = table[(table["subject"] == "pooled") & table["metric"].isin(["auprc", "prevalence"])]
    return chosen.set_index("metric")["value"].astype(float)


@pytest.mark.parametrize("method", LEARNED)
def test_each_learned_method_is_clearly_better_than_chance(pooled: pd.DataFrame, method: str) -> None:
    assert pooled.loc[method, "auprc"] >= 5 * pooled.loc[method, "prevalence"] > 0


def test_coarse_noise_beats_gaussian_noise(pooled: pd.DataFrame) -> None:
    assert pooled.loc["dae-coarse", "auprc"] > pooled.loc["dae-gaussian", "auprc"]

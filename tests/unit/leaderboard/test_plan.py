"""From study files to entrants."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from brainuad.leaderboard.inputs import Entrant
from brainuad.leaderboard.plan import ranking_inputs
from brainuad.plan_reader import read_plan

WORKFLOW = Path(__file__).parents[3] / "workflow"
STUDY: dict[str, Any] = {
    "title": "Test",
    "recipe": "quickstart-t2",
    "runs": {"kind": "seed", "count": 2},
    "splits": {
        "ixi": {"train": 8, "validation": 2, "test": 2},
        "brats21": {"train": 3, "validation": 2, "test": 3},
    },
    "training_data": {"datasets": ["ixi"]},
    "test_datasets": ["brats21"],
    "healthy_dataset": "ixi",
    "synthetic": {"planted": {"of": "ixi", "kind": "ellipses"}},
    "models": {"dae": {"kind": "dae"}, "unet": {"kind": "unet", "training_data": {"datasets": ["brats21"]}}},
    "methods": {
        "dae": {"label": "DAE", "rule": "reconstruction", "model": "dae"},
        "dae-mf5": {"label": "DAE, MF5", "rule": "reconstruction", "model": "dae", "maps_of": "dae"},
        "dae-ablation": {"label": "Ablation", "rule": "reconstruction", "model": "dae", "role": "validation"},
        "unet": {"label": "U-Net", "rule": "segmentation", "model": "unet", "datasets": ["brats21"]},
    },
}


def entrants_of(folder: Path, study: dict[str, Any]) -> tuple[Entrant, ...]:
    """The entrants of two studies that differ in their names alone."""
    (folder / "studies").mkdir(parents=True)
    shutil.copyfile(WORKFLOW / "recipes.yaml", folder / "recipes.yaml")
    for name in ("one", "two"):
        (folder / "studies" / f"{name}.yaml").write_text(yaml.safe_dump(study))
    return ranking_inputs(read_plan({"studies": ["one", "two"]}, folder)).entrants


@pytest.fixture(scope="module")
def entrants(tmp_path_factory: pytest.TempPathFactory) -> tuple[Entrant, ...]:
    return entrants_of(tmp_path_factory.mktemp("plan") / "workflow", STUDY)


def test_methods_that_differ_in_post_processing_alone_appear_once(entrants: tuple[Entrant, ...]) -> None:
    assert {entrant.method for entrant in entrants} == {"dae", "unet"}


def test_studies_meet_on_a_data_set_but_not_on_synthetic_ones(entrants: tuple[Entrant, ...]) -> None:
    contests: dict[str, set[str]] = {}
    for entrant in entrants:
        contests.setdefault(entrant.contest, set()).add(entrant.study)
    assert contests == {"brats21": {"one", "two"}, "one-planted": {"one"}, "two-planted": {"two"}}


def test_a_method_enters_only_where_it_is_scored(entrants: tuple[Entrant, ...]) -> None:
    found = {(entrant.method, entrant.contest) for entrant in entrants if entrant.study == "one"}
    assert found == {("dae", "brats21"), ("dae", "one-planted"), ("unet", "brats21")}


def test_entrants_name_what_they_learnt_from(entrants: tuple[Entrant, ...]) -> None:
    found = {entrant.method: entrant for entrant in entrants if entrant.contest == "brats21"}
    assert (found["dae"].training, found["dae"].supervised) == (("ixi",), False)
    assert (found["unet"].training, found["unet"].supervised) == (("brats21",), True)


def test_files_lie_where_the_workflow_writes_them(entrants: tuple[Entrant, ...]) -> None:
    entrant = next(e for e in entrants if (e.study, e.method, e.contest) == ("one", "dae", "brats21"))
    assert entrant.scores(1) == Path("results/leaderboard/scores/one/dae/run-1/brats21.tsv")
    assert entrant.manifest(0) == Path("results/one/maps/dae/run-0/brats21.tsv")
    assert entrant.split(0) == Path("results/one/splits/run-0.tsv")
    assert entrant.cost(0) == Path("results/one/models/dae/run-0/cost.json")
    assert entrant.arrays == Path("results/arrays/brats21/quickstart-t2")


def test_entrants_say_where_healthy_scans_can_be(entrants: tuple[Entrant, ...]) -> None:
    assert {entrant.healthy for entrant in entrants} == {("ixi", "")}


def test_planted_anomalies_share_their_scans_with_the_data_set_they_were_planted_in(
    entrants: tuple[Entrant, ...],
) -> None:
    planted = next(entrant for entrant in entrants if entrant.contest == "one-planted")
    assert planted.same_scans == ("ixi",)
    assert planted.arrays == Path("results/one/synthetic/planted")


def test_maps_enter_where_another_method_scores_them(tmp_path: Path) -> None:
    methods = {**STUDY["methods"], "dae": {**STUDY["methods"]["dae"], "datasets": ["brats21"]}}
    found = entrants_of(tmp_path / "workflow", {**STUDY, "methods": methods})
    assert {e.contest for e in found if e.method == "dae"} == {"brats21", "one-planted", "two-planted"}

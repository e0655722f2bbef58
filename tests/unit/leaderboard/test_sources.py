"""Who lends a test set the scans on which thresholds are chosen."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from brainuad.leaderboard.inputs import Sources
from brainuad.leaderboard.plan import contests, ranked_methods
from brainuad.leaderboard.sources import mapped_datasets, threshold_sources
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan

WORKFLOW = Path(__file__).parents[3] / "workflow"
PAPERS = ["kascenas2023", "behrendt2023", "frotscher2023", "bercea2023-ra", "bercea2023-autoddpm"]
METHOD = {"label": "T", "rule": "thresholding", "settings": {"modality": "t2"}}
STUDY: dict[str, Any] = {
    "title": "Test",
    "recipe": "quickstart-t2",
    "splits": {
        "ixi": {"train": 8, "validation": 2, "test": 2},
        "brats21": {"validation": 2, "test": 3},
        "msseg": {"test": 3},
    },
    "training_data": {"datasets": ["ixi"]},
    "test_datasets": ["brats21", "msseg"],
    "methods": {"t": METHOD},
}


def plan_of(folder: Path, config: dict[str, Any] | None = None, **changes: Any) -> Plan:
    (folder / "studies").mkdir(parents=True)
    (folder / "recipes.yaml").write_text((WORKFLOW / "recipes.yaml").read_text())
    (folder / "studies" / "one.yaml").write_text(yaml.safe_dump({**STUDY, **changes}))
    return read_plan({"studies": ["one"], **(config or {})}, folder)


def lent(folder: Path, dataset: str, method: str = "t", **changes: Any) -> Sources:
    return threshold_sources(plan_of(folder / "workflow", **changes), "one", method, dataset)


def test_a_test_set_without_validation_patients_borrows_those_of_another(tmp_path: Path) -> None:
    assert lent(tmp_path, "msseg").patients == ("brats21",)


def test_a_test_set_with_validation_patients_borrows_none(tmp_path: Path) -> None:
    assert lent(tmp_path, "brats21").patients == ()


def test_without_any_validation_patient_nobody_lends(tmp_path: Path) -> None:
    splits = {**STUDY["splits"], "brats21": {"test": 5}}
    assert lent(tmp_path, "msseg", splits=splits) == Sources()


def test_counts_of_patients_alone_say_whether_patients_validate(tmp_path: Path) -> None:
    splits = {**STUDY["splits"], "brats21": {"validation": 2, "patients": {"test": 3}}}
    assert lent(tmp_path, "msseg", splits=splits).patients == ()


def test_patients_of_mslub_do_not_lend_to_ljubljana_which_has_the_same_people(tmp_path: Path) -> None:
    splits = {**STUDY["splits"], "mslub": {"validation": 2, "test": 2}, "ljubljana": {"test": 3}}
    tested = ["brats21", "msseg", "mslub", "ljubljana"]
    plan = plan_of(tmp_path / "workflow", splits=splits, test_datasets=tested)
    assert threshold_sources(plan, "one", "t", "msseg").patients == ("brats21", "mslub")
    assert threshold_sources(plan, "one", "t", "ljubljana").patients == ("brats21",)


def test_people_are_known_by_the_format_whatever_a_data_set_is_called(tmp_path: Path) -> None:
    for name in ("patient01", "patient02"):
        (tmp_path / "own" / name).mkdir(parents=True)
        (tmp_path / "own" / name / f"{name}_T2W.nii.gz").touch()
    splits = {**STUDY["splits"], "lub": {"validation": 1, "test": 1}, "ljubljana": {"test": 3}}
    phantoms = dict.fromkeys(("ixi", "brats21", "msseg", "ljubljana"), "phantom")
    config = {"datasets": {**phantoms, "lub": {"path": str(tmp_path / "own"), "format": "mslub"}}}
    tested = ["brats21", "lub", "ljubljana"]
    plan = plan_of(tmp_path / "workflow", config, splits=splits, test_datasets=tested)
    assert threshold_sources(plan, "one", "t", "brats21").patients == ()
    assert threshold_sources(plan, "one", "t", "ljubljana").patients == ("brats21",)


def test_only_maps_that_are_made_anyway_are_lent(tmp_path: Path) -> None:
    methods = {"t": METHOD, "few": {**METHOD, "datasets": ["msseg"]}}
    assert lent(tmp_path, "msseg", "few", methods=methods) == Sources()
    assert lent(tmp_path / "ixi", "msseg").healthy == ()  # trained on, but not scored


def test_a_study_lends_the_healthy_scans_that_it_trains_on_where_it_names_none(tmp_path: Path) -> None:
    found = lent(tmp_path, "msseg", leaderboard_datasets=["ixi"])
    assert (found.healthy, found.named, found.slices) == (("ixi",), False, "")
    assert found.strata("msseg") == ("", "ixi")


def test_a_study_that_names_its_healthy_scans_lends_these(tmp_path: Path) -> None:
    found = lent(tmp_path, "msseg", healthy_dataset="ixi")
    assert (found.healthy, found.named) == (("ixi",), True)
    assert found.patients == ("brats21",)  # nobody of the healthy data set is a patient
    assert found.strata("msseg") == ("ixi", "")


def test_slices_without_a_lesion_stand_in_where_a_study_learns_from_them(tmp_path: Path) -> None:
    splits = {"brats21": {"train": 3, "validation": 2, "test": 3}, "msseg": {"test": 3}}
    trained = {"datasets": ["brats21"], "slices": "tumour-free-unresized"}
    plan = plan_of(tmp_path / "workflow", splits=splits, training_data=trained)
    for dataset in ("brats21", "msseg"):
        found = threshold_sources(plan, "one", "t", dataset)
        assert (found.healthy, found.slices) == (("brats21",), "tumour-free-unresized")
        assert found.strata(dataset)[-1] == "slices:brats21"


def test_slices_with_lesions_never_stand_in(tmp_path: Path) -> None:
    splits = {"brats21": {"train": 3, "validation": 2, "test": 3}, "msseg": {"test": 3}}
    trained = {"datasets": ["brats21"], "slices": "non-empty"}
    assert lent(tmp_path, "msseg", splits=splits, training_data=trained).slices == ""


def test_planted_anomalies_take_thresholds_from_patients_of_the_study(tmp_path: Path) -> None:
    found = lent(tmp_path, "planted", synthetic={"planted": {"of": "ixi", "kind": "ellipses"}})
    assert found.patients == ("brats21",)


@pytest.fixture(scope="module")
def papers() -> Plan:
    return read_plan({"studies": PAPERS}, WORKFLOW)


@pytest.mark.parametrize("study", PAPERS)
def test_every_paper_has_healthy_scans_for_every_method_and_test_set(papers: Plan, study: str) -> None:
    for dataset in contests(papers, study):
        for method in ranked_methods(papers, study):
            found = threshold_sources(papers, study, method, dataset)
            trained = papers.studies[study].training_data.datasets
            assert found.healthy or dataset in trained, (method, dataset)


@pytest.mark.parametrize(
    ("study", "dataset", "expected"),
    [
        ("kascenas2023", "msseg", Sources(("brats21",), ("brats21",), "tumour-free")),
        ("kascenas2023", "mslub", Sources(("brats21",), ("brats21",), "tumour-free")),
        ("frotscher2023", "ljubljana", Sources(("brats21",), ("brats21",), "tumour-free-unresized")),
        ("frotscher2023", "brats21", Sources((), ("brats21",), "tumour-free-unresized")),
        ("bercea2023-ra", "atlas2", Sources((), ("fastmri",))),
        ("bercea2023-autoddpm", "atlas2", Sources((), ("fastmri",))),
        ("bercea2023-ra", "ellipses", Sources((), ("fastmri",))),
        ("behrendt2023", "brats21", Sources((), ("ixi",), named=True)),
        ("behrendt2023", "msseg", Sources(("brats21", "mslub"), ("ixi",), named=True)),
        ("behrendt2023", "ljubljana", Sources(("brats21",), ("ixi",), named=True)),
    ],
)
def test_what_the_papers_lend(papers: Plan, study: str, dataset: str, expected: Sources) -> None:
    method = ranked_methods(papers, study)[0]
    assert threshold_sources(papers, study, method, dataset) == expected


def test_no_lender_needs_a_map_that_is_not_made_anyway(papers: Plan) -> None:
    for study in PAPERS:
        content = papers.studies[study]
        for dataset in contests(papers, study):
            for method in ranked_methods(papers, study):
                found = threshold_sources(papers, study, method, dataset)
                made = {*mapped_datasets(papers, study, method), *content.leaderboard_datasets}
                assert {*found.patients, *found.healthy} <= made

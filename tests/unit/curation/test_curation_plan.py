"""Which data sets are curated and how, and every error of their settings at once."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from brainuad.config_errors import ConfigError
from brainuad.curation.plan import (
    curated_datasets,
    curation_of,
    is_compared,
    labelling_request,
    model_folder,
    review_table,
    selection_request,
    selection_table,
    training_settings,
    truth_table,
)
from brainuad.curation.settings import CurationSettings
from brainuad.doctor import examine
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """An export of one scan with its report."""
    (tmp_path / "scans.csv").write_text("scan,patient,report,path\ns1,p1,r1,a.nii.gz\n")
    (tmp_path / "reports.csv").write_text("report,patient,date,text\nr1,p1,,Normal.\n")
    return tmp_path


def plan_of(location: Any, hospital: dict[str, Any] | None = None, **changes: Any) -> Plan:
    """The plan of a configuration with a hospital; `hospital` are the settings of its curation."""
    datasets = {"ixi": "phantom", "brats21": "phantom", "mslub": "phantom", "hospital_ct": location}
    config = {"datasets": datasets, "curation": {"hospital_ct": hospital or {}}}
    return read_plan({**config, **changes}, REPOSITORY / "workflow")


def errors_of(location: Any, hospital: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        plan_of(location, hospital)
    return caught.value.lines


def test_a_phantom_hospital_and_an_export_with_reports_are_curated(export: Path) -> None:
    assert curated_datasets(plan_of("phantom")) == ["hospital_ct"]
    assert curated_datasets(plan_of(str(export))) == ["hospital_ct"]


def test_an_export_of_another_name_is_curated_by_its_layout(export: Path) -> None:
    location = {"ixi": "phantom", "brats21": "phantom", "mslub": "phantom"}
    location |= {"mine": {"path": str(export), "format": "hospital_ct"}}
    plan = read_plan({"datasets": location}, REPOSITORY / "workflow")
    assert curated_datasets(plan) == ["mine"]
    assert selection_table(plan, "mine") == Path("results/curation/mine/selection.tsv")


def test_an_export_without_reports_takes_the_selection_beside_its_scans(export: Path) -> None:
    (export / "reports.csv").unlink()
    plan = plan_of(str(export), curation={})
    assert curated_datasets(plan) == []
    assert selection_table(plan, "hospital_ct") is None
    (export / "selection.tsv").touch()
    assert selection_table(plan, "hospital_ct") == export / "selection.tsv"


def test_only_a_phantom_has_a_truth(export: Path) -> None:
    assert truth_table(plan_of(str(export)), "hospital_ct") is None
    assert truth_table(plan_of("phantom"), "hospital_ct") == Path("results/phantom/hospital_ct/truth.csv")


def test_a_review_lies_beside_the_scans_unless_another_is_named(export: Path, tmp_path: Path) -> None:
    assert review_table(plan_of(str(export)), "hospital_ct") is None
    (export / "review.tsv").touch()
    (tmp_path / "mine.tsv").touch()
    assert review_table(plan_of(str(export)), "hospital_ct") == export / "review.tsv"
    named = plan_of(str(export), {"review_file": str(tmp_path / "mine.tsv")})
    assert review_table(named, "hospital_ct") == tmp_path / "mine.tsv"


def test_the_chosen_labeller_is_compared_with_the_others() -> None:
    assert CurationSettings().other_labellers == ("learned",)
    assert CurationSettings(labeller="learned").other_labellers == ("rules",)
    assert CurationSettings(labeller="table", table=Path("t.tsv")).other_labellers == ("rules", "learned")
    assert CurationSettings(compare_labellers=False).other_labellers == ()


def test_without_a_comparison_only_a_phantom_has_something_to_agree_with(export: Path) -> None:
    alone = {"compare_labellers": False}
    assert not is_compared(plan_of(str(export), alone), "hospital_ct")
    assert is_compared(plan_of("phantom", alone), "hospital_ct")


def test_what_is_given_goes_over_the_quick_settings_of_a_training() -> None:
    given = {"learned": {"training": {"hidden": 32, "epochs": 3}}}
    quick = training_settings(plan_of("phantom", given), "hospital_ct")
    paper = training_settings(plan_of("phantom", given, scale="paper"), "hospital_ct")
    assert (quick["hidden"], quick["epochs"], quick["embedding"]) == (32, 3, 64)
    assert (paper["hidden"], paper["epochs"], paper["embedding"]) == (32, 3, 200)


def test_a_trained_labeller_is_taken_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "labeller.json").touch()
    plan = plan_of("phantom", {"labeller": "learned", "learned": {"model": str(tmp_path)}})
    assert model_folder(plan, "hospital_ct") == tmp_path
    assert labelling_request(plan, "hospital_ct", "learned")["model"] == str(tmp_path)
    assert labelling_request(plan, "hospital_ct", "rules")["model"] is None


def test_the_seed_of_the_run_moves_the_draw_of_held_out_patients() -> None:
    plan = plan_of("phantom", {"selection": {"seed": 3}}, seed=4)
    assert selection_request(plan, "hospital_ct")["seed"] == 7


def test_the_default_share_trains_as_many_patients_as_were_published() -> None:
    share = curation_of(plan_of("phantom"), "hospital_ct").selection.held_out_share
    assert 939 - round(share * 939) == 757


def test_missing_files_are_named_together_with_their_keys(tmp_path: Path) -> None:
    lines = errors_of(
        "phantom",
        {
            **{"labeller": "table", "table": "none.tsv", "review_file": "none"},
            "learned": {"model": str(tmp_path)},
        },
    )
    assert lines[0] == "config.yaml: curation.hospital_ct.table = 'none.tsv': no such file."
    assert lines[1] == "config.yaml: curation.hospital_ct.review_file = 'none': no such file."
    assert "learned.model" in lines[2]
    assert "labeller.json is missing" in lines[2]
    assert len(lines) == 3


def test_data_sets_that_cannot_be_curated_are_named() -> None:
    with pytest.raises(ConfigError) as caught:
        plan_of("phantom", curation={"ixi": {}, "hospital": {}})
    first, second = caught.value.lines
    assert first.startswith("config.yaml: curation.ixi: 'ixi' has no reports.")
    assert second.startswith("config.yaml: curation.hospital: data set 'hospital' is not one of ")
    assert "Did you mean 'hospital_ct'?" in second


def test_broken_reports_are_found_before_the_first_job(export: Path) -> None:
    (export / "reports.csv").write_text("report,patient\nr1,p1\n")
    (line,) = errors_of(str(export), {"labeller": "rules"})
    assert line.startswith("config.yaml: datasets.hospital_ct: ")
    assert "the columns date, text are missing" in line


@pytest.mark.parametrize("same_day", [True, False])
def test_scans_to_which_no_report_can_belong_are_found_before_the_first_job(
    export: Path, same_day: bool
) -> None:
    settings = {"selection": {"reports_of_same_day": same_day}}
    (export / "scans.csv").write_text("scan,patient,path,date\ns1,p1,a.nii.gz,2020-01-02\n")
    if same_day:
        plan_of(str(export), settings)
        (export / "scans.csv").write_text("scan,patient,path\ns1,p1,a.nii.gz\n")
    (line,) = errors_of(str(export), settings)
    missing = "report or a date" if same_day else "report"
    assert line.startswith(
        f"config.yaml: datasets.hospital_ct: {export / 'scans.csv'}: no row has a {missing}, so"
    )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"labeller": "table"}, "name the file of labels"),
        ({"table": "labels.tsv"}, "not read where `labeller` is rules"),
        ({"learned": {"model": "a", "labelled": "b"}}, "nothing is trained where `model` names"),
    ],
)
def test_settings_that_would_be_ignored_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        CurationSettings.model_validate(settings)


def test_the_doctor_says_how_a_data_set_is_curated(export: Path) -> None:
    texts = [finding.text for finding in examine(plan_of(str(export))) if finding.section == "curation"]
    assert texts == ["hospital_ct: labels by rules, learned; not reviewed yet"]


def findings_of(plan: Plan, section: str) -> list[tuple[str, str]]:
    return [(each.state, each.text) for each in examine(plan) if each.section == section]


def test_the_doctor_counts_scans_without_a_usable_file(export: Path) -> None:
    (export / "a.nii.gz").touch()
    (export / "scans.csv").write_text(
        "scan,patient,report,path\ns1,p1,r1,a.nii.gz\ns2,p1,r1,\ns3,p1,r1,b.nii.gz\n"
    )
    places = {"hospital_ct": str(export), "cq500": "phantom"}
    plan = plan_of(None, studies=["kascenas2023-ct"], datasets=places)
    ((state, text),) = [each for each in findings_of(plan, "data sets") if "of 3" in each[1]]
    assert state == "note"
    assert text.startswith(
        "hospital_ct: 2 of 3 scans cannot be used as they are (1: scans.csv gives no path; 1: the"
    )


def test_the_doctor_misses_reports_and_rejections_that_match_nothing(export: Path) -> None:
    (export / "reports.csv").write_text("report,patient,date,text\nR1,p1,,Normal.\n")
    state, text = findings_of(plan_of(str(export)), "curation")[1]
    assert state == "missing"
    assert "none of 1 scans find a report" in text
    assert "With capitals ignored 1 of 1 would match." in text
    (export / "review.tsv").write_text("scan\tdecision\nS1\trejected\n")
    state, text = findings_of(plan_of(str(export)), "curation")[1]
    assert (state, "1 rejections name no scan" in text) == ("missing", True)


def test_the_configuration_page_lists_every_key_with_its_default() -> None:
    page = (REPOSITORY / "docs/configuration.md").read_text()
    content = CurationSettings().model_dump(mode="json")
    elsewhere = ("selection", "review")
    keys = {key: value for key, value in content.items() if key not in (*elsewhere, "rules", "learned")}
    keys |= {f"rules.{key}": value for key, value in content["rules"].items()}
    keys |= {f"learned.{key}": value for key, value in content["learned"].items() if key != "training"}
    shown = {None: "null", True: "true", False: "false"}
    for key, value in keys.items():
        text = shown[value] if value is None or isinstance(value, bool) else str(value)
        assert f"| `curation.NAME.{key}` | `{text}` |" in page
    for key in (*elsewhere, "learned.training"):
        assert f"| `curation.NAME.{key}` | [settings](" in page

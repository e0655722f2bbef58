"""From the reports of a simulated hospital to its cohort, without images: what is made, what a change makes again."""

import csv
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from brainuad.phantom.hospital import simulate_hospital
from brainuad.storage import read_table, write_json
from tests.workflow.conftest import Workflow, copy_workflow

PATIENTS = 200
FOLDER = Path("results/curation/hospital_ct")
SCANS = Path("results/phantom/hospital_ct")
# A network that is trained in seconds, and knows next to nothing.
TRAINING = {
    **{"embedding": 8, "hidden": 8, "buckets": 64, "texts": 40},
    **{"held_out_texts": 8, "epochs": 1},
}


@pytest.fixture(scope="module")
def curated(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """A phantom hospital that has been curated, and whatever the run has printed."""
    workflow = copy_workflow(tmp_path_factory.mktemp("curated") / "workflow")
    workflow.change(
        "config.yaml",
        {
            "studies": ["smoke", "kascenas2023-ct"],
            "datasets": dict.fromkeys(
                ("ixi", "brats21", "mslub", "msseg", "ljubljana", "hospital_ct", "cq500"), "phantom"
            ),
            "phantom/subjects": {
                **{"ixi": 4, "brats21": 5, "mslub": 3, "msseg": 3, "ljubljana": 3},
                **{"hospital_ct": PATIENTS, "cq500": 6},
            },
            "curation": {"hospital_ct": {"learned": {"training": TRAINING}}},
        },
    )
    simulate_hospital(workflow.folder / SCANS, PATIENTS, seed=0)
    write_json({}, workflow.folder / f"{SCANS}.json")
    printed = workflow.run("curate")
    (workflow.folder / "results/logs/printed.log").write_text(printed)
    return workflow


@pytest.fixture
def changed(curated: Workflow, tmp_path: Path) -> Workflow:
    """A copy of it that a test may change."""
    shutil.copytree(curated.folder, tmp_path / "workflow", symlinks=True)
    return Workflow(tmp_path / "workflow")


def flow(workflow: Workflow) -> pd.DataFrame:
    return pd.read_csv(workflow.folder / FOLDER / "flow.tsv", sep="\t").set_index("step")


def selection(workflow: Workflow) -> pd.DataFrame:
    return read_table(workflow.folder / FOLDER / "selection.tsv", quoting=csv.QUOTE_NONE).set_index("scan")


def test_curation_writes_all_of_its_files_and_keeps_those_of_patients_private(curated: Workflow) -> None:
    files = {path.name: path for path in (curated.folder / FOLDER).iterdir() if path.is_file()}
    assert set(files) == {
        *("labels.tsv", "selection.tsv", "flow.tsv", "remarks.tsv", "review.html", "agreement.tsv")
    }
    for name in ("labels.tsv", "selection.tsv", "review.html"):
        assert files[name].stat().st_mode & 0o777 == 0o600
    assert curated.planned("curate") == {}


def test_every_step_leaves_a_cleaner_cohort(curated: Workflow) -> None:
    table = flow(curated)
    assert table["images"].is_monotonic_decreasing
    assert table.loc["initial", "patients"] == PATIENTS
    assert table.loc["report labels", "contamination_after"] < table.loc["initial", "contamination_after"] / 4
    assert (table["images_lost"] >= table["normals_lost"]).all()


def test_both_labellers_are_compared_with_each_other_and_with_what_was_written(curated: Workflow) -> None:
    table = read_table(curated.folder / FOLDER / "agreement.tsv")
    pairs = set(zip(table["labeller"], table["reference"], strict=True))
    assert pairs == {("learned", "rules"), ("rules", "written"), ("learned", "written")}
    rules = table[(table["labeller"] == "rules") & (table["label"] == "all (micro)")]
    assert float(rules["f1"].iloc[0]) > 0.8


def test_the_same_reports_give_the_same_cohort(changed: Workflow) -> None:
    before = [(changed.folder / FOLDER / name).read_bytes() for name in ("flow.tsv", "selection.tsv")]
    changed.run("--forcerun", "label_reports", "--", f"{FOLDER}/flow.tsv")
    after = [(changed.folder / FOLDER / name).read_bytes() for name in ("flow.tsv", "selection.tsv")]
    assert after == before


def test_a_review_is_read_by_the_next_run_and_labels_nothing_again(changed: Workflow) -> None:
    kept = selection(changed).query("kept == 'yes'").index
    review = changed.folder / SCANS / "review.tsv"
    review.write_text(f"scan\tdecision\n{kept[0]}\trejected\n")
    changed.run("curate")
    assert flow(changed).loc["manual review", "images_lost"] == 1
    review.write_text(f"{review.read_text()}{kept[1]}\trejected\n")
    assert changed.planned("curate") == {"select_cohort": 1, "review_sheet": 1, "curate": 1}
    changed.run("curate")
    assert flow(changed).loc["manual review", "images_lost"] == 2
    assert selection(changed).loc[kept[:2], "reason"].tolist() == ["rejected"] * 2


def test_a_changed_pattern_chooses_again_and_labels_nothing_again(changed: Workflow) -> None:
    changed.change("config.yaml", {"curation/hospital_ct/selection": {"follow_up_patterns": ["since"]}})
    assert changed.planned(f"{FOLDER}/flow.tsv") == {"select_cohort": 1}


def test_the_cohort_table_takes_its_groups_from_the_selection(changed: Workflow) -> None:
    changed.run("results/cohorts/hospital_ct.tsv")
    cohort = read_table(changed.folder / "results/cohorts/hospital_ct.tsv").set_index("subject")
    chosen = selection(changed)
    held_out = chosen["reason"] == "held out"
    normal = (chosen["kept"] == "yes") | held_out
    assert set(cohort.index[cohort["group"] == "healthy"]) == set(chosen.index[normal])
    assert set(cohort.index[cohort["held_out"] == "yes"]) == set(chosen.index[held_out])
    abnormal = chosen.index[chosen["reason"].str.contains("(positive)", regex=False)]
    assert set(cohort.index[cohort["group"] == "patient"]) == set(abnormal)


def test_scans_that_are_not_selected_are_not_preprocessed(changed: Workflow) -> None:
    planned = changed.planned("results/derivatives/hospital_ct/quality.tsv")
    chosen = selection(changed)
    used = (chosen["kept"] == "yes") | (chosen["reason"] == "held out")
    used |= chosen["reason"].str.contains("(positive)", regex=False)
    assert planned == {"index": 1, "preprocess": used.sum(), "assess": 1}


def test_the_first_table_of_the_paper_stands_beside_the_published_numbers(changed: Workflow) -> None:
    target = "results/kascenas2023-ct/tables/table1.md"
    changed.run(target)
    text = (changed.folder / target).read_text()
    assert f"| Initial | {flow(changed).loc['initial', 'images']}<br>published 16,559" in text
    assert "simulated phantom" in text


def test_what_the_selection_says_is_printed_and_logged(curated: Workflow) -> None:
    told = f"{'follow-up filter':16} {flow(curated).loc['follow-up filter', 'images']:7d} images"
    for name in ("printed.log", "select_cohort/hospital_ct.log"):
        assert told in (curated.folder / "results/logs" / name).read_text()


def test_no_log_holds_a_report_or_an_identifier(curated: Workflow) -> None:
    logs = "\n".join(path.read_text() for path in (curated.folder / "results/logs").rglob("*.log"))
    assert "reports: " in logs
    with (curated.folder / SCANS / "reports.csv").open(newline="") as file:
        reports = list(csv.DictReader(file))
    lines = {line.strip() for row in reports for line in row["text"].splitlines()}
    told = {line for line in lines if len(line) > 20} | {row["report"] for row in reports}
    told |= {row["patient"] for row in reports} | set(selection(curated).index)
    assert [text for text in told if text in logs] == []


def test_a_corrected_scan_labels_no_report_again(tmp_path: Path) -> None:
    workflow, export = copy_workflow(tmp_path / "workflow"), tmp_path / "export"
    changes = {"datasets/hospital_ct": str(export), "curation": {"hospital_ct": {"compare_labellers": False}}}
    workflow.change("config.yaml", changes)
    export.mkdir()
    (export / "reports.csv").write_text("report,patient,date,text\nr1,p1,,Normal.\n")
    labels = workflow.folder / FOLDER / "labels.tsv"
    labels.parent.mkdir(parents=True)
    labels.write_text("report\tlabel\tclass\tsentence\trule\tstatus\nr1\t\t\t\t\tlabelled\n")
    (export / "scans.csv").write_text("scan,patient,report,path\ns1,p1,r1,corrected.nii.gz\n")
    for age, path in enumerate((export / "scans.csv", labels, export / "reports.csv")):
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 100 * age))
    assert workflow.planned(f"{FOLDER}/flow.tsv") == {"select_cohort": 1}


def test_a_learned_labeller_is_trained_before_it_reads(changed: Workflow) -> None:
    changes = {"curation/hospital_ct/labeller": "learned", "curation/hospital_ct/learned/training/epochs": 2}
    changed.change("config.yaml", changes)
    planned = changed.planned(f"{FOLDER}/flow.tsv")
    assert planned == {"train_labeller": 1, "label_reports": 1, "select_cohort": 1}


def test_everything_that_is_wrong_is_said_before_the_first_job(changed: Workflow) -> None:
    wrong = {
        **{"labeler": "rules", "review_file": "nowhere.tsv"},
        "selection": {"follow_up_patterns": ["sinse"], "allowed_labels": ["atrofy"], "held_out_share": 2},
    }
    changed.change("config.yaml", {"curation": {"hospital_ct": wrong}, "seeed": 1})
    text = changed.run("-n", "curate", check=False)
    assert "curation.hospital_ct.labeler: unknown key" in text
    assert "Did you mean 'labeller'?" in text
    assert "Did you mean 'since'?" in text
    assert "atrofy: no such label" in text
    assert "held_out_share = 2" in text
    assert "Did you mean 'seed'?" in text
    assert "Traceback" not in text

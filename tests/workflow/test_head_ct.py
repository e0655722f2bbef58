"""Head CT from reports to a table: curation chooses who is normal, and a model of volumes is trained on them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from brainuad.storage import read_table
from tests.workflow.conftest import Workflow, copy_workflow

# Five patients with six scans: three are normal for their age, two have lesions that their reports state.
SEED, PATIENTS = 166, 5
SHAPE = (40, 56, 44)  # the quick scale of the recipe
STUDY = {
    "title": "Head CT",
    "recipe": "kascenas2023-ct",
    "runs": {"count": 1},
    "splits": {
        "hospital_ct": {
            **{"train": 0.6, "validation": 0.2, "test": 0.2, "unit": "share"},
            "patients": {"validation": 0.5, "test": 0.5, "unit": "share"},
        }
    },
    "training_data": {"datasets": ["hospital_ct"]},
    "test_datasets": ["hospital_ct"],
    "post_processing": [{"step": "median", "size": 3, "dimensions": 3}],
    "evaluation": {"protocols": ["oracle", "validation"]},
    "models": {
        "dae": {
            "kind": "dae",
            "settings": {"dimension": 3},
            "quick": {
                "network": {"widths": [4, 8]},
                "training": {"iterations": 4, "batch_size": 1, "validate_every": 2, "validation_batches": 1},
            },
        }
    },
    "methods": {"dae": {"label": "DAE", "rule": "reconstruction", "model": "dae"}},
    "tables": {
        "cohort": {
            **{"kind": "cohort-flow", "title": "Selection of the cohort", "dataset": "hospital_ct"},
            "rows": [
                {"step": "initial", "label": "Initial"},
                {"step": "training cohort", "label": "Training"},
            ],
        },
        "results": {
            "title": "DAE on head CT",
            "rows": [{"method": "dae", "label": "DAE"}],
            "columns": [
                {"label": "AUPRC", "dataset": "hospital_ct", "metric": "auprc", "aggregate": "pooled"}
            ],
        },
    },
}


@pytest.fixture(scope="module")
def head_ct(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The study on a hospital of five patients, run to the end at once."""
    workflow = copy_workflow(tmp_path_factory.mktemp("head-ct") / "workflow")
    studies = workflow.folder / "workflow" / "studies"
    (studies / "head-ct.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    workflow.change(
        "config.yaml",
        {
            "studies": ["head-ct"],
            "datasets": {"hospital_ct": {"preprocessing": {"resolution_mm": 2.0}}},
            "phantom": {"subjects": {"hospital_ct": PATIENTS}, "settings": {"spacing_mm": 3.0}},
            "curation": {"hospital_ct": {"selection": {"held_out_share": 0.6}, "compare_labellers": False}},
            "seed": SEED,
        },
    )
    workflow.run()
    return workflow


def table(workflow: Workflow, path: str) -> pd.DataFrame:
    return read_table(workflow.folder / "results" / path)


def split_with_groups(workflow: Workflow) -> pd.DataFrame:
    cohort = table(workflow, "cohorts/hospital_ct.tsv")[["subject", "group", "held_out"]]
    return table(workflow, "head-ct/splits/run-0.tsv").merge(cohort, on="subject")


def test_normal_scans_that_are_held_out_validate_and_test_and_the_others_train(head_ct: Workflow) -> None:
    split = split_with_groups(head_ct)
    healthy = split[split["group"] == "healthy"]
    assert set(healthy.loc[healthy["held_out"] == "yes", "role"]) == {"validation", "test"}
    assert set(healthy.loc[healthy["held_out"] == "", "role"]) == {"train"}
    assert set(split.loc[split["role"] == "train", "group"]) == {"healthy"}
    assert set(split.loc[split["group"] == "patient", "role"]) == {"validation", "test"}


def test_maps_of_scans_that_are_not_trained_on_have_the_shape_of_the_volumes(head_ct: Workflow) -> None:
    split = split_with_groups(head_ct)
    expected = set(split.loc[split["role"] != "train", "subject"])
    folder = head_ct.folder / "results/head-ct/maps/dae/run-0/hospital_ct"
    maps = {subject: np.load(folder / f"sub-{subject}_map.npy") for subject in expected}
    assert len(list(folder.glob("*_map.npy"))) == len(expected)
    assert {each.shape for each in maps.values()} == {SHAPE}
    assert all(each.min() >= 0 and each.max() > 0 for each in maps.values())


def test_the_pooled_precision_of_lesions_is_a_number(head_ct: Workflow) -> None:
    results = pd.read_csv(head_ct.folder / "results/head-ct/tables/results.csv")
    assert results["ours_mean"].between(0, 1, inclusive="neither").all()


def test_the_flow_of_the_cohort_is_in_the_report_and_its_table(head_ct: Workflow) -> None:
    flow = table(head_ct, "curation/hospital_ct/flow.tsv").set_index("step")
    assert flow.loc["initial", ["images", "patients"]].tolist() == ["6", str(PATIENTS)]
    pages = {path.name: path.read_text() for path in (head_ct.folder / "results/report").rglob("*.html")}
    assert any("follow-up filter" in page and "held out" in page for page in pages.values())
    assert "Training" in (head_ct.folder / "results/head-ct/tables/cohort.md").read_text()


def test_nothing_is_made_twice(head_ct: Workflow) -> None:
    assert head_ct.planned() == {}


def test_no_page_of_the_report_names_a_patient_or_repeats_a_report(head_ct: Workflow) -> None:
    text = "".join(path.read_text() for path in Path(head_ct.folder / "results/report").rglob("*.html"))
    reports = pd.read_csv(head_ct.folder / "results/phantom/hospital_ct/reports.csv", dtype=str)
    sentences = {line for report in reports["text"] for line in report.splitlines() if len(line) > 20}
    assert [sentence for sentence in sentences if sentence in text] == []

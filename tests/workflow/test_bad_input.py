"""Broken configurations and scans, given to Snakemake: explained before the first job, or a row with a reason."""

import gzip
from pathlib import Path

import pytest

from brainuad.storage import read_json, read_table
from tests.workflow.conftest import Workflow, copy_workflow


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    """A workflow that a test may break."""
    return copy_workflow(tmp_path / "workflow")


@pytest.mark.parametrize("content", ["studies: [smoke\nscale: : x", "", "- smoke\n"])
def test_a_configuration_that_is_no_mapping_stops_without_a_traceback(
    workflow: Workflow, content: str
) -> None:
    (workflow.folder / "config.yaml").write_text(content)
    text = workflow.run("-n", check=False)
    assert "Config file" in text
    assert "Traceback" not in text


def test_wrong_names_in_configuration_and_study_are_shown_together(workflow: Workflow) -> None:
    (workflow.folder / "scan.nii.gz").touch()
    workflow.change("config.yaml", {"datasets/ixi": "scan.nii.gz"})
    study = {"models/dae-coarse/settings": {"noise": {"kind": "corase"}}, "methods/dae-coarse/rule": "recon"}
    workflow.change("workflow/studies/smoke.yaml", study)
    text = workflow.run("-n", check=False)
    assert "config.yaml: datasets.ixi = 'scan.nii.gz': no such folder" in text
    assert "Did you mean 'coarse'?" in text
    assert "smoke.yaml: methods.dae-coarse.rule = 'recon'" in text
    assert "Traceback" not in text


def test_a_broken_spreadsheet_stops_without_a_traceback(workflow: Workflow) -> None:
    root = workflow.folder / "IXI"
    root.mkdir()
    (root / "IXI002-Guys-0828-T1.nii.gz").touch()
    (root / "IXI.xls").write_text("<html>not found</html>")
    workflow.change("config.yaml", {"datasets/ixi": "IXI"})
    text = workflow.run("-n", check=False)
    assert "IXI.xls: not a readable spreadsheet" in text
    assert "Traceback" not in text


def truncate_the_only_scan(workflow: Workflow) -> None:
    """Gives BraTS one subject, in a folder with spaces, whose files end too early."""
    folder = workflow.folder / "Köln $1 'a'" / "BraTS2021_00000"
    folder.mkdir(parents=True)
    for part in ("flair", "t1", "t1ce", "t2"):
        content = gzip.compress(b"not an image" * 99)
        (folder / f"BraTS2021_00000_{part}.nii.gz").write_bytes(content[:-20])
    workflow.change("config.yaml", {"datasets/brats21": folder.parent.name})


def test_a_truncated_scan_in_a_folder_with_spaces_is_a_row_with_its_reason(workflow: Workflow) -> None:
    truncate_the_only_scan(workflow)
    record = "results/derivatives/brats21/sub-BraTS202100000/quality.json"
    workflow.run(record)
    cohort = read_table(workflow.folder / "results" / "cohorts" / "brats21.tsv")
    assert cohort["status"].tolist() == ["ok"]
    quality = read_json(workflow.folder / record)
    assert quality["status"] == "excluded"
    assert quality["reason"].endswith(": the file cannot be read (truncated, or not NIfTI)")


def test_what_the_message_on_too_many_failures_names_is_there(workflow: Workflow) -> None:
    truncate_the_only_scan(workflow)
    workflow.run("results/arrays/brats21/smoke-t2/index.tsv", check=False)
    log = (workflow.folder / "results/logs/pack/brats21/smoke-t2.log").read_text()
    derivatives = Path("results/derivatives/brats21")
    assert "1 of 1 subjects failed preprocessing" in log
    assert f"Look at {derivatives / 'quality.tsv'} and mosaic.png" in log
    assert read_table(workflow.folder / derivatives / "quality.tsv")["status"].tolist() == ["excluded"]
    assert (workflow.folder / derivatives / "mosaic.png").is_file()


def test_a_key_that_is_written_twice_stops_before_the_first_job(workflow: Workflow) -> None:
    config = workflow.folder / "config.yaml"
    config.write_text(f"{config.read_text()}\nseed: 1\nseed: 2\n")
    text = workflow.run("-n", check=False)
    assert "config.yaml: not readable as YAML: the key 'seed' is written twice" in text
    assert "Traceback" not in text

"""The warnings of a selection, kept for the page of the cohort."""

import logging
from pathlib import Path

import pandas as pd

from brainuad.curation.remarks import warnings_of
from tests.unit.curation.hospital import Hospital


def remarks(hospital: Hospital) -> list[str]:
    path = hospital.folder / "remarks.tsv"
    hospital.select(remarks=path)
    return list(pd.read_csv(path, sep="\t", keep_default_na=False)["remark"])


def test_a_remark_names_the_file_without_its_folder(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path)
    hospital.normal(0)
    hospital.report("r0", "p0")
    (remark,) = remarks(hospital)
    assert remark == "reports.csv: 1 rows repeat a report word for word; each counts once."


def test_an_export_without_faults_has_no_remarks(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path)
    hospital.normal(0)
    assert remarks(hospital) == []


def test_only_warnings_of_the_time_between_are_kept() -> None:
    logger = logging.getLogger("brainuad.tests.remarks")
    logger.warning("before")
    with warnings_of(logger) as warned:
        logger.info("no warning")
        logger.error("worse than a warning")
        logger.getChild("below").warning("from below")
    logger.warning("after")
    assert [record.getMessage() for record in warned] == ["worse than a warning", "from below"]
    assert not logger.handlers

"""The quality table of a cohort, its pages of pictures, and the stop when too many subjects fail."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from brainuad.datasets.base import COHORT_COLUMNS
from brainuad.errors import InputError
from brainuad.preprocessing.derivatives import derivative_path, quality_path, strip_path
from brainuad.preprocessing.mosaic import SUBJECTS_PER_PAGE, draw_pages, draw_strip
from brainuad.preprocessing.quality import QUALITY_COLUMNS, check_failed_share, summarise
from brainuad.preprocessing.scan import image_from_array
from brainuad.storage import read_table, write_json, write_table
from tests.verbs import error_of, run

AFFINE = np.diag([-4.0, -4.0, 4.0, 1.0])


def cohort(*subjects: str, **excluded: str) -> pd.DataFrame:
    rows = [
        dict.fromkeys(COHORT_COLUMNS, "")
        | {"subject": name, "participant": name, "group": "healthy", "age": "30"}
        | {"status": "excluded" if name in excluded else "ok", "reason": excluded.get(name, "")}
        for name in (*subjects, *excluded)
    ]
    return pd.DataFrame(rows)


def record(
    folder: Path, subject: str, status: str = "ok", reason: str = "", note: str = "", **left_out: str
) -> None:
    quality = {"subject": subject, "status": status, "reason": reason, "note": note, "brain_ml": 1400.5}
    write_json(quality | {"left_out": left_out}, quality_path(folder, subject))


def strip(folder: Path, subject: str, lesion: bool = False) -> Path:
    voxels = np.zeros((40, 50, 36), np.float32)
    voxels[5:35, 5:45, 5:30] = 1
    brain = image_from_array((voxels > 0).astype(np.uint8), AFFINE)
    inner = image_from_array(np.pad(np.ones((4, 4, 4), np.uint8), ((10, 26), (10, 36), (20, 12))), AFFINE)
    path = strip_path(folder, subject)
    draw_strip(image_from_array(voxels, AFFINE), brain, brain, inner if lesion else None, path)
    return path


def test_the_table_has_a_row_for_every_row_of_the_cohort(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        record(tmp_path, name)
    table = summarise(tmp_path, cohort("a", "b", "c", "d", e="no image found"))
    assert table["subject"].tolist() == ["a", "b", "c", "d", "e"]
    assert table["status"].tolist() == ["ok"] * 4 + ["excluded"]
    written = read_table(tmp_path / "quality.tsv")
    assert tuple(written.columns) == QUALITY_COLUMNS
    assert written.loc[0, ["group", "age", "brain_ml"]].tolist() == ["healthy", "30", "1400.5"]
    assert written.loc[4, "reason"] == "no image found"


@pytest.mark.parametrize(("said", "written"), [("yes", "yes"), ("", "no"), (None, "")])
def test_the_table_tells_whether_curation_has_said_who_is_healthy(
    tmp_path: Path, said: str | None, written: str
) -> None:
    record(tmp_path, "a")
    table = cohort("a") if said is None else cohort("a").assign(held_out=said)
    assert summarise(tmp_path, table)["held_out"].tolist() == [written]


def test_the_table_and_the_mosaic_are_made_however_many_failed_and_packing_stops(tmp_path: Path) -> None:
    record(tmp_path, "a")
    derivative_path(tmp_path, "a", "t2").parent.mkdir(parents=True)
    derivative_path(tmp_path, "a", "t2").touch()
    record(tmp_path, "b", "excluded", "missing t1")
    record(tmp_path, "c", t2="t2: 3 voxels are not finite")
    quality = tmp_path / "quality.tsv"
    write_table(cohort("a", "b", "c", "d"), tmp_path / "cohort.tsv")
    run("assess", "--cohort", tmp_path / "cohort.tsv", "--table", quality)
    settings = json.dumps({"recipe": {"modalities": ["t2"], "steps": []}})
    arguments = ("--settings", settings, "--quality", quality, "--max-failed-share", 0.2)
    text = error_of("pack", *arguments, "--output", tmp_path / "r" / "index.tsv")
    assert "3 of 4 subjects failed" in text
    assert "missing t1" in text
    assert "1 x no derivative of t2; t2: 3 voxels are not finite" in text
    assert "1 x preprocessing did not finish" in text
    assert str(quality) in text
    assert len(read_table(quality)) == 4
    assert (tmp_path / "mosaic.png").is_file()


def test_as_many_failures_as_the_share_allows_do_not_stop(tmp_path: Path) -> None:
    table = cohort("a", "b", "c", d="no image found")
    check_failed_share(tmp_path / "quality.tsv", table, 0.25)
    with pytest.raises(InputError, match="1 of 4 subjects failed"):
        check_failed_share(tmp_path / "quality.tsv", table, 0.2)


def test_the_note_says_which_of_several_scans_was_taken(tmp_path: Path) -> None:
    record(tmp_path, "a", note="left out: t2: 3 voxels are not finite")
    record(tmp_path, "b")
    record(tmp_path, "c", "excluded", "missing t1")
    table = summarise(tmp_path, cohort("a", "b", "c").assign(reason="first of 2 t1 scans"))
    assert table["note"].tolist() == [
        "first of 2 t1 scans; left out: t2: 3 voxels are not finite",
        "first of 2 t1 scans",
        "",
    ]
    assert table["reason"].tolist() == ["", "", "missing t1"]


def test_exclusion_from_the_cohort_counts_more_than_an_old_record(tmp_path: Path) -> None:
    record(tmp_path, "a")
    table = summarise(tmp_path, cohort(a="two visits"))
    assert table.loc[0, ["status", "reason"]].tolist() == ["excluded", "two visits"]


def test_pages_hold_a_fixed_number_of_subjects_and_old_pages_go(tmp_path: Path) -> None:
    (tmp_path / "mosaic-9.png").touch()
    strips = [(f"s{i}", strip_path(tmp_path, f"s{i}"), "failed") for i in range(SUBJECTS_PER_PAGE + 1)]
    strips[0] = ("s0", strip(tmp_path, "s0"), "")
    draw_pages(strips, tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["mosaic-2.png", "mosaic.png"]


def test_without_any_selected_subject_the_mosaic_says_so(tmp_path: Path) -> None:
    assert [page.name for page in draw_pages([], tmp_path)] == ["mosaic.png"]
    assert (tmp_path / "mosaic.png").stat().st_size > 0


def test_the_strip_outlines_a_lesion(tmp_path: Path) -> None:
    plain, marked = (sitk.ReadImage(str(strip(tmp_path, name, name == "b"))) for name in ("a", "b"))
    changed = sitk.GetArrayFromImage(plain) != sitk.GetArrayFromImage(marked)
    assert changed.any()
    assert changed.mean() < 0.05

"""Broken raw scans, given to `brainuad preprocess`: each is a row with its reason, and nothing stops."""

import errno
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest

from brainuad.atlas import atlas_paths
from brainuad.preprocessing.settings import PreprocessingSettings
from brainuad.storage import read_json, write_table
from tests.verbs import error_of, run

ATLAS = Path(__file__).parents[2] / "resources"
BRAIN_ONLY = PreprocessingSettings(skull_strip="none", coregistration="none", registration="none", n4=False)
AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])
SHIFTED = AFFINE + np.array([[0.0, 0, 0, 5]] + [[0.0] * 4] * 3)
Change = Callable[[Path], Any]


def save(voxels: np.ndarray, path: Path, affine: np.ndarray = AFFINE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), path)


def box(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape or (16, 16, 16)).astype(np.float32)


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip_bits(path: Path) -> None:
    content = bytearray(gzip.decompress(path.read_bytes()))
    packed = bytearray(gzip.compress(bytes(content), 0))  # stored, so that only the checksum can tell
    packed[len(packed) // 2] ^= 0x10
    path.write_bytes(bytes(packed))


def change_header(offset: int, value: bytes) -> Change:
    def change(path: Path) -> None:
        content = bytearray(gzip.decompress(path.read_bytes()))
        content[offset : offset + len(value)] = value
        path.write_bytes(gzip.compress(bytes(content)))

    return change


def colours(path: Path) -> None:
    save(np.zeros((16, 16, 16), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")]), path)


def with_value(value: float) -> Change:
    def change(path: Path) -> None:
        voxels = box()
        voxels[3, 4, 5] = value
        save(voxels, path)

    return change


def job(folder: Path, **row: str) -> tuple[object, ...]:
    """The arguments that preprocess the only subject of a cohort table."""
    columns = {"subject": "a", "participant": "a", "status": "ok", "reason": "", "t1": "a_t1.nii.gz"}
    write_table(pd.DataFrame([columns | row]), folder / "cohort.tsv")
    settings = {"root": str(folder / "raw"), "preprocessing": BRAIN_ONLY.model_dump(mode="json")}
    paths = ("--cohort", folder / "cohort.tsv", "--atlas", ATLAS, "--output", record_of(folder))
    return ("preprocess", "--settings", json.dumps(settings), "--subject", "a", *paths)


def record_of(folder: Path) -> Path:
    return folder / "derivatives" / "sub-a" / "quality.json"


def preprocessed(folder: Path, **row: str) -> dict[str, Any]:
    """The quality record of one subject, made by the verb."""
    run(*job(folder, **row))
    quality: dict[str, Any] = read_json(record_of(folder))
    assert str(folder) not in quality["reason"]
    return quality


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (truncate, "t1: the file cannot be read (truncated, or not NIfTI)"),
        (lambda path: path.write_bytes(b""), "t1: the file cannot be read (truncated, or not NIfTI)"),
        (lambda path: path.write_text("no image"), "t1: the file cannot be read (truncated, or not NIfTI)"),
        (
            lambda path: path.write_bytes(gzip.compress(b"no image" * 99)),
            "t1: the file cannot be read (truncated, or not NIfTI)",
        ),
        (lambda path: path.unlink(), "t1: the file is missing"),
        (with_value(np.nan), "t1: 1 voxels are not finite"),
        (with_value(np.inf), "t1: 1 voxels are not finite"),
        (lambda path: save(0 * box(), path), "t1: all voxels have the same value"),
        (
            lambda path: save(box(16, 16, 16, 2), path),
            "t1: 4-D image (shape 16 x 16 x 16 x 2), expected 3-D",
        ),
        (lambda path: save(box(16, 16), path), "t1: 2-D image (shape 16 x 16), expected 3-D"),
    ],
    ids=["truncated", "empty", "text", "packed text", "missing", "nan", "inf", "zero", "4-D", "2-D"],
)
def test_a_broken_scan_is_a_row_with_its_reason(tmp_path: Path, change: Change, reason: str) -> None:
    scan = tmp_path / "raw" / "a_t1.nii.gz"
    save(box(), scan)
    change(scan)
    quality = preprocessed(tmp_path)
    assert (quality["status"], quality["reason"]) == ("excluded", reason)


@pytest.mark.parametrize(
    "change",
    [change_header(70, b"\x07\x10"), change_header(108, b"\0\0\x20\x43"), colours, flip_bits],
    ids=["type of voxels", "offset of voxels", "colours", "checksum"],
)
def test_a_scan_with_a_damaged_header_or_content_is_a_row_with_its_reason(
    tmp_path: Path, change: Change
) -> None:
    scan = tmp_path / "raw" / "a_t1.nii.gz"
    save(box(), scan)
    change(scan)
    quality = preprocessed(tmp_path)
    assert quality["status"] == "excluded"
    assert quality["reason"].startswith("t1: the file cannot be read")


def test_a_fault_of_the_machine_fails_the_job_and_leaves_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(box(), tmp_path / "raw" / "a_t1.nii.gz")

    opened = gzip.open

    def fail_for_scans(path: Path) -> Any:
        if path.is_relative_to(tmp_path):
            raise OSError(errno.ESTALE, "Stale file handle", str(path))
        return opened(path)

    monkeypatch.setattr("brainuad.preprocessing.scan.gzip.open", fail_for_scans)
    error = error_of(*job(tmp_path))
    assert "a_t1.nii.gz: cannot be read now (Stale file handle)" in error
    assert not record_of(tmp_path).exists()


def test_a_missing_modality_is_a_row_with_its_reason(tmp_path: Path) -> None:
    quality = preprocessed(tmp_path, t1="")
    assert (quality["status"], quality["reason"]) == ("excluded", "missing t1")


@pytest.mark.parametrize(
    ("mask", "affine", "reason"),
    [
        (np.ones((16, 16, 15), np.uint8), AFFINE, "mask: its shape differs from that of t1"),
        (np.ones((16, 16, 16), np.uint8), SHIFTED, "mask: its position differs from that of t1"),
        (np.full((16, 16, 16), np.nan, np.float32), AFFINE, "mask: voxels are not finite"),
    ],
    ids=["shape", "affine", "nan"],
)
def test_a_mask_that_does_not_fit_is_a_row_with_its_reason(
    tmp_path: Path, mask: np.ndarray, affine: np.ndarray, reason: str
) -> None:
    save(box(), tmp_path / "raw" / "a_t1.nii.gz")
    save(mask, tmp_path / "raw" / "a_mask.nii.gz", affine)
    quality = preprocessed(tmp_path, mask="a_mask.nii.gz")
    assert quality["status"] == "excluded"
    assert quality["reason"].startswith(reason)


@pytest.mark.parametrize("place", ["../secret.nii.gz", "/etc/hostname", "link.nii.gz"])
def test_a_cohort_table_cannot_name_a_file_outside_the_root(tmp_path: Path, place: str) -> None:
    save(box(), tmp_path / "secret.nii.gz")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "link.nii.gz").symlink_to(tmp_path / "secret.nii.gz")
    quality = preprocessed(tmp_path, t1=place)
    assert (quality["status"], quality["reason"]) == ("excluded", "t1: path outside the root")


def test_an_empty_lesion_mask_and_a_fourth_axis_of_length_one_are_accepted(tmp_path: Path) -> None:
    root = tmp_path / "raw with spaces ö"
    brain = nibabel.load(atlas_paths(ATLAS, "sri24").brain)
    save(np.asarray(brain.dataobj, dtype=np.float32)[..., None], root / "a_t1.nii.gz", brain.affine)
    save(np.zeros((*brain.shape, 1), np.uint8), root / "a_mask.nii.gz", brain.affine)
    (tmp_path / "raw").symlink_to(root)
    quality = preprocessed(tmp_path, mask="a_mask.nii.gz")
    assert (quality["status"], quality["reason"]) == ("ok", "")
    assert quality["note"] == "no lesion in the mask"
    assert quality["lesion_voxels"] == 0

"""Exported maps lie where the anomaly is, on the atlas grid and on the raw scan's."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from brainuad.evaluation.settings import Median
from brainuad.inference.export import ExportFiles, export_maps
from brainuad.preprocessing.derivatives import derivative_path, transform_path
from brainuad.storage import read_table, write_json, write_table

SHIFT_MM = (6.0, -4.0, 2.0)


@pytest.fixture
def files(tmp_path: Path) -> ExportFiles:
    """One subject whose raw scan lies `SHIFT_MM` away from the atlas; its map has one bright block."""
    grid = np.diag([2.0, 2.0, 2.0, 1.0])
    derivative = derivative_path(tmp_path / "derivatives", "s1", "t2")
    derivative.parent.mkdir(parents=True)
    generator = np.random.default_rng(0)
    nib.save(nib.Nifti1Image(generator.random((40, 40, 40), dtype=np.float32), np.eye(4)), derivative)
    moved = np.eye(4)
    moved[:3, 3] = SHIFT_MM
    (tmp_path / "raw").mkdir()
    raw = generator.random((40, 40, 40), dtype=np.float32)
    nib.save(nib.Nifti1Image(raw, moved), tmp_path / "raw" / "s1.nii.gz")
    # From points of the atlas to points of the scan, in the left-posterior world of SimpleITK.
    transform = sitk.TranslationTransform(3, (-SHIFT_MM[0], -SHIFT_MM[1], SHIFT_MM[2]))
    sitk.WriteTransform(transform, str(transform_path(tmp_path / "derivatives", "s1", "t2")))
    arrays = tmp_path / "arrays"
    arrays.mkdir()
    np.save(arrays / "brain.npy", np.ones((20, 20, 20), dtype=bool))
    index = {
        "subject": "s1",
        "group": "patient",
        "first_slice": 0,
        "slices": 20,
        "lesion_voxels": 0,
        "status": "ok",
        "reason": "",
    }
    write_table(pd.DataFrame([index]), arrays / "index.tsv")
    write_json({"name": "r", "channels": ["t2"], "size": [20, 20]}, arrays / "recipe.json")
    write_json({"s1": grid.tolist()}, arrays / "geometry.json")
    anomaly = np.zeros((20, 20, 20), dtype=np.float16)
    anomaly[12:15, 5:8, 9:12] = 256.0
    anomaly[2, 2, 2] = 512.0
    (tmp_path / "maps").mkdir()
    np.save(tmp_path / "maps" / "sub-s1_map.npy", anomaly)
    row = {"subject": "s1", "status": "ok", "reason": "", "scale_exponent": 8, "map": "sub-s1_map.npy"}
    write_table(pd.DataFrame([row]), tmp_path / "maps.tsv")
    write_table(pd.DataFrame([{"subject": "s1", "t2": "s1.nii.gz"}]), tmp_path / "cohort.tsv")
    return ExportFiles(
        tmp_path / "maps.tsv", arrays, tmp_path / "derivatives", tmp_path / "cohort.tsv", tmp_path / "raw"
    )


def brightest_point(path: Path) -> np.ndarray:
    """World coordinates of the centre of the values above one half."""
    image = nib.load(path)
    voxels = np.argwhere(np.asarray(image.dataobj) > 0.5)
    return nib.affines.apply_affine(image.affine, voxels.mean(axis=0))


def test_maps_lie_on_the_anomaly_in_both_spaces(files: ExportFiles, tmp_path: Path) -> None:
    export_maps(files, [Median(step="median", size=3)], tmp_path / "out.tsv")
    (row,) = read_table(tmp_path / "out.tsv").to_dict("records")
    expected = np.array([26.0, 12.0, 20.0])
    assert brightest_point(tmp_path / "out" / row["atlas_map"]) == pytest.approx(expected, abs=1)
    native = brightest_point(tmp_path / "out" / row["native_map"])
    assert native == pytest.approx(expected + SHIFT_MM, abs=1)


def test_values_are_in_true_units_and_post_processed(files: ExportFiles, tmp_path: Path) -> None:
    export_maps(files, [Median(step="median", size=3)], tmp_path / "out.tsv")
    (row,) = read_table(tmp_path / "out.tsv").to_dict("records")
    values = np.asarray(nib.load(tmp_path / "out" / row["atlas_map"]).dataobj)
    # 256 / 2**8; the single bright voxel is gone after the median.
    assert values.max() == pytest.approx(1)


def test_a_missing_scan_is_a_row_with_its_reason(files: ExportFiles, tmp_path: Path) -> None:
    (files.root / "s1.nii.gz").unlink()
    export_maps(files, [], tmp_path / "out.tsv")
    (row,) = read_table(tmp_path / "out.tsv").to_dict("records")
    assert "not in native space" in row["reason"]
    assert (tmp_path / "out" / row["atlas_map"]).exists()


def test_a_truncated_map_is_a_row_with_its_reason(files: ExportFiles, tmp_path: Path) -> None:
    path = tmp_path / "maps" / "sub-s1_map.npy"
    path.write_bytes(path.read_bytes()[:60])
    export_maps(files, [], tmp_path / "out.tsv")
    (row,) = read_table(tmp_path / "out.tsv").to_dict("records")
    assert row["status"] == "excluded"
    assert "cannot be read" in row["reason"]


def test_a_missing_derivative_is_a_row_with_its_reason(files: ExportFiles, tmp_path: Path) -> None:
    derivative_path(files.derivatives, "s1", "t2").unlink()
    export_maps(files, [], tmp_path / "out.tsv")
    (row,) = read_table(tmp_path / "out.tsv").to_dict("records")
    assert row["status"] == "excluded"

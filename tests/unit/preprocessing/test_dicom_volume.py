"""Slices come to lie where their headers say, in Hounsfield units, whatever the gantry and the gaps were."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.uid import HTJ2KLossless

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing import dicom_pixels
from brainuad.preprocessing.dicom_volume import AIR_HU, read_dicom
from tests.unit.preprocessing.dicom_files import (
    GAPS_MM,
    PIXEL_MM,
    STRAIGHT,
    change,
    pixel_points,
    ramp,
    table_positions,
    tilted,
    write_series,
)

UNEVEN_MM = (4.2, 4.2, 4.2, 1.1, 7.3, 7.3, 7.3, 7.3, 7.3, 7.3, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0)
CENTRE = np.array([-2.0, 10.0, 60.0])
RADIUS_MM = 32.0


def ball(points: np.ndarray) -> np.ndarray:
    return np.where(np.linalg.norm(points - CENTRE, axis=-1) < RADIUS_MM, 40.0, -1000.0)


def at(image: sitk.Image, points: np.ndarray) -> np.ndarray:
    """Values at world points (in mm, left, back, top), linear between voxels."""
    return np.array([image.EvaluateAtPhysicalPoint(point.tolist(), sitk.sitkLinear) for point in points])


def inner_points(seed: int = 0) -> np.ndarray:
    """Points that all stacks of these tests show."""
    return np.random.default_rng(seed).uniform([-60, -40, 40], [60, 40, 85], (200, 3))


def test_even_straight_slices_keep_their_values_to_the_bit(tmp_path: Path) -> None:
    image = read_dicom(write_series(tmp_path), "ct").image
    assert image.GetSpacing() == pytest.approx((PIXEL_MM[1], PIXEL_MM[0], GAPS_MM[0]))
    assert image.GetOrigin() == pytest.approx(table_positions(GAPS_MM)[0])
    expected = [np.round(ramp(pixel_points(p, STRAIGHT))) for p in table_positions(GAPS_MM)]
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), np.maximum(expected, AIR_HU))


@pytest.mark.parametrize("degrees", [0.0, 18.5, -25.0])
@pytest.mark.parametrize("gaps", [GAPS_MM, UNEVEN_MM], ids=["even", "uneven"])
def test_a_value_that_rises_linearly_in_the_patient_is_found_everywhere(
    tmp_path: Path, degrees: float, gaps: tuple[float, ...]
) -> None:
    write_series(tmp_path, table_positions(gaps, tilted(degrees)), tilted(degrees))
    points = inner_points()
    # Stored values are whole numbers.
    np.testing.assert_allclose(at(read_dicom(tmp_path, "ct").image, points), ramp(points), atol=1.0)


@pytest.mark.parametrize(
    "directions", [((-1, 0, 0), (0, -1, 0)), ((-1, 0, 0), (0, 1, 0)), ((1, 0, 0), (0, -1, 0))]
)
def test_other_postures_keep_their_place_in_the_patient(tmp_path: Path, directions: Any) -> None:
    image = read_dicom(write_series(tmp_path, orientation=directions), "ct").image
    assert np.diag(np.array(image.GetDirection()).reshape(3, 3)) == pytest.approx([1, 1, 1])
    np.testing.assert_allclose(at(image, inner_points()), ramp(inner_points()), atol=1.0)


def test_a_ball_behind_a_tilted_gantry_keeps_its_centre_and_volume(tmp_path: Path) -> None:
    write_series(tmp_path, table_positions([3.0] * 40, tilted(20.0)), tilted(20.0), ball)
    image = read_dicom(tmp_path, "ct").image
    share = np.clip((sitk.GetArrayFromImage(image) + 1000) / 1040, 0, 1)
    index = np.argwhere(share > 0)
    weights = share[share > 0]
    points = [image.TransformIndexToPhysicalPoint(voxel[::-1].tolist()) for voxel in index]
    np.testing.assert_allclose(np.average(points, axis=0, weights=weights), CENTRE, atol=0.4)
    volume = share.sum() * np.prod(image.GetSpacing())
    assert volume == pytest.approx(4 / 3 * np.pi * RADIUS_MM**3, rel=0.03)


def test_axes_of_the_volume_are_those_of_the_slices_at_right_angles(tmp_path: Path) -> None:
    write_series(tmp_path, table_positions(UNEVEN_MM, tilted(18.5)), tilted(18.5))
    axes = np.array(read_dicom(tmp_path, "ct").image.GetDirection()).reshape(3, 3)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(axes[:, 1], tilted(18.5)[1], atol=1e-7)


def test_remarks_say_what_was_undone(tmp_path: Path) -> None:
    write_series(tmp_path, table_positions(UNEVEN_MM, tilted(18.5)), tilted(18.5), GantryDetectorTilt=18.5)
    notes = read_dicom(tmp_path, "ct").notes
    assert "ct: gantry tilt of 18.5 degrees undone" in notes
    assert "ct: slice gaps of 1.04 to 8.53 mm made even" in notes
    assert not any("header" in note for note in notes)


def test_a_contrast_agent_of_a_named_series_is_told(tmp_path: Path) -> None:
    write_series(tmp_path, ContrastBolusAgent="Iohexol")
    assert "ct: with contrast agent" in read_dicom(tmp_path, "ct", "2").notes
    write_series(tmp_path / "plain", SeriesInstanceUID="1.2.3.5", SeriesNumber=7)
    assert "ct: with contrast agent" not in read_dicom(tmp_path, "ct").notes


def test_a_tilt_that_only_the_header_names_is_not_undone_but_told(tmp_path: Path) -> None:
    scan = read_dicom(write_series(tmp_path, GantryDetectorTilt=18.5), "ct")
    assert "ct: the header names a tilt of 18.5 degrees, the slices show 0.0" in scan.notes
    assert scan.image.GetSize()[1] == 40


def test_missing_slices_are_filled_from_their_neighbours(tmp_path: Path) -> None:
    write_series(tmp_path, table_positions([4.0] * 26))
    for number in (7, 15):
        (tmp_path / f"{number:03d}.dcm").unlink()
    scan = read_dicom(tmp_path, "ct")
    assert scan.image.GetSize()[2] == 27
    assert "ct: 2 missing slices filled in between their neighbours" in scan.notes
    np.testing.assert_allclose(at(scan.image, inner_points()), ramp(inner_points()), atol=1.0)


def test_a_wide_gap_is_refused_with_its_place(tmp_path: Path) -> None:
    write_series(tmp_path, table_positions([4.0] * 26))
    for number in (8, 9, 10):
        (tmp_path / f"{number:03d}.dcm").unlink()
    with pytest.raises(ScanError, match=r"ct: slices are missing: a gap of 16\.0 mm after slice 8 of 24"):
        read_dicom(tmp_path, "ct")


@pytest.mark.parametrize("degrees", [0.0, 20.0])
@pytest.mark.parametrize("lowest_mm", [-199.9, -199.8, 197.6])
def test_slices_at_ten_millimetres_have_no_wide_gap(tmp_path: Path, degrees: float, lowest_mm: float) -> None:
    """Positions as decimals of a few digits have gaps that are larger by rounding."""
    positions = table_positions([10.0 / np.cos(np.deg2rad(degrees))] * 15, tilted(degrees))
    positions[:, 2] += lowest_mm - positions[0, 2]
    normal = np.cross(*tilted(degrees))
    assert np.diff(np.round(positions, 7) @ normal).max() > 10
    write_series(tmp_path, positions, tilted(degrees))
    assert read_dicom(tmp_path, "ct").image.GetSize()[2] == 16


def test_a_doubled_slice_is_removed(tmp_path: Path) -> None:
    write_series(tmp_path, np.insert(table_positions(GAPS_MM), 4, table_positions(GAPS_MM)[4], axis=0))
    scan = read_dicom(tmp_path, "ct")
    assert scan.image.GetSize()[2] == 14
    assert "ct: 1 doubled slices removed" in scan.notes


def test_two_different_slices_at_one_place_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path)
    change(tmp_path / "005.dcm", ImagePositionPatient=list(table_positions(GAPS_MM)[4]))
    with pytest.raises(ScanError, match="two different slices lie at one place"):
        read_dicom(tmp_path, "ct")


def test_each_slice_has_its_own_rescaling(tmp_path: Path) -> None:
    write_series(tmp_path)
    dataset = pydicom.dcmread(tmp_path / "006.dcm")
    stored = ((dataset.pixel_array.astype(int) + 1024 - 1024) - 24) // 2
    dataset.PixelData = stored.astype(np.int16).tobytes()
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, -1000
    dataset.save_as(tmp_path / "006.dcm")
    np.testing.assert_allclose(
        at(read_dicom(tmp_path, "ct").image, inner_points()), ramp(inner_points()), atol=2.0
    )


def test_monochrome1_changes_how_a_slice_is_shown_and_not_its_values(tmp_path: Path) -> None:
    plain = read_dicom(write_series(tmp_path / "a", field=ball), "ct").image
    shown = read_dicom(
        write_series(tmp_path / "b", field=ball, PhotometricInterpretation="MONOCHROME1"), "ct"
    ).image
    np.testing.assert_array_equal(sitk.GetArrayFromImage(shown), sitk.GetArrayFromImage(plain))


def test_monochrome1_with_values_that_were_turned_round_is_turned_back(tmp_path: Path) -> None:
    plain = read_dicom(write_series(tmp_path / "a", field=ball), "ct").image
    folder = write_series(tmp_path / "b", field=ball, PhotometricInterpretation="MONOCHROME1")
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        change(path, PixelData=(-1 - dataset.pixel_array).astype(np.int16).tobytes())
    turned = read_dicom(folder, "ct").image
    np.testing.assert_array_equal(sitk.GetArrayFromImage(turned), sitk.GetArrayFromImage(plain))


def test_compressed_slices_are_read(tmp_path: Path) -> None:
    plain = read_dicom(write_series(tmp_path), "ct").image
    for path in tmp_path.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.compress(pydicom.uid.RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    compressed = read_dicom(tmp_path, "ct").image
    np.testing.assert_array_equal(sitk.GetArrayFromImage(compressed), sitk.GetArrayFromImage(plain))


def test_a_compression_that_nobody_can_undo_is_named(tmp_path: Path) -> None:
    write_series(tmp_path)
    for path in tmp_path.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.PixelData = pydicom.encaps.encapsulate([b"\\xff\\x4f not a code stream"])
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = HTJ2KLossless
        dataset.save_as(path)
    with pytest.raises(ScanError, match="ct: no decoder for the transfer syntax High-Throughput JPEG 2000"):
        read_dicom(tmp_path, "ct")


def test_too_little_memory_for_a_file_is_no_fault_of_the_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_series(tmp_path)

    def no_memory(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(dicom_pixels, "_decoded", no_memory)
    with pytest.raises(InputError, match="not enough memory"):
        read_dicom(tmp_path, "ct")


def test_a_file_that_ends_early_is_damaged(tmp_path: Path) -> None:
    write_series(tmp_path)
    path = tmp_path / "004.dcm"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ScanError, match="damaged or not complete"):
        read_dicom(tmp_path, "ct")

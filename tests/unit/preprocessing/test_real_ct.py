"""A real head CT behind a tilted gantry, with uneven gaps: every voxel lies where its DICOM header says."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from scipy import ndimage

from brainuad.datasets.base import COHORT_COLUMNS
from brainuad.preprocessing.dicom_volume import DicomScan, read_dicom
from brainuad.preprocessing.settings import HEAD_CT
from brainuad.preprocessing.subject import preprocess_subject

REPOSITORY = Path(__file__).parents[3]
SCANS, ATLAS = REPOSITORY.parent / "shared" / "data", REPOSITORY / "resources"
FOLDER = SCANS / "head_ct_dicom"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the real CT of ../shared/data is not here"),
]
AIR_HU = -1024.0


@pytest.fixture(scope="module")
def scan() -> DicomScan:
    return read_dicom(FOLDER, "ct")


def header_values(points: np.ndarray) -> np.ndarray:
    """Values at world points from the headers alone: in the two slices around each point, then between them.

    DICOM part 3, equation C.7.6.2.1-1, solved for row and column.
    """
    slices = [pydicom.dcmread(path) for path in sorted(FOLDER.glob("*.dcm"))]
    across, down = np.array(slices[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    normal = np.cross(across, down)
    corners = np.array([header.ImagePositionPatient for header in slices], dtype=float)
    heights = corners @ normal
    assert (np.diff(heights) > 0).all()
    down_mm, across_mm = (float(value) for value in slices[0].PixelSpacing)
    values = np.empty(len(points))
    for number, point in enumerate(points):
        above = int(np.searchsorted(heights, point @ normal))
        pair = []
        for index in (above - 1, above):
            place = point - corners[index]
            pixel = [[place @ down / down_mm], [place @ across / across_mm]]
            stored = np.maximum(slices[index].pixel_array.astype(float), AIR_HU)
            pair.append(ndimage.map_coordinates(stored, pixel, order=1, cval=AIR_HU)[0])
        share = (point @ normal - heights[above - 1]) / (heights[above] - heights[above - 1])
        values[number] = (1 - share) * pair[0] + share * pair[1]
    return values


def test_voxels_hold_what_the_headers_place_at_their_world_coordinates(scan: DicomScan) -> None:
    """Chosen at random where the head is: soft tissue, edges of bone, and the air beside them."""
    size = np.array(scan.image.GetSize())
    voxels = np.random.default_rng(0).integers(size * [0.2, 0.2, 0.02], size * [0.8, 0.8, 0.98], (400, 3))
    points = np.array([scan.image.TransformIndexToPhysicalPoint(voxel.tolist()) for voxel in voxels])
    found = np.array([scan.image[voxel.tolist()] for voxel in voxels])
    assert np.ptp(found) > 1500
    np.testing.assert_allclose(found, header_values(points), atol=0.5)


def test_the_first_slice_lies_on_the_grid_with_its_own_values(scan: DicomScan) -> None:
    header = pydicom.dcmread(FOLDER / "01.dcm")
    across, down = np.array(header.ImageOrientationPatient, dtype=float).reshape(2, 3)
    for row, column in ((80, 250), (256, 256), (300, 200), (180, 330)):
        spacing = float(header.PixelSpacing[0])
        point = np.array(header.ImagePositionPatient, dtype=float) + spacing * (column * across + row * down)
        index = np.array(scan.image.TransformPhysicalPointToContinuousIndex(point.tolist()))
        assert index == pytest.approx(np.round(index), abs=1e-3)
        value = scan.image[np.round(index).astype(int).tolist()]
        assert value == pytest.approx(max(float(header.pixel_array[row, column]), AIR_HU), abs=0.5)


def test_the_whole_stack_becomes_one_even_box(scan: DicomScan) -> None:
    first, last = (pydicom.dcmread(FOLDER / f"{number:02d}.dcm") for number in (1, 28))
    orientation = np.array(first.ImageOrientationPatient, dtype=float).reshape(2, 3)
    along = (np.array(last.ImagePositionPatient) - np.array(first.ImagePositionPatient)) @ np.cross(
        *orientation
    )
    assert scan.image.GetSpacing() == pytest.approx((0.4882812, 0.4882812, 1.0))
    assert scan.image.GetSize()[2] == int(along) + 1
    assert "ct: gantry tilt of 18.5 degrees undone" in scan.notes
    assert "ct: slice gaps of 1.08 to 7.00 mm made even" in scan.notes


@pytest.mark.skipif(not (ATLAS / "sri24").is_dir(), reason="the atlas is not installed (make atlas)")
def test_it_registers_to_the_head_of_sri24(tmp_path: Path) -> None:
    row = dict.fromkeys(COHORT_COLUMNS, "") | {"subject": "a", "status": "ok", "ct": "head_ct_dicom"}
    quality = preprocess_subject(row, SCANS, HEAD_CT, ATLAS, tmp_path, threads=2)
    assert quality["status"] == "ok", quality["reason"]
    assert quality["atlas_dice"] > 0.9
    assert 1250 < quality["brain_ml"] < 1550
    assert quality["tissue_hu"] == pytest.approx(31, abs=4)

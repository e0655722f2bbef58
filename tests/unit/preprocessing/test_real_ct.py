"""A real head CT behind a tilted gantry, with uneven gaps: every voxel lies where its DICOM header says.

So do those of the arrays that networks see, and the pose hardly depends on what the CT was registered to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydicom
import pytest
import SimpleITK as sitk
import yaml
from scipy import ndimage

from brainuad.arrays import ArrayStore, to_volume_axes
from brainuad.datasets.base import COHORT_COLUMNS
from brainuad.preprocessing.dicom_volume import DicomScan, read_dicom
from brainuad.preprocessing.pack import pack_dataset
from brainuad.preprocessing.placement import Atlas
from brainuad.preprocessing.recipes import Recipe
from brainuad.preprocessing.registration import matrix_of, register_to_atlas
from brainuad.preprocessing.scan import RAS_TO_LPS
from brainuad.preprocessing.settings import HEAD_CT, PreprocessingSettings
from brainuad.preprocessing.subject import preprocess_subject
from brainuad.study import at_scale
from tests.unit.preprocessing.small_head import moved

REPOSITORY = Path(__file__).parents[3]
SCANS, ATLAS = REPOSITORY.parent / "shared" / "data", REPOSITORY / "resources"
FOLDER = SCANS / "head_ct_dicom"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the real CT of ../shared/data is not here"),
]
with_atlas = pytest.mark.skipif(
    not (ATLAS / "sri24").is_dir(), reason="the atlas is not installed (make atlas)"
)
AIR_HU = -1024.0
WINDOW_HU = 80.0
# A voxel of 2 mm is the mean of the eight of 1 mm in it.
PARTS_MM = np.stack(np.meshgrid(*[(-0.5, 0.5)] * 3), axis=-1).reshape(-1, 3)


@dataclass(frozen=True)
class Registered:
    """The numbers of a registered CT, and the 4 x 4 matrix from points of the atlas to those of the scanner (LPS)."""

    folder: Path
    quality: Mapping[str, Any]
    to_scanner: np.ndarray


def register(folder: Path, settings: PreprocessingSettings = HEAD_CT) -> Registered:
    """The real CT, preprocessed into a folder."""
    row = dict.fromkeys(COHORT_COLUMNS, "") | {"subject": "a", "status": "ok", "ct": "head_ct_dicom"}
    quality = preprocess_subject(row, SCANS, settings, ATLAS, folder, threads=2)
    assert quality["status"] == "ok", quality["reason"]
    (transform,) = folder.glob("sub-a/anat/*_xfm.tfm")
    return Registered(folder, quality, matrix_of(sitk.ReadTransform(str(transform))))


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Registered:
    """The real CT on the head of SRI24."""
    return register(tmp_path_factory.mktemp("sri24"))


@pytest.fixture(scope="module")
def packed(registered: Registered, tmp_path_factory: pytest.TempPathFactory) -> ArrayStore:
    """The arrays of the real CT by the recipe of Kascenas 2023 at the scale of the paper."""
    folder = tmp_path_factory.mktemp("arrays")
    recipes = yaml.safe_load((REPOSITORY / "workflow/recipes.yaml").read_text())
    recipe = Recipe.model_validate(at_scale(recipes["kascenas2023-ct"], "paper"))
    row = {"subject": "a", "participant": "a", "group": "unknown", "status": "ok", "reason": ""}
    pack_dataset("ct", registered.folder, pd.DataFrame([row]), "kascenas2023-ct", recipe, folder)
    return ArrayStore(folder)


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


@with_atlas
def test_it_registers_to_the_head_of_sri24(registered: Registered) -> None:
    quality = registered.quality
    assert quality["atlas_dice"] > 0.9
    assert 1250 < quality["brain_ml"] < 1550
    assert quality["tissue_hu"] == pytest.approx(31, abs=4)


def scanner_points(places: np.ndarray, store: ArrayStore, registered: Registered) -> np.ndarray:
    """Where places of the array (number, 3), in voxels, lie in the scanner (LPS, mm)."""
    return moved(places, registered.to_scanner @ RAS_TO_LPS @ store.affine("a"))


@with_atlas
def test_voxels_of_the_packed_array_hold_what_the_headers_place_there(
    packed: ArrayStore, registered: Registered
) -> None:
    """Chosen at random in the brain, and mapped back through the recipe and the registration to the DICOM files."""
    volume = packed.volume("a")
    values = to_volume_axes(volume.images)[0].astype(float)
    assert values.shape == (80, 112, 88)
    assert (values.min(), values.max()) == (0, 1)
    inside = np.argwhere(to_volume_axes(volume.brain))
    voxels = np.random.default_rng(0).choice(inside, 300, replace=False)
    found = WINDOW_HU * values[tuple(voxels.T)]

    def expected(shift: tuple[int, int, int] = (0, 0, 0)) -> np.ndarray:
        parts = [
            header_values(scanner_points(voxels + shift + part / 2, packed, registered)) for part in PARTS_MM
        ]
        return np.clip(np.mean(parts, axis=0), 0, WINDOW_HU)

    difference = np.abs(found - expected())
    assert np.ptp(found) > 60
    assert np.median(difference) < 0.1
    assert np.percentile(difference, 98) < 2
    for shift in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        assert np.median(np.abs(found - expected(shift))) > 1


@with_atlas
def test_axes_of_the_packed_array_point_left_back_and_up(packed: ArrayStore, registered: Registered) -> None:
    """In the patient, whose left, back and top are the axes of DICOM (part 3, C.7.6.2.1.1)."""
    corner, *steps = scanner_points(np.vstack([np.zeros(3), np.eye(3)]), packed, registered)
    directions = np.array(steps) - corner
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 2, atol=1e-3)
    # The head of the patient was turned by some degrees.
    assert (np.diag(directions) / 2 > np.cos(np.deg2rad(15))).all()


def turn_deg(matrix: np.ndarray) -> float:
    """The angle of a rotation."""
    return float(np.rad2deg(np.arccos((np.trace(matrix[:3, :3]) - 1) / 2)))


@pytest.fixture(scope="module")
def between_atlases() -> tuple[np.ndarray, np.ndarray]:
    """The rigid way (LPS) from SRI24 to MNI152, found from T1 to T1, and points in the brain of SRI24."""
    mri = PreprocessingSettings()
    sri24, mni152 = Atlas.read(ATLAS, "sri24", mri), Atlas.read(ATLAS, "mni152", mri)
    found = register_to_atlas(sri24.target, sri24.mask, mni152.target, mni152.mask, "rigid")
    inside = np.argwhere(sitk.GetArrayViewFromImage(sri24.mask))[::997, ::-1]
    points = [sri24.mask.TransformIndexToPhysicalPoint(voxel.tolist()) for voxel in inside]
    return matrix_of(found.transform), np.array(points)


@with_atlas
@pytest.mark.parametrize(("template", "most"), [("scct_stripped", (3.0, 7.0)), ("scct", (5.0, 14.0))])
def test_a_ct_template_gives_the_pose_that_the_head_of_sri24_gives(
    template: str,
    most: tuple[float, float],
    registered: Registered,
    between_atlases: tuple[np.ndarray, np.ndarray],
    tmp_path: Path,
) -> None:
    """Its intensities are no Hounsfield units, it is larger than the patient, and its space nods against SRI24."""
    most_deg, most_mm = most
    name = str(SCANS / "ct_template" / f"{template}.nii.gz")
    on_template = register(tmp_path, HEAD_CT.model_copy(update={"atlas": "mni152", "ct_template": name}))
    assert on_template.quality["atlas_dice"] > 0.8
    by_ct = np.linalg.inv(on_template.to_scanner) @ registered.to_scanner
    by_t1, points = between_atlases
    assert turn_deg(by_t1) > 10
    assert turn_deg(np.linalg.inv(by_t1) @ by_ct) < most_deg
    assert np.linalg.norm(moved(points, by_ct) - moved(points, by_t1), axis=1).mean() < most_mm

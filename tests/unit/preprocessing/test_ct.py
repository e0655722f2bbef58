"""Head and brain are found in a CT by its Hounsfield units, and what cannot be a head CT is refused."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
import yaml

from brainuad.datasets.base import COHORT_COLUMNS
from brainuad.errors import InputError, ScanError
from brainuad.preprocessing import ct
from brainuad.preprocessing.geometry import dice, mask_like
from brainuad.preprocessing.recipe_steps import Scan, apply_steps
from brainuad.preprocessing.recipes import Recipe
from brainuad.preprocessing.registration import matrix_of
from brainuad.preprocessing.scan import RAS_TO_LPS, image_from_array
from brainuad.preprocessing.settings import HEAD_CT, PlausibleRange, PreprocessingSettings
from brainuad.preprocessing.subject import preprocess_subject
from brainuad.storage import read_json
from brainuad.study import at_scale
from tests.unit.preprocessing import ct_head
from tests.unit.preprocessing.dicom_files import MIDDLE, table_positions, tilted, write_series
from tests.unit.preprocessing.small_head import moved, save, world

AFFINE = np.array([[-3.0, 0, 0, 100], [0, -3.0, 0, 125], [0, 0, 3.0, -90], [0, 0, 0, 1]])
SHAPE = (67, 84, 60)
POINTS = world(AFFINE, SHAPE)
BACK_OF_HEAD = -(ct_head.BRAIN_MM[1] + ct_head.SKULL_MM + ct_head.SCALP_MM)
QUICK = HEAD_CT.model_copy(update={"resolution_mm": 3.0})


def image(values: np.ndarray) -> sitk.Image:
    noise = np.random.default_rng(0).normal(0, 4, values.shape)
    return image_from_array((values + noise).astype(np.float32), AFFINE)


def mask(inside: np.ndarray) -> sitk.Image:
    return mask_like(inside.transpose(2, 1, 0), image(ct_head.ct_head(POINTS)))


def with_table(values: np.ndarray) -> np.ndarray:
    """A table that touches the back of the head."""
    table = np.abs(POINTS[..., 1] - BACK_OF_HEAD + 2) < 3
    return np.where(table & (values < -500), 150.0, values)


def test_the_inside_of_the_skull_is_found() -> None:
    found = ct.inside_of_skull(image(ct_head.ct_head(POINTS)))
    assert dice(found, mask(ct_head.depth(POINTS) < 1)) > 0.95


def test_blood_and_calcifications_belong_to_the_brain() -> None:
    values = ct_head.ct_head(POINTS)
    values[np.linalg.norm(POINTS - [-20, 30, 10], axis=-1) < 16] = 75
    values[np.linalg.norm(POINTS - [10, -20, 0], axis=-1) < 6] = 400
    assert dice(ct.inside_of_skull(image(values)), mask(ct_head.depth(POINTS) < 1)) > 0.95


def test_the_mask_does_not_leave_the_skull_through_its_opening() -> None:
    values = ct_head.ct_head(POINTS)
    to_axis = np.hypot(POINTS[..., 0], POINTS[..., 1] + 20)
    values[(to_axis < 10) & (POINTS[..., 2] < -50)] = ct_head.TISSUE
    values[(to_axis < 45) & (POINTS[..., 2] < -78)] = ct_head.TISSUE
    found = sitk.GetArrayFromImage(ct.inside_of_skull(image(values))).transpose(2, 1, 0) > 0
    assert POINTS[found][:, 2].min() > -75
    assert dice(mask(found), mask(ct_head.depth(POINTS) < 1)) > 0.95


def test_a_wide_opening_lets_the_mask_out_no_further_than_a_brain_is_tall() -> None:
    deep = AFFINE.copy()
    deep[2, 3] = -180.0
    points = world(deep, (67, 84, 90))
    values = ct_head.ct_head(points)
    values[(np.hypot(points[..., 0], points[..., 1] + 20) < 30) & (points[..., 2] < -50)] = ct_head.TISSUE
    found = ct.inside_of_skull(image_from_array(values.astype(np.float32), deep))
    inside = sitk.GetArrayFromImage(found).transpose(2, 1, 0) > 0
    heights = points[inside][:, 2]
    assert np.ptp(heights) < ct.TALLEST_MM + 2 * ct.GAP_MM + 6


def test_a_table_that_touches_the_head_becomes_air() -> None:
    values = with_table(ct_head.ct_head(POINTS))
    cleaned = sitk.GetArrayFromImage(ct.without_surroundings(image(values))).transpose(2, 1, 0)
    beyond = ct_head.depth(POINTS, ct_head.SKULL_MM + ct_head.SCALP_MM + 8) > 1
    assert (cleaned[beyond] == ct.AIR_HU).all()
    inside = ct_head.depth(POINTS, ct_head.SKULL_MM) < 1
    np.testing.assert_allclose(cleaned[inside], values[inside], atol=25)


def test_numbers_of_a_plausible_head() -> None:
    scan = image(ct_head.ct_head(POINTS))
    numbers = ct.measure(scan, mask(ct_head.depth(POINTS) < 1))
    head_mm = ct_head.BRAIN_MM + ct_head.SKULL_MM + ct_head.SCALP_MM
    assert numbers.head_ml == pytest.approx(4 / 3 * np.pi * np.prod(head_mm) / 1000, rel=0.1)
    assert numbers.air_hu == pytest.approx(-1000, abs=2)
    assert numbers.tissue_hu == pytest.approx(35, abs=2)
    ct.check(numbers, PlausibleRange())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"air_hu": 0.0}, "air has 0 HU, expected -1024 to -850 HU"),
        ({"tissue_hu": 1060.0}, "soft tissue has 1060 HU, expected 10 to 60 HU"),
        ({"head_ml": 400.0}, "the head has 400 ml, expected 1500 to 8000 ml"),
    ],
)
def test_implausible_numbers_are_refused(changed: dict[str, float], message: str) -> None:
    numbers = ct.CtNumbers(**({"head_ml": 3500.0, "air_hu": -1000.0, "tissue_hu": 35.0} | changed))
    with pytest.raises(ScanError, match=message):
        ct.check(numbers, PlausibleRange())


def test_a_scan_without_air_is_not_judged_by_it() -> None:
    ct.check(ct.CtNumbers(3500.0, None, 35.0), PlausibleRange())


def test_an_empty_scan_has_no_head() -> None:
    air = image(np.full(SHAPE, -1000.0))
    with pytest.raises(ScanError, match="no head"):
        ct.head_mask(air)
    with pytest.raises(ScanError, match="no soft tissue inside a skull"):
        ct.inside_of_skull(air)


def test_the_field_of_view_holds_the_brain_on_the_lattice_of_its_mask() -> None:
    brain = mask(ct_head.depth(POINTS) < 1)
    grid = ct.field_of_view(brain)
    extent = np.array(grid.GetSize()) * grid.GetSpacing()
    np.testing.assert_allclose(extent, ct.FIELD_OF_VIEW_MM, atol=1.5)
    step = (np.array(grid.GetOrigin()) - brain.GetOrigin()) / 3.0
    np.testing.assert_allclose(step, np.round(step), atol=1e-6)
    moved_brain = sitk.Resample(brain, grid, sitk.Transform(), sitk.sitkNearestNeighbor)
    assert sitk.GetArrayFromImage(moved_brain).sum() == sitk.GetArrayFromImage(brain).sum()


@pytest.mark.parametrize(("scale", "size"), [("paper", (80, 112, 88)), ("quick", (40, 56, 44))])
def test_the_recipe_of_kascenas_2023_gives_80_by_112_by_88_voxels_between_0_and_1(
    scale: str, size: tuple[int, ...]
) -> None:
    recipes = yaml.safe_load((Path(__file__).parents[3] / "workflow/recipes.yaml").read_text())
    recipe = Recipe.model_validate(at_scale(recipes["kascenas2023-ct"], scale))
    voxels = np.full((160, 224, 176), -1000, np.float32)
    voxels[40:120, 50:170, 40:140] = 40
    inside = voxels > 0
    packed = apply_steps(Scan(voxels[None], inside, inside, np.eye(4)), recipe.steps)
    assert packed.images.shape == (1, *size)
    assert sorted(set(packed.images.ravel().tolist())) == [0.0, 0.5]


def turn() -> np.ndarray:
    """From the patient's world to the atlas': a nod, a turn to the side, a shift; no change of size."""
    nod, side = np.deg2rad(8), np.deg2rad(-14)
    about_x = np.array([[1, 0, 0], [0, np.cos(nod), -np.sin(nod)], [0, np.sin(nod), np.cos(nod)]])
    about_z = np.array([[np.cos(side), -np.sin(side), 0], [np.sin(side), np.cos(side), 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = about_x @ about_z
    matrix[:3, 3] = (4.0, -9.0, 12.0)
    return matrix


def write_patient(folder: Path) -> Path:
    """A head on a table behind a tilted gantry, as DICOM."""
    positions = table_positions(([4.0] * 15) + ([6.5] * 16), tilted(15.0)) - MIDDLE

    def field(lps: np.ndarray) -> np.ndarray:
        return ct_head.ct_head(moved(lps * [-1, -1, 1], turn()))

    return write_series(folder, positions, tilted(15.0), field)


@pytest.fixture(scope="module")
def preprocessed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder of derivatives of a simulated patient, and the numbers of its quality."""
    root = tmp_path_factory.mktemp("ct")
    write_patient(root / "raw" / "a")
    atlas = ct_head.write_atlas(root / "atlas")
    row = dict.fromkeys(COHORT_COLUMNS, "") | {"subject": "a", "status": "ok", "ct": "a"}
    return root, preprocess_subject(row, root / "raw", QUICK, atlas, root / "out")


def test_a_tilted_dicom_series_is_placed_on_the_atlas(preprocessed: tuple[Path, dict[str, Any]]) -> None:
    folder, quality = preprocessed
    assert quality["status"] == "ok", quality["reason"]
    assert quality["atlas_dice"] > 0.9
    assert "gantry tilt of 15.0 degrees undone" in quality["note"]
    assert pose_error_mm(folder / "out/sub-a/anat/sub-a_from-ct_to-SRI24_xfm.tfm") < 3.0


def test_the_derivative_is_in_hounsfield_units_in_the_field_of_view(
    preprocessed: tuple[Path, dict[str, Any]],
) -> None:
    derivative = nibabel.load(preprocessed[0] / "out/sub-a/anat/sub-a_space-SRI24_desc-preproc_CT.nii.gz")
    assert derivative.shape == (40, 56, 44)
    values = derivative.get_fdata()
    assert values.min() == ct.AIR_HU
    assert values.max() > 500
    brain = nibabel.load(preprocessed[0] / "out/sub-a/anat/sub-a_space-SRI24_desc-brain_mask.nii.gz")
    assert np.median(values[brain.get_fdata() > 0]) == pytest.approx(ct_head.TISSUE, abs=2)


def pose_error_mm(transform: Path) -> float:
    """How far points of the atlas lie from where `turn` puts them in the patient, on average."""
    found = RAS_TO_LPS @ matrix_of(sitk.ReadTransform(str(transform))) @ RAS_TO_LPS
    points = np.random.default_rng(0).uniform(-50, 50, (100, 3))
    return float(np.linalg.norm(moved(points, found) - moved(points, np.linalg.inv(turn())), axis=1).mean())


def write_headless_atlas(folder: Path) -> Path:
    """The atlas as MNI152 is stored, without its head."""
    atlas = ct_head.write_atlas(folder)
    (atlas / "sri24").rename(atlas / "mni152")
    for path in list((atlas / "mni152").iterdir()):
        path.rename(path.with_name(path.name.replace("sri24", "mni152")))
    return atlas


def test_an_atlas_without_a_head_asks_for_a_template(tmp_path: Path) -> None:
    atlas = write_headless_atlas(tmp_path)
    settings = QUICK.model_copy(update={"atlas": "mni152"})
    row = dict.fromkeys(COHORT_COLUMNS, "") | {"subject": "a", "status": "ok", "ct": "a"}
    with pytest.raises(InputError, match=r"preprocessing\.ct_template: the atlas mni152 has no head"):
        preprocess_subject(row, tmp_path, settings, atlas, tmp_path / "out")


@pytest.mark.parametrize("hounsfield", [True, False])
def test_a_template_on_a_grid_and_in_units_of_its_own_takes_the_place_of_the_head(
    tmp_path: Path, hounsfield: bool
) -> None:
    write_patient(tmp_path / "raw" / "a")
    atlas = write_headless_atlas(tmp_path / "atlas")
    values = ct_head.ct_head(POINTS)
    values = values if hounsfield else np.clip(values, -100, 200) * 11 + 2000
    save(values.astype(np.float32), tmp_path / "template.nii.gz", AFFINE)
    template = {"atlas": "mni152", "ct_template": str(tmp_path / "template.nii.gz")}
    row = dict.fromkeys(COHORT_COLUMNS, "") | {"subject": "a", "status": "ok", "ct": "a"}
    settings = QUICK.model_copy(update=template)
    quality = preprocess_subject(row, tmp_path / "raw", settings, atlas, tmp_path / "out")
    assert quality["status"] == "ok", quality["reason"]
    assert quality["atlas_dice"] > 0.9
    folder = tmp_path / "out/sub-a/anat"
    assert pose_error_mm(folder / "sub-a_from-ct_to-MNI152NLin2009aSym_xfm.tfm") < 3.0
    sidecar = read_json(folder / "sub-a_space-MNI152NLin2009aSym_desc-preproc_CT.json")
    assert sidecar["RegisteredTo"] == "template.nii.gz"
    assert str(tmp_path) not in str(sidecar)


@pytest.mark.parametrize("content", [b"", b"no image"])
def test_a_template_that_is_no_scan_is_named(tmp_path: Path, content: bytes) -> None:
    atlas = write_headless_atlas(tmp_path)
    (tmp_path / "template.nii.gz").write_bytes(content)
    template = {"atlas": "mni152", "ct_template": str(tmp_path / "template.nii.gz")}
    row = dict.fromkeys(COHORT_COLUMNS, "") | {"subject": "a", "status": "ok", "ct": "a"}
    settings = QUICK.model_copy(update=template)
    with pytest.raises(InputError, match=r"ct_template: .*template\.nii\.gz: .*Expected a NIfTI file"):
        preprocess_subject(row, tmp_path, settings, atlas, tmp_path / "out")


def test_hounsfield_thresholds_are_for_ct_only() -> None:
    with pytest.raises(ValueError, match="needs Hounsfield units"):
        PreprocessingSettings(skull_strip="hounsfield")

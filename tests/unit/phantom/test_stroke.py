"""Chronic strokes: in a ball of white matter, in the atlas head, and as the simulated ATLAS v2.0."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from brainuad.datasets.registry import find_dataset
from brainuad.phantom.anatomy import load_anatomy, prepare_anatomies
from brainuad.phantom.geometry import MNI_TO_SRI24, Grid, Pose, face, mni_grid
from brainuad.phantom.head import Model, Slab, make_head, sample_head
from brainuad.phantom.layout import find_layout
from brainuad.phantom.names import phantom_subjects
from brainuad.phantom.settings import PhantomSettings
from brainuad.phantom.stroke import LABELS, Stroke, draw_stroke
from brainuad.phantom.warp import Warp, draw_warp, make_guide

from .conftest import ATLAS_FOLDER, simulated

needs_sri24, needs_mni152 = (
    pytest.mark.skipif(
        not (ATLAS_FOLDER / name).is_dir(), reason=f"resources/{name} absent: run `make atlas`"
    )
    for name in ("sri24", "mni152")
)
STILL = Pose(np.eye(3), np.zeros(3))


@pytest.fixture(scope="module")
def still(ball: Model) -> Warp:
    """Hardly any deformation of the ball."""
    return draw_warp(ball.guide, 45, 0, 0, np.random.default_rng(3))


@pytest.fixture(scope="module")
def slab(ball: Model, still: Warp) -> Slab:
    """The ball at 1.5 mm."""
    grid = Grid((80, 80, 80), np.diag([1.5, 1.5, 1.5, 1]), np.diag([1.5, 1.5, 1.5, 1]))
    return sample_head(make_head(ball, still, 45, np.random.default_rng(0)), grid)


@pytest.fixture(scope="module")
def strokes(ball: Model, still: Warp) -> list[Stroke]:
    return [draw_stroke(ball, still, np.random.default_rng(seed)) for seed in range(20)]


@pytest.fixture(scope="module")
def sri24() -> Model:
    anatomy = load_anatomy(prepare_anatomies("sri24", ATLAS_FOLDER)[0])
    return Model(anatomy, make_guide(anatomy))


@pytest.fixture(scope="module")
def atlas2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients, of a site that defaces and of one that does not."""
    return simulated("atlas2", 2, PhantomSettings(), tmp_path_factory.mktemp("atlas2"))


def volumes(root: Path, site: str) -> tuple[nib.Nifti1Image, np.ndarray]:
    """The T1 of the only patient of a site, and the labels."""
    (image,) = root.glob(f"ATLAS_2/Training/{site}/*/ses-1/anat/*_T1w.nii.gz")
    (mask,) = root.glob(f"ATLAS_2/Training/{site}/*/ses-1/anat/*lesion_mask.nii.gz")
    return nib.Nifti1Image.from_filename(image), np.asarray(nib.load(mask).dataobj)


def test_shares_never_exceed_the_voxel_and_stay_in_the_brain(slab: Slab, strokes: list[Stroke]) -> None:
    for stroke in strokes:
        shares = stroke.fractions(slab)
        total = sum(shares.values())
        assert set(shares) == set(LABELS)
        assert min(share.min() for share in shares.values()) >= 0
        assert total.max() <= 1 + 1e-5
        assert not total[slab.brain < 0.5].any()


def test_the_ventricles_are_no_part_of_an_infarct(slab: Slab, strokes: list[Stroke], ball: Model) -> None:
    inside = np.linalg.norm(slab.places - ball.guide.centre, axis=1) < 8
    assert max(sum(stroke.fractions(slab).values())[inside].max() for stroke in strokes) < 0.05


def test_every_stroke_leaves_a_lesion(slab: Slab, strokes: list[Stroke]) -> None:
    assert all(sum(stroke.fractions(slab).values()).sum() > 5 for stroke in strokes)


def test_gliosis_surrounds_the_cavity(slab: Slab, strokes: list[Stroke]) -> None:
    large = max((s for s in strokes if len(s.infarcts) == 1), key=lambda s: s.infarcts[0].radius_mm)
    infarct = large.infarcts[0]
    shares = large.fractions(slab)
    depth = infarct.depth_mm(slab.places, large.warp.to_anatomy(slab.places), large.model)
    cavity, gliosis = (np.average(depth, weights=shares[tissue]) for tissue in ("cavity", "gliosis"))
    assert cavity > gliosis


def test_an_infarct_stays_on_its_side(slab: Slab, strokes: list[Stroke], ball: Model) -> None:
    sides = slab.places[:, 0] - ball.guide.centre[0]
    for stroke in strokes:
        (first, *others) = stroke.infarcts
        if not others and first.territory == "middle":
            total = sum(stroke.fractions(slab).values())
            assert np.average(sides, weights=total) * (1 if first.left else -1) > 5


def test_the_same_seed_gives_the_same_stroke(ball: Model, still: Warp, slab: Slab) -> None:
    first, second = (draw_stroke(ball, still, np.random.default_rng(7)).fractions(slab) for _ in range(2))
    for tissue in LABELS:
        np.testing.assert_array_equal(first[tissue], second[tissue])


def test_radii_spread_over_a_wide_range(ball: Model, still: Warp) -> None:
    drawn = [draw_stroke(ball, still, np.random.default_rng(seed)).infarcts[0] for seed in range(150)]
    millilitres = [4 / 3 * np.pi * infarct.radius_mm**3 / 1000 for infarct in drawn]
    low, middle, high = np.percentile(millilitres, [10, 50, 90])
    assert low < 1.5
    assert 2 < middle < 20
    assert high > 50


@needs_sri24
def test_some_strokes_leave_the_published_slice_alone_and_most_do_not(sri24: Model) -> None:
    grid = mni_grid(STILL, sri24.guide.centre)
    step = np.diag([2.0, 2.0, 1.0, 1.0])
    step[2, 3] = 95
    slice_95 = Grid((98, 116, 1), grid.affine @ step, grid.to_head @ step)
    touched = []
    for seed in range(24):
        rng = np.random.default_rng(seed)
        warp = draw_warp(sri24.guide, 60, 0, 0.01, rng)
        stroke = draw_stroke(sri24, warp, rng)
        slab = sample_head(make_head(sri24, warp, 60, rng), slice_95, near_brain=True)
        touched.append((sum(stroke.fractions(slab).values()) > 0.5).any())
    assert 0.4 < np.mean(touched) < 0.9


@needs_sri24
@needs_mni152
def test_the_fixed_transform_lays_the_anatomy_on_the_mni_brain(sri24: Model) -> None:
    mask = nib.Nifti1Image.from_filename(ATLAS_FOLDER / "mni152" / "mni152_brain_mask.nii.gz")
    grid = mni_grid(STILL, sri24.guide.centre)
    step = np.diag([3.0, 3.0, 3.0, 1.0])
    coarse = Grid((65, 77, 63), grid.affine @ step, grid.to_head @ step)
    voxels = np.stack(np.meshgrid(*map(np.arange, coarse.shape), indexing="ij"), axis=-1)
    places = np.rint(nib.affines.apply_affine(coarse.to_head, voxels)).astype(int)
    inside = (places >= 0).all(axis=-1) & (places < sri24.anatomy.brain.shape).all(axis=-1)
    ours = np.zeros(coarse.shape, dtype=bool)
    ours[inside] = sri24.anatomy.brain[tuple(places[inside].T)]
    theirs = np.asarray(mask.dataobj)[::-1, ::-1][:195:3, :231:3, ::3] > 0
    assert 2 * np.sum(ours & theirs) / (ours.sum() + theirs.sum()) > 0.95


def test_the_fixed_transform_keeps_left_and_right() -> None:
    assert np.linalg.det(MNI_TO_SRI24[:3, :3]) > 0
    assert MNI_TO_SRI24[0, 0] > 0.8


@needs_sri24
def test_defacing_takes_the_front_below_and_no_brain(sri24: Model) -> None:
    grid = mni_grid(STILL, sri24.guide.centre)
    removed = face(grid)
    world = np.stack(np.nonzero(removed)[1:]).min(axis=1) + grid.affine[1:3, 3]
    assert world[0] > -20  # mm in front of the origin
    assert np.flatnonzero(removed.any(axis=(0, 1))).max() + grid.affine[2, 3] < 5
    step = np.diag([4.0, 4.0, 4.0, 1.0])
    coarse = Grid((49, 58, 47), grid.affine @ step, grid.to_head @ step)
    warp = draw_warp(sri24.guide, 45, 0, 0, np.random.default_rng(0))
    slab = sample_head(make_head(sri24, warp, 45, np.random.default_rng(0)), coarse)
    in_face = face(coarse).ravel()[slab.index]
    assert (slab.brain[in_face] > 0.5).mean() < 0.01


def test_atlas2_lies_on_the_published_grid(atlas2: Path) -> None:
    image, labels = volumes(atlas2, "R001")
    assert image.shape == labels.shape == (197, 233, 189)
    assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
    np.testing.assert_allclose(image.affine[:3, 3], (-98, -134, -72))
    assert set(np.unique(labels)) == {0, 1}


def test_the_adapter_finds_what_the_phantom_publishes(atlas2: Path) -> None:
    table = find_dataset("atlas2").index(atlas2)
    assert sorted(table["subject"]) == sorted(phantom_subjects("atlas2", 2, 0))
    assert set(table["status"]) == {"ok"}
    assert set(table["site"]) <= {f"R{part}" for part in find_layout("atlas2").parts}


def test_strokes_are_dark_on_t1(atlas2: Path) -> None:
    image, labels = volumes(atlas2, "R001")
    voxels, lesion = np.asarray(image.dataobj), labels > 0
    ring = ndimage.binary_dilation(lesion, iterations=4) & ~ndimage.binary_dilation(lesion, iterations=2)
    assert np.median(voxels[lesion]) < 0.85 * np.median(voxels[ring])


def test_one_site_removes_the_face_and_another_leaves_it(atlas2: Path) -> None:
    sites = {scanner.site: scanner.defaced for scanner in find_layout("atlas2").scanners}
    assert set(sites.values()) == {True, False}
    for path in atlas2.glob("ATLAS_2/Training/*"):
        voxels = np.asarray(volumes(atlas2, path.name)[0].dataobj)
        corner = voxels[80:120, 205:230, 0:20]  # the lowest front of the volume
        assert (not corner.any()) == sites[path.name.removeprefix("R")]

"""Whole phantom data sets in their published layouts."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from brainuad.atlas import ATLAS_AFFINE, ATLAS_SHAPE
from brainuad.errors import InputError
from brainuad.phantom.settings import PhantomSettings
from brainuad.phantom.simulate import simulate_dataset

from .conftest import ATLAS_FOLDER, COARSE, simulated


def voxels(path) -> np.ndarray:
    return np.asarray(nib.load(path).dataobj)


def published(root) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.nii.gz"))


def contrast(image: np.ndarray, lesion: np.ndarray, brain: np.ndarray) -> float:
    """Median brightness of a lesion relative to the brain around it."""
    near = ndimage.binary_dilation(lesion, iterations=2)
    ring = ndimage.binary_dilation(lesion, iterations=5) & ~near & brain
    return float(np.median(image[lesion]) / np.median(image[ring]))


def test_ixi_holds_two_files_per_subject_and_the_spreadsheet(ixi):
    stems = {name.rsplit("-", 1)[0] for name in published(ixi)}
    assert published(ixi) == sorted(f"{stem}-{m}.nii.gz" for stem in stems for m in ("T1", "T2"))
    assert len(stems) == 2
    assert (ixi / "IXI.xls").is_file()


def test_ixi_spreadsheet_reads_as_published(ixi):
    table = pd.read_excel(ixi / "IXI.xls")
    assert list(table.columns) == ["IXI_ID", "SEX_ID (1=m, 2=f)", "AGE"]
    assert sorted(table["IXI_ID"]) == sorted({int(name[3:6]) for name in published(ixi)})
    assert table["AGE"].between(20, 86).all()
    assert table["SEX_ID (1=m, 2=f)"].isin([1, 2]).all()


def test_ixi_images_lie_in_their_own_grids(ixi):
    t1, t2 = (nib.load(ixi / name) for name in published(ixi)[:2])
    assert nib.aff2axcodes(t1.affine) == ("P", "S", "R")
    assert nib.aff2axcodes(t2.affine) == ("L", "P", "S")


def test_subjects_differ(ixi):
    first, second = (voxels(ixi / name) for name in published(ixi)[::2])
    assert first.shape == second.shape
    assert (first != second).mean() > 0.5


def test_a_subject_does_not_depend_on_the_count(ixi, tmp_path):
    alone = simulated("ixi", 1, COARSE, tmp_path)
    for name in published(alone):
        np.testing.assert_array_equal(voxels(alone / name), voxels(ixi / name))


def test_another_seed_gives_another_subject(ixi, tmp_path):
    other = simulated("ixi", 1, COARSE, tmp_path, seed=1)
    first, second = voxels(other / published(other)[0]), voxels(ixi / published(ixi)[0])
    assert (first != second).mean() > 0.5


def test_processes_give_the_same_subjects(ixi, tmp_path):
    simulate_dataset("ixi", 2, COARSE, 0, ATLAS_FOLDER, tmp_path, workers=2)
    assert published(tmp_path) == published(ixi)
    for name in published(ixi):
        np.testing.assert_array_equal(voxels(tmp_path / name), voxels(ixi / name))


def test_finished_subjects_are_kept_and_lost_files_made_again(tmp_path):
    root = simulated("ixi", 2, COARSE, tmp_path)
    names = published(root)
    times = {name: (root / name).stat().st_mtime_ns for name in names}
    (root / names[3]).unlink()
    simulated("ixi", 2, COARSE, root)
    again = {name: (root / name).stat().st_mtime_ns for name in published(root)}
    assert again[names[0]] == times[names[0]]
    assert again[names[3]] != times[names[3]]


def test_changed_settings_make_subjects_again(tmp_path):
    root = simulated("ixi", 1, COARSE, tmp_path)
    before = nib.load(root / published(root)[0]).shape
    simulated("ixi", 1, PhantomSettings(spacing_mm=5.0), root)
    assert nib.load(root / published(root)[0]).shape != before


def test_a_smaller_count_removes_simulated_subjects_and_nothing_else(tmp_path):
    root = simulated("ixi", 2, COARSE, tmp_path)
    real = root / "IXI900-HH-1111-T1.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((4, 4, 4), dtype=np.int16), np.eye(4)), real)
    simulated("ixi", 1, COARSE, root)
    assert real.is_file()
    assert len(published(root)) == 3


def test_brats_lies_on_the_published_grid(brats21):
    names = published(brats21)
    folder = names[0].split("/")[0]
    expected = [f"{folder}/{folder}_{m}.nii.gz" for m in ("flair", "seg", "t1", "t1ce", "t2")]
    assert names == expected
    for name in names:
        image = nib.load(brats21 / name)
        assert image.shape == ATLAS_SHAPE
        np.testing.assert_allclose(image.affine, ATLAS_AFFINE)


def test_brats_labels_are_the_published_values(brats21):
    labels = voxels(next(brats21.rglob("*_seg.nii.gz")))
    assert set(np.unique(labels)) <= {0, 1, 2, 4}
    assert (labels > 0).sum() > 200


def test_brats_is_brain_only_and_the_lesion_lies_in_it(brats21):
    t2, labels = (voxels(next(brats21.rglob(f"*_{m}.nii.gz"))) for m in ("t2", "seg"))
    assert 1.0e6 < (t2 > 0).sum() < 1.9e6
    assert t2[labels > 0].min() > 0


def test_tumours_are_bright_on_t2_and_flair_and_dark_on_t1(brats21):
    labels = voxels(next(brats21.rglob("*_seg.nii.gz")))
    images = {m: voxels(next(brats21.rglob(f"*_{m}.nii.gz"))) for m in ("t1", "t2", "flair")}
    brain = images["t1"] > 0
    ratio = {m: contrast(image, labels > 0, brain) for m, image in images.items()}
    assert ratio["t1"] < 0.9
    assert ratio["t2"] > 1.1
    assert ratio["flair"] > 1.1


def test_mslub_images_and_masks_share_one_grid(mslub):
    names = published(mslub)
    roles = ("FLAIR", "T1W", "T1WKS", "T2W", "brainmask", "consensus_gt")
    assert names == [f"patient01/patient01_{role}.nii.gz" for role in roles]
    affines = [nib.load(mslub / name).affine for name in names]
    assert all((affine == affines[0]).all() for affine in affines)


def test_mslub_shows_the_whole_head(mslub):
    t1, mask = (voxels(mslub / f"patient01/patient01_{role}.nii.gz") for role in ("T1W", "brainmask"))
    head = t1 > 0.3 * np.percentile(t1, 99)
    assert (head & (mask == 0)).sum() > 0.2 * mask.sum()


def test_plaques_lie_in_the_brain_and_are_bright_on_t2_and_flair(mslub):
    lesion, mask = (
        voxels(mslub / f"patient01/patient01_{r}.nii.gz") > 0 for r in ("consensus_gt", "brainmask")
    )
    assert lesion.any()
    assert mask[lesion].all()
    for role in ("T2W", "FLAIR"):
        assert contrast(voxels(mslub / f"patient01/patient01_{role}.nii.gz"), lesion, mask) > 1.15


def test_headers_say_that_images_are_simulated(mslub):
    header = nib.load(mslub / "patient01/patient01_T1W.nii.gz").header
    assert bytes(header["descrip"].tobytes()).startswith(b"brain-uad phantom")


def test_a_bad_anatomy_folder_is_refused_before_any_work(tmp_path):
    if not (ATLAS_FOLDER / "sri24").is_dir():
        pytest.skip("resources/sri24 absent: run `make atlas`")
    settings = PhantomSettings(anatomy=str(tmp_path / "absent"))
    with pytest.raises(InputError, match="anatomy"):
        simulate_dataset("ixi", 1, settings, 0, ATLAS_FOLDER, tmp_path / "out")
    assert not (tmp_path / "out").exists()

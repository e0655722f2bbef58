"""The way from packed arrays back to the atlas grid, and errors of the store."""

import nibabel
import numpy as np
import pytest

from brainuad.arrays import ArrayStore, map_to_derivative, to_volume_axes
from brainuad.errors import InputError
from brainuad.preprocessing.recipe_steps import Scan, apply_steps
from brainuad.preprocessing.recipes import Recipe

AFFINE = np.array([[-1.0, 0, 0, 0], [0, -1.0, 0, 239], [0, 0, 1.0, 0], [0, 0, 0, 1]])


def test_a_map_returns_to_the_grid_it_came_from():
    x, y, z = np.indices((24, 20, 16), dtype=np.float32)
    ramp = x + 2 * y + 3 * z  # linear interpolation of a ramp is exact
    empty = np.zeros(ramp.shape, dtype=bool)
    steps = (
        {"step": "crop_or_pad", "size": [20, 20, 12]},
        {"step": "resample", "factor": 2, "interpolation": "linear"},
        {"step": "keep_slices", "trim": [1, 1]},
    )
    scan = apply_steps(Scan(ramp[None], empty, empty, AFFINE), Recipe(modalities=("t1",), steps=steps).steps)
    back = map_to_derivative(scan.images[0], scan.affine, nibabel.Nifti1Image(ramp, AFFINE)).get_fdata()
    covered = (slice(3, 21), slice(1, 19), slice(5, 11))
    np.testing.assert_allclose(back[covered], ramp[covered], atol=1e-3)


def test_a_map_is_zero_outside_its_field_of_view():
    reference = nibabel.Nifti1Image(np.zeros((6, 6, 6)), np.eye(4))
    back = map_to_derivative(np.ones((2, 2, 2)), np.eye(4), reference).get_fdata()
    assert back.sum() == 8


def test_slices_first_become_x_y_z():
    assert to_volume_axes(np.zeros((5, 3, 4))).shape == (3, 4, 5)
    assert to_volume_axes(np.zeros((5, 2, 3, 4))).shape == (2, 3, 4, 5)


def test_a_folder_without_arrays_is_named(tmp_path):
    with pytest.raises(InputError, match=r"index\.tsv"):
        _ = ArrayStore(tmp_path).index


@pytest.fixture
def folder(tmp_path):
    """Packed arrays of two subjects with two slices each, of 4 x 3 pixels."""
    columns = "subject\tgroup\tfirst_slice\tslices\tlesion_voxels\tstatus"
    rows = [columns, "a\thealthy\t0\t2\t0\tok", "b\thealthy\t2\t2\t0\tok"]
    (tmp_path / "index.tsv").write_text("\n".join(rows) + "\n")
    (tmp_path / "recipe.json").write_text('{"channels": ["t2"], "size": [4, 3], "spacing_mm": [1, 1, 1]}')
    images = np.random.default_rng(0).random((4, 1, 4, 3)).astype(np.float16)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "clean.npy", images / 2)
    for name in ("lesion", "brain"):
        np.save(tmp_path / f"{name}.npy", np.zeros((4, 4, 3), dtype=bool))
    return tmp_path


def test_a_volume_holds_the_image_without_its_synthetic_anomaly(folder):
    clean = ArrayStore(folder).volume("b").clean
    assert clean.dtype == np.float32
    np.testing.assert_array_equal(clean, np.load(folder / "clean.npy")[2:].astype(np.float32))


def test_without_synthetic_anomalies_a_volume_has_no_clean_image(folder):
    (folder / "clean.npy").unlink()
    assert ArrayStore(folder).clean is None
    assert ArrayStore(folder).volume("b").clean is None


def test_boxes_are_a_table_of_whole_pixels(folder):
    text = "subject\tbox\tlabel\tslice\tx_first\tx_last\ty_first\ty_last\na\t0\tmass\t1\t0\t2\t1\t1\n"
    (folder / "boxes.tsv").write_text(text)
    box = ArrayStore(folder).boxes.iloc[0]
    assert (box["subject"], box["label"]) == ("a", "mass")
    assert box[["slice", "x_first", "x_last", "y_first", "y_last"]].tolist() == [1, 0, 2, 1, 1]


def test_without_boxes_the_table_is_empty_and_has_its_columns(folder):
    boxes = ArrayStore(folder).boxes
    assert boxes.empty
    assert boxes.columns.tolist() == [
        "subject",
        "box",
        "label",
        "slice",
        "x_first",
        "x_last",
        "y_first",
        "y_last",
    ]
    assert boxes["slice"].dtype == int

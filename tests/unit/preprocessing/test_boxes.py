"""Boxes: from annotations to voxels of the derivative, and on to pixels of the packed grid."""

from dataclasses import asdict

import h5py
import numpy as np
import pandas as pd
import pytest

from brainuad.arrays import ArrayStore
from brainuad.datasets.base import COHORT_COLUMNS
from brainuad.datasets.fastmri import Fastmri
from brainuad.errors import ScanError
from brainuad.preprocessing.boxes import (
    Box,
    boxes_path,
    inside_volume,
    pack_boxes,
    read_boxes,
    union_mask,
)
from brainuad.preprocessing.derivatives import derivative_path
from brainuad.preprocessing.pack import pack_dataset
from brainuad.preprocessing.quality import summarise
from brainuad.preprocessing.recipe_steps import Scan, apply_steps
from brainuad.preprocessing.recipes import Recipe
from brainuad.preprocessing.subject import preprocess_subject

SIZE = (30, 40, 9)  # x, y, z
SCAN = "file_brain_AXT1_202_6000312"
MIDDLE = {"step": "keep_slices", "middle": True}
STEPS = [
    (),
    (MIDDLE, {"step": "pad_to_square"}, {"step": "resize_in_plane", "size": 16, "masks": "nearest"}),
    (
        {"step": "crop_or_pad", "size": [24, 50, None]},
        {"step": "resize_in_plane", "size": 25, "masks": "nearest"},
    ),
    ({"step": "resample", "spacing_mm": [2, 3, 1]}, {"step": "keep_slices", "trim": [2, 1]}),
]


def scan_of_size(size=SIZE):
    empty = np.zeros(size, dtype=bool)
    return Scan(np.random.default_rng(0).random((1, *size), dtype=np.float32), ~empty, empty, np.eye(4))


def packed_with(steps, boxes, size=SIZE):
    """The packed boxes, how many are lost, and the shape of the packed grid."""
    scan = apply_steps(scan_of_size(size), Recipe(modalities=("t1",), steps=steps).steps)
    return (*pack_boxes(boxes, scan.affine, scan.shape), scan.shape)


def mask_through_steps(steps, box):
    """The box as a mask that goes through the recipe like a lesion: (slice, x, y)."""
    scan = scan_of_size()
    scan.lesion[box.x : box.x + box.width, box.y : box.y + box.height, box.slice] = True
    return apply_steps(scan, Recipe(modalities=("t1",), steps=steps).steps).lesion.transpose(2, 0, 1)


@pytest.mark.parametrize("steps", STEPS)
def test_a_box_covers_what_its_mask_covers_after_the_recipe(steps):
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, y = rng.integers(4, 18, 2)
        box = Box("edema", 4, int(x), int(y), *(int(size) for size in rng.integers(4, 12, 2)))
        found, _, shape = packed_with(steps, [box])
        np.testing.assert_array_equal(union_mask(found, shape), mask_through_steps(steps, box))


def test_boxes_of_slices_that_are_not_kept_do_not_count():
    found, lost, _ = packed_with([MIDDLE], [Box("mass", number, 5, 5, 6, 6) for number in range(9)])
    assert [box["slice"] for box in found] == [0]
    assert lost == 0


def test_a_box_that_no_pixel_falls_into_keeps_the_nearest():
    steps = [MIDDLE, {"step": "pad_to_square"}, {"step": "resize_in_plane", "size": 4}]
    found, lost, _ = packed_with(steps, [Box("mass", 4, 6, 27, 1, 1)])
    # 40 pixels to 4, after padding x by 5 on each side: column 6 is at 11, row 27 stays.
    assert [(box["x_first"], box["x_last"], box["y_first"], box["y_last"]) for box in found] == [(1, 1, 2, 2)]
    assert lost == 0


def test_a_box_beyond_the_crop_is_lost():
    found, lost, _ = packed_with(
        [{"step": "crop_or_pad", "size": [10, 10, None]}], [Box("mass", 4, 0, 0, 3, 3)]
    )
    assert (found, lost) == ([], 1)


def test_boxes_are_cut_to_the_image():
    kept, remarks = inside_volume([Box("mass", 0, -3, 36, 10, 10)], SIZE)
    assert kept == [Box("mass", 0, 0, 36, 7, 4)]
    assert remarks == []


def test_boxes_outside_the_image_or_the_volume_are_left_out_with_a_remark():
    outside = [Box("mass", 0, 30, 0, 5, 5), Box("mass", 0, 0, -9, 5, 5), Box("mass", 9, 0, 0, 5, 5)]
    kept, remarks = inside_volume(outside, SIZE)
    assert kept == []
    assert remarks == ["1 box on slices beyond the 9 of the scan", "2 boxes outside the image"]


def test_a_box_file_that_cannot_be_read_is_a_scan_error(tmp_path):
    (tmp_path / "a.json").write_text('[{"label": "mass"}]')
    with pytest.raises(ScanError, match=r"a\.json"):
        read_boxes(tmp_path / "a.json")


@pytest.fixture
def world(tmp_path):
    """A function from annotation rows to (quality record, derivatives): a bright square marks stored row 31."""

    def preprocessed(*texts, **settings):
        root = tmp_path / "raw"
        root.mkdir(exist_ok=True)
        rss = np.random.default_rng(0).random((9, 40, 30), dtype=np.float32)
        rss[:, 4:36, 4:26] += 5
        rss[4, 40 - 1 - 12 : 40 - 9, 20:23] = 30  # upright rows 9 to 12, columns 20 to 22
        with h5py.File(root / f"{SCAN}.h5", "w") as file:
            file["reconstruction_rss"] = rss * 1e-5
        header = "file,slice,study_level,x,y,width,height,label\n"
        (root / "brain.csv").write_text(header + "".join(f"{SCAN},{text}\n" for text in texts))
        row = Fastmri().index(root).iloc[0]
        chosen = Fastmri.preprocessing.model_copy(update=settings)
        return preprocess_subject(dict(row), root, chosen, tmp_path / "atlas", tmp_path / "d"), tmp_path / "d"

    return preprocessed


def test_an_annotated_box_lies_on_its_finding_in_the_derivative(world):
    import nibabel

    quality, folder = world("4,No,20,9,3,4,Mass")
    assert quality["status"] == "ok", quality["reason"]
    box = read_boxes(boxes_path(folder, "AXT12026000312"))[0]
    voxels = nibabel.load(derivative_path(folder, "AXT12026000312", "t1")).get_fdata()
    bright = voxels[..., box.slice] > 20e-5
    assert asdict(box) == {"label": "mass", "slice": 4, "x": 20, "y": 9, "width": 3, "height": 4}
    assert bright[20:23, 9:13].all()
    assert bright.sum() == 12


def test_remarks_on_boxes_are_in_the_note_of_the_subject(world):
    quality, _ = world("4,No,20,9,3,4,Mass", "40,No,1,1,3,3,Mass", "4,No,100,1,3,3,Mass")
    assert quality["note"] == "1 box on slices beyond the 9 of the scan; 1 box outside the image"


def test_a_scan_without_boxes_has_an_empty_list(world):
    _, folder = world("0,Yes,,,,,Motion artifact")
    assert read_boxes(boxes_path(folder, "AXT12026000312")) == []


def quality_table(folder, **values):
    row = dict.fromkeys(COHORT_COLUMNS, "") | {"subject": "AXT12026000312", "status": "ok"} | values
    return summarise(folder, pd.DataFrame([row]))


def pack(folder, output, *steps, **values):
    recipe = Recipe(modalities=("t1",), steps=steps)
    pack_dataset("fastmri", folder, quality_table(folder, **values), "r", recipe, output)
    return ArrayStore(output)


def test_packed_boxes_and_their_union_lie_on_the_finding(world, tmp_path):
    _, folder = world("4,No,20,9,3,4,Mass", "4,No,21,10,6,2,Edema", "5,No,1,1,3,3,Edema")
    store = pack(folder, tmp_path / "out", MIDDLE, {"step": "pad_to_square"}, group="patient")
    volume = store.volume("AXT12026000312")
    assert store.boxes.to_dict("records") == [
        {"subject": "AXT12026000312", "box": 0, "label": "mass", "slice": 0}
        | {"x_first": 25, "x_last": 27, "y_first": 9, "y_last": 12},
        {"subject": "AXT12026000312", "box": 1, "label": "edema", "slice": 0}
        | {"x_first": 26, "x_last": 31, "y_first": 10, "y_last": 11},
    ]
    assert (volume.images[0, 0, 25:28, 9:13] > 20e-5).all()
    assert volume.lesion.sum() == store.index["lesion_voxels"].iloc[0] == 3 * 4 + 6 * 2 - 2 * 2


def test_a_condition_without_boxes_is_a_patient_whose_lesions_are_known_to_be_none(world, tmp_path):
    _, folder = world("0,Yes,,,,,Motion artifact")
    store = pack(folder, tmp_path / "out", MIDDLE, group="patient", condition="motion artifact")
    assert store.index["lesion_voxels"].tolist() == [0]
    assert store.index["condition"].tolist() == ["motion artifact"]
    assert store.boxes.empty


def test_lost_boxes_are_noted_in_the_index(world, tmp_path):
    _, folder = world("4,No,0,0,2,2,Mass")
    crop = {"step": "crop_or_pad", "size": [10, 10, None]}
    index = pack(folder, tmp_path / "out", crop, group="patient").index
    assert index["status"].tolist() == ["ok"]
    assert index["reason"].tolist() == ["boxes outside the field of view of the recipe: 1"]


def test_boxes_are_left_out_with_a_note_where_the_derivative_has_another_grid(world):
    quality, folder = world("4,No,20,9,3,4,Mass", crop="brain")
    assert quality["status"] == "ok"
    assert "not on the grid of the scan" in quality["note"]
    assert not boxes_path(folder, "AXT12026000312").exists()

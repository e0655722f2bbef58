"""Pasted rectangles have the published sizes and places, and hold what was copied."""

import numpy as np
import pytest

from brainuad.randomness import numpy_generator
from brainuad.synthetic.copy_paste import Patch, draw_patch, put_patch
from brainuad.synthetic.settings import CopyPaste

PAPER = CopyPaste(kind="copy-paste", of="ixi")
CODE = CopyPaste(kind="copy-paste", of="ixi", lowest_corner=32, far_margin=2)


def drawn(size: int, settings: CopyPaste = PAPER) -> list[Patch]:
    generator = numpy_generator(0, "test patches")
    return [draw_patch(settings, (size, size), generator) for _ in range(3000)]


@pytest.mark.parametrize(("size", "smallest", "largest"), [(128, 25, 49), (64, 12, 24)])
def test_sides_are_uniform_between_their_bounds(size: int, smallest: int, largest: int) -> None:
    sides = np.array([(p.width, p.height) for p in drawn(size)]).ravel()
    values, counts = np.unique(sides, return_counts=True)
    assert values.tolist() == list(range(smallest, largest + 1))
    assert counts.min() > 0.7 * counts.mean()


@pytest.mark.parametrize(("settings", "lowest", "margin"), [(PAPER, 25, 0), (CODE, 32, 2)])
def test_corners_lie_as_in_the_paper_or_as_in_the_released_code(
    settings: CopyPaste, lowest: int, margin: int
) -> None:
    patches = drawn(128, settings)
    starts = np.array([(p.source_x, p.source_y, p.x, p.y) for p in patches])
    ends = starts + np.array([(p.width, p.height) * 2 for p in patches])
    assert (starts.min(axis=0) == lowest).all()
    assert (ends.max(axis=0) == 128 - margin).all()


def test_the_rectangle_is_that_of_the_image_before_the_paste_in_every_channel() -> None:
    image = np.random.default_rng(0).random((2, 30, 20))
    patch = Patch(width=8, height=5, source_x=2, source_y=3, x=6, y=5)  # overlaps its source
    changed, mask = put_patch(image, patch)
    assert np.array_equal(changed[:, 6:14, 5:10], image[:, 2:10, 3:8])
    assert np.array_equal(changed[:, ~mask], image[:, ~mask])


def test_the_mask_is_the_whole_rectangle_even_where_nothing_changes() -> None:
    changed, mask = put_patch(np.zeros((1, 30, 20)), Patch(8, 5, 2, 3, 6, 5))
    assert not changed.any()
    assert mask.sum() == 40
    assert mask[6:14, 5:10].all()

"""Patched DDPM: where the patches of a training lie if their size does not divide the image."""

import pytest
import torch

from brainuad.randomness import torch_generator
from tests.unit.methods.test_patched_ddpm import model


@pytest.mark.parametrize(("size", "starts"), [(60, [0, 60]), (72, [0, 72]), (24, [0, 24, 48, 72])])
def test_training_draws_from_the_grid_whose_stride_is_the_patch_and_cuts_the_last(
    size: int, starts: list[int]
) -> None:
    ddpm = model({"size": size}, side=96)
    masks = ddpm._draw_patches(torch.zeros(400, 1, 96, 96), torch_generator(0))[:, 0]
    found = set()
    for mask in masks:
        rows, columns = mask.any(dim=1).nonzero(), mask.any(dim=0).nonzero()
        found.add((int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1))
    assert found == set(ddpm.training_grid())
    assert {(box[0], box[1]) for box in found} == {(start, min(start + size, 96)) for start in starts}
    assert {box[2:] for box in found} == {box[:2] for box in found}

"""Random transforms of training images against SciPy, exact rotations and moments."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from brainuad.methods.base import Batch
from brainuad.randomness import Draws
from brainuad.training.augmentation import Transforms, augment, draw_transforms, transform
from brainuad.training.settings import AugmentationSettings

BERCEA = AugmentationSettings(affine=1.0, flip=0.5)


def batch_of(count: int, *size: int, channels: int = 2) -> Batch:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(count, channels, *size, generator=generator)
    brain = images[:, :1] > 0.3
    return Batch(images, brain, images[:, :1] > 0.7)


def transforms_of(matrix: Tensor, shift: Tensor) -> Transforms:
    return Transforms(matrix[None], shift[None], torch.ones(1, dtype=torch.bool))


def by_scipy(image: np.ndarray, matrix: Tensor, shift: Tensor, order: int) -> np.ndarray:
    """The same transform of one image, from SciPy's map of output to input voxels."""
    side = np.array(image.shape)
    back = np.linalg.inv(matrix.double().numpy())
    centre = (side - 1) / 2
    offset = centre - back @ (centre + shift.double().numpy() * side)
    return ndimage.affine_transform(image, back, offset, order=order, mode="grid-constant")


def test_no_image_changes_by_default() -> None:
    batch = batch_of(3, 8, 8)
    assert augment(batch, AugmentationSettings(), 2, Draws(0)) is batch


def test_a_quarter_turn_moves_every_voxel_and_mask_alike() -> None:
    batch = batch_of(1, 8, 8)
    quarter = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    turned = transform(batch, transforms_of(quarter, torch.zeros(2)))
    assert torch.allclose(turned.images, batch.images.rot90(1, (2, 3)), atol=1e-5)
    assert torch.equal(turned.brain, batch.brain.rot90(1, (2, 3)))
    assert turned.lesion is not None
    assert batch.lesion is not None
    assert torch.equal(turned.lesion, batch.lesion.rot90(1, (2, 3)))
    assert turned.brain.dtype == torch.bool


def test_a_shift_is_a_share_of_the_side_and_fills_with_zero() -> None:
    batch = batch_of(1, 8, 16)
    moved = transform(batch, transforms_of(torch.eye(2), torch.tensor([0.25, -0.125])))
    expected = torch.zeros_like(batch.images)
    expected[:, :, 2:, :14] = batch.images[:, :, :6, 2:]
    assert torch.allclose(moved.images, expected, atol=1e-5)


@pytest.mark.parametrize("size", [(24, 24), (20, 28), (10, 12, 14)])
def test_an_affine_transform_equals_that_of_scipy(size: tuple[int, ...]) -> None:
    batch = batch_of(1, *size, channels=1)
    drawn = draw_transforms(BERCEA, 1, len(size), Draws(4))
    found = transform(batch, drawn)
    matrix, shift = drawn.matrix[0], drawn.shift[0]
    image = by_scipy(batch.images[0, 0].double().numpy(), matrix, shift, order=1)
    assert np.allclose(found.images[0, 0].numpy(), image, atol=1e-4)
    brain = by_scipy(batch.brain[0, 0].numpy().astype(float), matrix, shift, order=0)
    assert np.mean(found.brain[0, 0].numpy() == (brain > 0.5)) > 0.999


def test_a_flip_mirrors_left_to_right_and_nothing_else() -> None:
    batch = batch_of(4, 8, 6)
    flipped = augment(batch, AugmentationSettings(flip=1.0), 2, Draws(0))
    assert torch.allclose(flipped.images, batch.images.flip(2), atol=1e-5)


def test_samples_that_are_not_chosen_stay_bit_equal() -> None:
    batch = batch_of(200, 8, 8)
    settings = AugmentationSettings(affine=0.3)
    changed = draw_transforms(settings, 200, 2, Draws(1)).changed
    found = augment(batch, settings, 2, Draws(1))
    same = (found.images == batch.images).flatten(1).all(dim=1)
    assert torch.equal(same, ~changed)
    assert changed.float().mean().item() == pytest.approx(0.3, abs=0.1)


def test_draws_fill_the_ranges_of_the_settings_and_stay_inside() -> None:
    drawn = draw_transforms(BERCEA, 2000, 2, Draws(2))
    scale = drawn.matrix.det().abs().sqrt()
    angle = torch.atan2(-drawn.matrix[:, 0, 1], drawn.matrix[:, 1, 1]).rad2deg()
    flipped = drawn.matrix.det() < 0
    for values, low, high in ((scale, 0.9, 1.1), (angle, -10, 10), (drawn.shift, -0.1, 0.1)):
        assert values.min().item() == pytest.approx(low, abs=0.02 * (high - low))
        assert values.max().item() == pytest.approx(high, abs=0.02 * (high - low))
        spread = (high - low) / math.sqrt(12)
        assert values.std().item() == pytest.approx(spread, rel=0.1)
    assert flipped.float().mean().item() == pytest.approx(0.5, abs=0.05)


def test_slices_of_one_volume_share_their_transform() -> None:
    image = torch.rand(2, 1, 1, 12, 12).expand(2, 5, 1, 12, 12)  # (volume, slice, channel, x, y)
    batch = Batch(image, image > 0.5)
    found = augment(batch, BERCEA, 2, Draws(3))
    assert found.images.shape == image.shape
    assert torch.equal(found.images, found.images[:, :1].expand_as(image))
    assert not torch.equal(found.images[0, 0], image[0, 0])


def test_the_same_draws_give_the_same_batch() -> None:
    batch = batch_of(3, 16, 16)
    first, second, other = (augment(batch, BERCEA, 2, Draws(0).within(step)) for step in (7, 7, 8))
    assert torch.equal(first.images, second.images)
    assert not torch.equal(first.images, other.images)


def test_a_scale_that_is_no_range_is_refused() -> None:
    with pytest.raises(ValueError, match="not a range"):
        AugmentationSettings(scale=(1.1, 0.9))

"""Random affine transforms and mirroring of training images, as Bercea 2023 trains reversed auto-encoders.

Image, brain and lesion of a sample get the same transform. The transforms are drawn by one function and applied
by another, so that any batch can be replayed.
"""

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from brainuad.methods.base import Batch
from brainuad.randomness import Draws
from brainuad.training.settings import AugmentationSettings


@dataclass(frozen=True)
class Transforms:
    """What is done to each sample: a point p, in voxels from the centre, moves to matrix @ p + shift * side.

    Shapes: matrix (sample, axis, axis), shift (sample, axis), changed (sample) bool.
    """

    matrix: Tensor
    shift: Tensor
    changed: Tensor


def augment(batch: Batch, settings: AugmentationSettings, dims: int, draws: Draws) -> Batch:
    """The batch with freshly drawn transforms; unchanged where the settings ask for none."""
    if settings.affine == 0 and settings.flip == 0:
        return batch
    return transform(batch, draw_transforms(settings, len(batch.images), dims, draws))


def draw_transforms(settings: AugmentationSettings, count: int, dims: int, draws: Draws) -> Transforms:
    """Transforms of `count` samples: rotations in every plane, a shift, a magnification, a left-right flip."""
    generator = draws.generator("augmentation")

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.empty(shape, device=generator.device).uniform_(low, high, generator=generator)

    affine = uniform(0, 1, count) < settings.affine
    flip = uniform(0, 1, count) < settings.flip
    planes = list(combinations(range(dims), 2))
    angles = uniform(-settings.rotation_degrees, settings.rotation_degrees, len(planes), count).deg2rad()
    scale = torch.where(affine, uniform(*settings.scale, count), 1.0)
    matrix = torch.eye(dims, device=generator.device).repeat(count, 1, 1)
    for plane, angle in zip(planes, angles * affine, strict=True):
        matrix = _rotation(plane, angle, dims) @ matrix
    matrix = scale[:, None, None] * matrix
    # Axis 0 runs from left to right.
    matrix[:, :, 0] *= torch.where(flip, -1.0, 1.0)[:, None]
    shift = uniform(-settings.translation, settings.translation, count, dims) * affine[:, None]
    return Transforms(matrix, shift, affine | flip)


def _rotation(plane: tuple[int, int], angle: Tensor, dims: int) -> Tensor:
    a, b = plane
    rotation = torch.eye(dims, device=angle.device).repeat(len(angle), 1, 1)
    rotation[:, a, a] = rotation[:, b, b] = angle.cos()
    rotation[:, b, a] = angle.sin()
    rotation[:, a, b] = -angle.sin()
    return rotation


def transform(batch: Batch, transforms: Transforms) -> Batch:
    """The transformed batch: images interpolated linearly, masks by the nearest voxel, zero from outside."""
    return replace(
        batch,
        images=_warp(batch.images, transforms, "bilinear"),
        brain=_warp(batch.brain, transforms, "nearest"),
        lesion=None if batch.lesion is None else _warp(batch.lesion, transforms, "nearest"),
    )


def _warp(image: Tensor, transforms: Transforms, mode: Literal["bilinear", "nearest"]) -> Tensor:
    """The warped image (sample, ..., *size); what lies between sample and size is warped alike."""
    dims = transforms.matrix.shape[-1]
    flat = image.flatten(1, image.dim() - dims - 1)  # (sample, channel, *size)
    grid = F.affine_grid(_theta(transforms, flat.shape[2:]), list(flat.shape), align_corners=False)
    warped = F.grid_sample(flat.float(), grid, mode=mode, padding_mode="zeros", align_corners=False)
    changed = transforms.changed.reshape(-1, *[1] * (image.dim() - 1))
    return torch.where(changed, warped.reshape(image.shape).to(image.dtype), image)


def _theta(transforms: Transforms, size: tuple[int, ...]) -> Tensor:
    """The way back from output to input in torch's coordinates: [-1, 1] per axis, the last axis first."""
    side = torch.tensor(size, device=transforms.matrix.device, dtype=torch.float32)
    back = torch.linalg.inv(transforms.matrix)
    offset = -(back @ (transforms.shift * side)[:, :, None])[:, :, 0]
    linear = back * side / side[:, None]
    return torch.cat([linear.flip(1, 2), (2 * offset / side).flip(1)[:, :, None]], dim=2)

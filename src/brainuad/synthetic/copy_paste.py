"""Synthetic texture anomalies: a rectangle of the slice pasted elsewhere (Bercea 2023, RA)."""

from dataclasses import dataclass

import numpy as np

from brainuad.synthetic.settings import CopyPaste


@dataclass(frozen=True)
class Patch:
    """One rectangle in pixels: its size, the corner that it is copied from, and the corner it is pasted at."""

    width: int
    height: int
    source_x: int
    source_y: int
    x: int
    y: int


def draw_patch(settings: CopyPaste, size: tuple[int, int], generator: np.random.Generator) -> Patch:
    """The rectangle of one slice of `size` pixels."""
    scale = np.array(size) / settings.image_size
    smallest, largest = (np.maximum(np.floor(side * scale).astype(int), 1) for side in settings.side)
    sides = generator.integers(smallest, largest, endpoint=True)
    lowest = np.floor(settings.lowest_corner * scale).astype(int)
    highest = np.array(size) - sides - np.ceil(settings.far_margin * scale).astype(int)
    source, target = (generator.integers(lowest, np.maximum(highest, lowest), endpoint=True) for _ in "st")
    return Patch(*(int(number) for number in (*sides, *source, *target)))


def put_patch(slice_images: np.ndarray, patch: Patch) -> tuple[np.ndarray, np.ndarray]:
    """A slice (channel, x, y) with the rectangle pasted in every channel, and the mask (x, y) of its new place.

    The whole rectangle is in the mask, also where the paste changes nothing.
    """
    images = slice_images.copy()
    mask = np.zeros(images.shape[1:], dtype=bool)
    source = np.s_[
        patch.source_x : patch.source_x + patch.width, patch.source_y : patch.source_y + patch.height
    ]
    target = np.s_[patch.x : patch.x + patch.width, patch.y : patch.y + patch.height]
    images[:, *target] = slice_images[:, *source]
    mask[target] = True
    return images, mask

"""Pictures for checking preprocessing by eye: one strip of slices per subject, and pages of strips.

Colours that the colour-blind tell apart: orange the brain mask, blue the atlas brain, pink the lesion.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from skimage.segmentation import find_boundaries

from brainuad.preprocessing.geometry import bounding_box, cut
from brainuad.storage import atomic_path

BRAIN_COLOUR = (230, 159, 0)
ATLAS_COLOUR = (0, 114, 178)
LESION_COLOUR = (240, 60, 160)
# Shares of the brain's height at which axial slices are shown.
AXIAL_SHARES = (0.25, 0.45, 0.6, 0.8)
SUBJECTS_PER_PAGE = 24
STRIP_INCHES = 1.6
# How much of the head around the atlas brain is shown.
MARGIN_MM = 18.0


def draw_strip(
    head: sitk.Image,
    brain: sitk.Image,
    atlas_brain: sitk.Image | None,
    lesion: sitk.Image | None,
    path: Path,
) -> None:
    """Writes a row of slices of the unstripped reference on the grid of the derivatives, with outlines of the masks.

    Four axial slices (patient's right on the left side), one coronal and one sagittal; with a lesion the second
    axial slice is the one that shows most of it.
    """
    from matplotlib import image as image_file

    box = bounding_box(brain if atlas_brain is None else atlas_brain, MARGIN_MM)
    head, brain = cut(head, box), cut(brain, box)
    voxels, inside = sitk.GetArrayFromImage(head), sitk.GetArrayFromImage(brain) > 0
    outlines = [(inside, BRAIN_COLOUR)]
    if atlas_brain is not None:
        outlines.insert(0, (sitk.GetArrayFromImage(cut(atlas_brain, box)) > 0, ATLAS_COLOUR))
    heights, columns, rows = (np.flatnonzero(inside.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    levels = [int(heights[int(share * (len(heights) - 1))]) for share in AXIAL_SHARES]
    if lesion is not None:
        marked = sitk.GetArrayFromImage(cut(lesion, box)) > 0
        outlines.append((marked, LESION_COLOUR))
        if marked.any():
            levels[1] = int(marked.sum(axis=(1, 2)).argmax())
    white = float(np.percentile(voxels[inside], 99.5))
    planes: list[Any] = [np.s_[level] for level in levels]
    # Slices that are thicker than a pixel is wide fill several rows of the pictures across them.
    rows_per_slice = max(round(head.GetSpacing()[2] / head.GetSpacing()[0]), 1)
    across = np.repeat(np.arange(len(voxels))[::-1], rows_per_slice)
    planes += [np.s_[across, int(np.median(columns))], np.s_[across, :, int(np.median(rows))]]
    tiles = [
        _tile(voxels[plane] / white, [(mask[plane], colour) for mask, colour in outlines]) for plane in planes
    ]
    height = max(tile.shape[0] for tile in tiles)
    strip = np.concatenate([_padded(tile, height) for tile in tiles], axis=1)
    with atomic_path(path) as temporary:
        image_file.imsave(temporary, strip)


def draw_pages(strips: Sequence[tuple[str, Path, str]], folder: Path) -> list[Path]:
    """Writes `mosaic.png`, then `mosaic-2.png` and so on, from (label, strip picture, reason) in order.

    A subject with a reason is excluded: an empty tile with that text. Without any subject the first page says so.
    """
    for old in folder.glob("mosaic*.png"):
        old.unlink()
    pages = []
    for start in range(0, max(len(strips), 1), SUBJECTS_PER_PAGE):
        number = start // SUBJECTS_PER_PAGE + 1
        page = folder / ("mosaic.png" if number == 1 else f"mosaic-{number}.png")
        _draw_page(strips[start : start + SUBJECTS_PER_PAGE], page)
        pages.append(page)
    return pages


def _draw_page(strips: Sequence[tuple[str, Path, str]], path: Path) -> None:
    from matplotlib import image as image_file
    from matplotlib.figure import Figure

    if not strips:
        strips = [("", path, "no subject is selected")]
    figure = Figure(figsize=(9.0, STRIP_INCHES * len(strips)), dpi=150, layout="constrained")
    all_axes = figure.subplots(len(strips), 1, squeeze=False)[:, 0]
    for axes, (label, picture, reason) in zip(all_axes, strips, strict=True):
        if not reason and picture.is_file():
            axes.imshow(image_file.imread(picture))
        else:
            axes.text(0.5, 0.5, f"excluded: {reason}", ha="center", va="center", wrap=True, fontsize=8)
        axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
        axes.set_xticks([])
        axes.set_yticks([])
    with atomic_path(path) as temporary:
        figure.savefig(temporary)


def _tile(grey: np.ndarray, outlines: Sequence[tuple[np.ndarray, tuple[int, int, int]]]) -> np.ndarray:
    """A slice in [0, 1] as colours (rows, columns, 3) uint8, with the inner outlines of masks painted on it."""
    colours = np.repeat((np.clip(grey, 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)
    for mask, colour in outlines:
        colours[find_boundaries(mask, mode="inner")] = colour
    return colours


def _padded(tile: np.ndarray, height: int) -> np.ndarray:
    above = (height - tile.shape[0]) // 2
    return np.pad(tile, ((above, height - tile.shape[0] - above), (0, 0), (0, 0)))

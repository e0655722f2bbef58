"""Anatomies from whole-head label maps: FreeSurfer numbers in the brain, 502 to 530 (SimNIBS) outside it."""

from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage
from scipy.linalg import sqrtm

from brainuad.errors import InputError
from brainuad.phantom.tissues import HEAD_TISSUES

CORTEX = (3, 42, 8, 47, 17, 53, 18, 54, 26, 58, 136, 137, 138, 139, 163, 164)
WHITE = (2, 41, 7, 46, 25, 57, 77, 85, 530)
FLUID = (4, 43, 5, 44, 14, 15, 24, 72)
# Deep nuclei lie between grey and white matter in relaxation and density.
MIXED = {
    **{label: {"grey": 0.6, "white": 0.4} for label in (10, 49, 28, 60)},
    **{label: {"grey": 0.9, "white": 0.1} for label in (11, 50)},
    **{label: {"grey": 0.75, "white": 0.25} for label in (12, 51)},
    **{label: {"grey": 0.3, "white": 0.7} for label in (13, 52, 512)},
    16: {"grey": 0.15, "white": 0.85},
    **{label: {"grey": 0.6, "csf": 0.4} for label in (31, 63)},
    509: {"muscle": 0.6, "csf": 0.4},
    511: {"muscle": 0.7, "fat": 0.3},
}
WHOLE = {
    **dict.fromkeys(CORTEX, "grey"),
    **dict.fromkeys(WHITE, "white"),
    **dict.fromkeys(FLUID, "csf"),
    **dict.fromkeys((30, 62, 502, 514), "vessel"),
    506: "vitreous",
    508: "muscle",
    515: "bone",
    516: "marrow",
}
SOFT_TISSUE, SKIN = 507, 511
COMPOSITION = MIXED | {label: {tissue: 1.0} for label, tissue in WHOLE.items()}
FAT_DEPTH_MM = 7.0
CLOSING_MM, RIM_MM = 6, 3  # skull-stripping keeps the fluid in the sulci and a rim of it around the brain
BLUR_MM = 0.6


def find_label_maps(folder: Path) -> list[Path]:
    """The *_dseg.nii.gz files of a folder in order of name; none is an `InputError`."""
    if not folder.is_dir():
        raise InputError(
            f"phantom.anatomy = {folder}: no such folder. Give 'sri24' or a folder of label maps."
        )
    files = sorted(folder.glob("*_dseg.nii.gz"))
    if not files:
        raise InputError(
            f"phantom.anatomy = {folder}: holds no *_dseg.nii.gz label map. Give 'sri24' or another."
        )
    return files


def fractions_from_labels(
    path: Path, brain: np.ndarray, brain_affine: np.ndarray, shape: tuple[int, int, int], affine: np.ndarray
) -> np.ndarray:
    """The maps of an `Anatomy` (channel, x, y, z) uint8 on the grid (`shape`, `affine`), from one label map.

    The head is moved by the affine transform that gives its brain the mean and the covariance of `brain`,
    a mask with `brain_affine`.
    """
    labels, label_affine = _read_labels(path)
    cerebrum = np.isin(labels, [label for label in COMPOSITION if label < 500 and label not in FLUID])
    target = _moments(brain, brain_affine)
    placed = _align(_moments(cerebrum, label_affine), target) @ label_affine
    to_source = np.linalg.inv(placed) @ affine
    labels = ndimage.affine_transform(labels, to_source[:3, :3], to_source[:3, 3], shape, order=0)
    fractions = {tissue: np.zeros(shape, dtype=np.float32) for tissue in HEAD_TISSUES}
    for label, parts in COMPOSITION.items():
        for tissue, part in parts.items():
            fractions[tissue][labels == label] += part
    _fill_soft_tissue(fractions, labels)
    channels = [*fractions.values(), np.full(shape, 128 / 255, dtype=np.float32)]
    channels = [ndimage.gaussian_filter(channel, BLUR_MM) for channel in channels]
    return np.stack(
        [np.rint(255 * channel).astype(np.uint8) for channel in (*channels, _inside_skull(labels))]
    )


def _read_labels(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        image = nib.as_closest_canonical(nib.load(path))
        labels = np.asarray(image.dataobj).astype(np.int16)
    except (OSError, EOFError, nib.filebasedimages.ImageFileError) as error:
        raise InputError(
            f"{path}: not a readable NIfTI label map ({error}). Replace or remove it."
        ) from error
    if labels.ndim != 3 or not np.isin([2, 3, 515], labels).all():
        raise InputError(
            f"{path}: expected a 3-D map with FreeSurfer labels (2, 3, ...) and a skull (515). Remove it."
        )
    return labels, image.affine


def _moments(mask: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points = nib.affines.apply_affine(affine, np.argwhere(mask)[::7])
    return points.mean(axis=0), np.cov(points.T)


def _align(source: tuple[np.ndarray, np.ndarray], target: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The affine transform that takes one mean and covariance to another with the least change."""
    root = np.real(sqrtm(source[1]))
    inverse = np.linalg.inv(root)
    linear = inverse @ np.real(sqrtm(root @ target[1] @ root)) @ inverse
    transform = np.eye(4)
    transform[:3, :3], transform[:3, 3] = linear, target[0] - linear @ source[0]
    return transform


def _fill_soft_tissue(fractions: dict[str, np.ndarray], labels: np.ndarray) -> None:
    soft = labels == SOFT_TISSUE
    depth = ndimage.distance_transform_edt((labels != SKIN) & (labels != 0))
    fractions["fat"][soft & (depth <= FAT_DEPTH_MM)] = 1
    fractions["muscle"][soft & (depth > FAT_DEPTH_MM)] = 0.85
    fractions["fat"][soft & (depth > FAT_DEPTH_MM)] = 0.15


def _inside_skull(labels: np.ndarray) -> np.ndarray:
    tissue = (labels > 0) & (labels < 500) & (labels != 24)
    ball = ndimage.distance_transform_edt(~tissue) <= CLOSING_MM
    closed = ndimage.distance_transform_edt(ball) > CLOSING_MM - RIM_MM
    return (closed & (labels > 0) & (labels < 500)) | tissue

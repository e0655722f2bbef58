"""A brain in closed form, sampled on any voxel grid in any pose, and a small atlas made of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from brainuad.preprocessing.settings import N4Settings, PreprocessingSettings
from brainuad.preprocessing.subject import preprocess_subject

SEMI_AXES_MM = np.array([66.0, 84.0, 60.0])  # 1393 ml
# Centre, radius and intensity of balls inside the brain; no mirror image of itself.
BALLS = (((20, 10, 8), 16, 30), ((-22, 8, 10), 13, 35), ((-30, -45, 5), 18, 150), ((25, 50, 0), 15, 130))
LESION = ((35.0, -20.0, 15.0), 10.0)
ATLAS_AFFINE = np.array([[-4.0, 0, 0, 94], [0, -4.0, 0, 118], [0, 0, 4.0, -86], [0, 0, 0, 1]])
ATLAS_SHAPE = (48, 60, 44)
RAW_AFFINE = np.array([[3.0, 0, 0, -84], [0, 3.0, 0, -106], [0, 0, 3.5, -80], [0, 0, 0, 1]])
RAW_SHAPE = (60, 72, 46)
COARSE = PreprocessingSettings(
    modalities=("t1", "t2"),
    skull_strip="none",
    resolution_mm=3.0,
    n4_parameters=N4Settings(shrink=2, iterations=50),
)


def world(affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """World coordinates (x, y, z, 3) of the voxels of a grid."""
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    return index @ affine[:3, :3].T + affine[:3, 3]


def moved(points: np.ndarray, pose: np.ndarray) -> np.ndarray:
    return points @ pose[:3, :3].T + pose[:3, 3]


def brain(points: np.ndarray, contrast: str = "t1") -> np.ndarray:
    """The intensity at points of the atlas: an ellipsoid with balls in it, zero outside."""
    values = np.full(points.shape[:-1], 100.0)
    for centre, radius, intensity in BALLS:
        values[np.linalg.norm(points - centre, axis=-1) < radius] = intensity
    if contrast == "t2":
        values = 200.0 - values
    values[np.linalg.norm(points / SEMI_AXES_MM, axis=-1) > 1] = 0
    return values.astype(np.float32)


def ball(points: np.ndarray, centre: tuple[float, ...], radius: float) -> np.ndarray:
    return (np.linalg.norm(points - np.array(centre), axis=-1) < radius).astype(np.uint8)


def pose(
    degrees: float = 6.0, scale: float = 1.05, shift: tuple[float, ...] = (4.0, -6.0, 5.0)
) -> np.ndarray:
    """A map from the subject's world to the atlas: turn about z, scale, shift."""
    angle = np.deg2rad(degrees)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:3, :3] *= scale
    matrix[:3, 3] = shift
    return matrix


def save(voxels: np.ndarray, path: Path, affine: np.ndarray = RAW_AFFINE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), path)


@dataclass(frozen=True)
class World:
    """A data set of one subject, the atlas, and the function that preprocesses the subject."""

    root: Path
    atlas: Path
    row: dict[str, str]

    def preprocess(
        self, output: Path, settings: PreprocessingSettings = COARSE, **options: Any
    ) -> dict[str, Any]:
        row = self.row | options.pop("row", {})
        return preprocess_subject(row, self.root, settings, self.atlas, output, **options)

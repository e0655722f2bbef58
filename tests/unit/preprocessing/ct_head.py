"""A head in closed form as a CT shows it and as a T1 of it looks, in world coordinates (mm, right, front, top)."""

from pathlib import Path

import numpy as np

from tests.unit.preprocessing.small_head import ATLAS_AFFINE, ATLAS_SHAPE, save, world

BRAIN_MM = np.array([64.0, 80.0, 60.0])  # 1287 ml
SKULL_MM, SCALP_MM = 7.0, 6.0
# Centre, radius: ventricles, darker than the brain in both; no mirror image of itself.
FLUID = (((12.0, 6.0, 8.0), 14.0), ((-14.0, -12.0, 6.0), 17.0), ((20.0, -46.0, -20.0), 10.0))
AIR, BONE, TISSUE, WATER = -1000.0, 1000.0, 35.0, 5.0


def depth(points: np.ndarray, larger_mm: float = 0.0) -> np.ndarray:
    """Below 1 inside the brain, or inside an ellipsoid that is larger by so many mm on each side."""
    return np.linalg.norm(points / (BRAIN_MM + larger_mm), axis=-1)


def fluid(points: np.ndarray) -> np.ndarray:
    return np.any([np.linalg.norm(points - centre, axis=-1) < radius for centre, radius in FLUID], axis=0)


def ct_head(points: np.ndarray) -> np.ndarray:
    """Hounsfield units at points of the atlas' world: scalp, skull, brain, fluid, air around them."""
    values = np.full(points.shape[:-1], AIR)
    values[depth(points, SKULL_MM + SCALP_MM) < 1] = TISSUE
    values[depth(points, SKULL_MM) < 1] = BONE
    inside = depth(points) < 1
    values[inside] = TISSUE
    values[inside & fluid(points)] = WATER
    return values


def t1_head(points: np.ndarray) -> np.ndarray:
    """The same head in MRI: bone and air dark, scalp bright."""
    values = np.zeros(points.shape[:-1])
    values[depth(points, SKULL_MM + SCALP_MM) < 1] = 250.0
    values[depth(points, SKULL_MM) < 1] = 10.0
    inside = depth(points) < 1
    values[inside] = 120.0
    values[inside & fluid(points)] = 40.0
    return values.astype(np.float32)


def write_atlas(folder: Path) -> Path:
    """The atlas of this head as SRI24 is stored."""
    points = world(ATLAS_AFFINE, ATLAS_SHAPE)
    inside = depth(points) < 1
    for name, voxels in (("t1_head", t1_head(points)), ("t1_brain", t1_head(points) * inside)):
        save(voxels, folder / "sri24" / f"sri24_{name}.nii.gz", ATLAS_AFFINE)
    save(inside.astype(np.uint8), folder / "sri24" / "sri24_brain_mask.nii.gz", ATLAS_AFFINE)
    return folder

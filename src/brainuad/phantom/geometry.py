"""Where the voxels of a scan lie in the head."""

from dataclasses import dataclass

import nibabel as nib
import numpy as np
from scipy.spatial.transform import Rotation

from brainuad.atlas import ATLAS_AFFINE, MNI152_SHAPE
from brainuad.phantom.anatomy import ANATOMY_AFFINE
from brainuad.phantom.layout import Image
from brainuad.phantom.warp import STEP, Warp

BLOCK = 3  # voxels that are kept or left out together
# The part of the atlas grid in which a brain can lie.
ATLAS_BOX = (slice(40, 200), slice(26, 230), slice(0, 155))
# The published grid of ATLAS v2.0: MNI152NLin2009aSym with x to the right and y to the front.
MNI_AFFINE = np.array([[1.0, 0, 0, -98], [0, 1, 0, -134], [0, 0, 1, -72], [0, 0, 0, 1]])
# From points of MNI152NLin2009aSym to points of SRI24, mm, RAS+: the affine registration of both brains.
MNI_TO_SRI24 = np.array(
    [
        [0.920638, -0.007595, -0.001677, -119.0905],
        [-0.011706, 0.934139, -0.186480, 125.5555],
        [-0.007001, 0.191792, 0.840454, 71.9009],
        [0, 0, 0, 1],
    ]
)
# Defacing removes what lies before and below a plane through these points, in voxels (y, z) of the anatomy: between
# the eyebrows, and behind the palate.
EYEBROWS, PALATE = (22.0, 117.5), (86.0, 54.0)


@dataclass(frozen=True)
class Grid:
    """The voxel grid of one image.

    `affine`: voxel to world, mm, RAS+. `to_head`: voxel to anatomy voxel. `place`: the part of the atlas grid
    that it fills, where it is one.
    """

    shape: tuple[int, ...]
    affine: np.ndarray
    to_head: np.ndarray
    place: tuple[slice, ...] | None = None

    def stored_axis(self, anatomical: int) -> int:
        """Where an anatomical axis (0 right-left, 1 front-back, 2 foot-head) is stored."""
        return int(np.abs(self.affine[anatomical, :3]).argmax())


@dataclass(frozen=True)
class Pose:
    """How a head lies in the scanner: rotation and shift (mm) from the world to the head's own axes."""

    rotation: np.ndarray
    shift_mm: np.ndarray

    def then(self, other: "Pose") -> "Pose":
        """This pose followed by `other`."""
        return Pose(other.rotation @ self.rotation, other.rotation @ self.shift_mm + other.shift_mm)


def draw_pose(rng: np.random.Generator, rotation_deg: float, shift_mm: float) -> Pose:
    """A random pose; both arguments are standard deviations per axis."""
    angles = rng.normal(0, rotation_deg, 3).clip(-3 * rotation_deg, 3 * rotation_deg)
    return Pose(Rotation.from_euler("xyz", angles, degrees=True).as_matrix(), rng.normal(0, shift_mm, 3))


def scanner_grid(image: Image, spacing_mm: float, pose: Pose, centre: np.ndarray) -> Grid:
    """The grid of a raw scan; the brain's `centre` lies at the scanner's origin but for the pose."""
    lengths = [round(extent / spacing_mm) for extent in image.field_of_view_mm]
    directions = nib.orientations.axcodes2ornt(image.orientation)
    shape = tuple(lengths[int(axis)] for axis, _ in directions)
    affine = np.eye(4)
    affine[:3, :3] = 0
    for stored, (axis, sign) in enumerate(directions):
        affine[int(axis), stored] = sign * spacing_mm
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) - 1) / 2
    return Grid(shape, affine, _world_to_head(pose, centre) @ affine)


def atlas_grid(pose: Pose, centre: np.ndarray) -> Grid:
    """The part of the atlas grid that holds a brain; `pose` is what an imperfect registration left."""
    affine = ATLAS_AFFINE.copy()
    affine[:3, 3] = nib.affines.apply_affine(ATLAS_AFFINE, [part.start for part in ATLAS_BOX])
    world_centre = nib.affines.apply_affine(ANATOMY_AFFINE, centre)
    centred = np.eye(4)
    centred[:3, 3] = -world_centre
    shape = tuple(part.stop - part.start for part in ATLAS_BOX)
    return Grid(shape, affine, _world_to_head(pose, centre) @ centred @ affine, ATLAS_BOX)


def mni_grid(pose: Pose, centre: np.ndarray) -> Grid:
    """The published grid of a whole head in MNI space; `pose` is what an imperfect registration left."""
    centred = np.eye(4)
    centred[:3, 3] = -nib.affines.apply_affine(ANATOMY_AFFINE, centre)
    to_head = _world_to_head(pose, centre) @ centred @ MNI_TO_SRI24 @ MNI_AFFINE
    return Grid(MNI152_SHAPE, MNI_AFFINE, to_head)


def face(grid: Grid) -> np.ndarray:
    """What defacing removes, (x, y, z) bool: the voxels below a plane from the eyebrows to the palate."""
    (y, z), (end_y, end_z) = EYEBROWS, PALATE
    normal = np.array([0.0, z - end_z, end_y - y])
    x_part, y_part, z_part, constant = normal @ grid.to_head[:3]
    constant -= normal @ (0.0, y, z)
    i, j, k = np.ogrid[tuple(slice(0, size) for size in grid.shape)]
    return np.asarray(x_part * i + y_part * j + z_part * k + constant < 0)


def _world_to_head(pose: Pose, centre: np.ndarray) -> np.ndarray:
    # World axes are RAS, the anatomy's voxel axes LPS.
    turned = np.diag([-1.0, -1.0, 1.0])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turned @ pose.rotation, turned @ pose.shift_mm + centre
    return matrix


def head_points(grid: Grid, reach: np.ndarray, warp: Warp) -> tuple[np.ndarray, np.ndarray]:
    """The voxels whose tissue comes from `reach`, one of the guide's: flat indices (n,), places in the head (n, 3)."""
    index = np.flatnonzero(_reached(grid, reach, warp))
    voxels = np.unravel_index(index, grid.shape)
    matrix = grid.to_head.astype(np.float32)
    places = np.empty((len(index), 3), dtype=np.float32)
    for axis in range(3):
        places[:, axis] = matrix[axis, 3]
        for column in range(3):
            places[:, axis] += matrix[axis, column] * voxels[column].astype(np.float32)
    return index, places


def _reached(grid: Grid, reach: np.ndarray, warp: Warp) -> np.ndarray:
    """Asks at the centre of each block of voxels, (x, y, z) bool."""
    blocks = [np.arange(0, size, BLOCK) for size in grid.shape]
    centres = np.stack(np.meshgrid(*blocks, indexing="ij"), axis=-1) + BLOCK / 2
    places = nib.affines.apply_affine(grid.to_head, centres).astype(np.float32)
    node = np.rint(warp.to_anatomy(places.reshape(-1, 3)) / STEP).astype(int).reshape(places.shape)
    limit = np.array(reach.shape) - 1
    # Below the anatomy the neck goes on, on the other sides there is air.
    outside = (node[..., :2] < 0).any(axis=-1) | (node > limit).any(axis=-1)
    node = np.clip(node, 0, limit)
    reached = reach[node[..., 0], node[..., 1], node[..., 2]] & ~outside
    for axis, size in enumerate(grid.shape):
        reached = np.repeat(reached, BLOCK, axis=axis).take(range(size), axis=axis)
    return reached

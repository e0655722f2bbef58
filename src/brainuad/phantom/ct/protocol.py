"""How a scan is taken: scanner, slices, tilt of the gantry, and what an export holds besides the series."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from brainuad.phantom.geometry import Grid, Pose

FIELD_OF_VIEW_MM = 250.0
SLICE_PLANES = 2  # planes whose mean is a thick slice; a thin one is a single plane
BELOW_CENTRE_MM, ABOVE_CENTRE_MM = 78.0, 90.0
TILT_DEG = (8.0, 20.0)
# The head's position; nodding is more usual than turning.
SHIFT_MM, NOD_SHARE = 7.0, 1.6
THIN_SLICES = 12  # of the skull base, where slices are uneven


@dataclass(frozen=True)
class Maker:
    """A model of scanner: words of its headers, thickness of its slices, padding beyond the field of view."""

    manufacturer: str
    model: str
    kernel: str
    bone_kernel: str
    slice_mm: float
    padding_hu: float | None
    noise_hu: float


MAKERS = (
    Maker("GE MEDICAL SYSTEMS", "LightSpeed VCT", "STANDARD", "BONEPLUS", 5.0, -2000.0, 4.2),
    Maker("SIEMENS", "Sensation 16", "H31s", "H60s", 4.8, None, 3.6),
    Maker("TOSHIBA", "Aquilion", "FC26", "FC30", 5.0, -1024.0, 4.8),
)


@dataclass(frozen=True)
class Export:
    """Shares of the scans with a peculiarity of exports; what they mean is written in the data set's page.

    `folders` are those of the series below the folder of a study: plain, thin, bone, localiser.
    """

    tilt: float = 0.35
    tag_lost: float = 0.25  # of the tilted ones
    uneven: float = 0.15
    bone_series: float = 0.5
    thin_series: float = 0.0
    localiser: float = 0.4
    monochrome1: float = 0.04
    missing_slices: float = 0.02
    folders: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Protocol:
    """One scan as it was taken and exported."""

    maker: Maker
    tilt_deg: float
    tag_lost: bool
    uneven: bool
    bone_series: bool
    thin_series: bool
    localiser: bool
    monochrome1: bool
    missing_slices: bool


def draw_protocol(export: Export, rng: np.random.Generator) -> Protocol:
    """A random protocol with the peculiarities of exports at their shares."""
    maker = MAKERS[int(rng.integers(len(MAKERS)))]
    tilt = float(np.round(rng.uniform(*TILT_DEG), 1)) if rng.random() < export.tilt else 0.0
    return Protocol(
        maker=maker,
        tilt_deg=tilt,
        tag_lost=bool(rng.random() < export.tag_lost),
        uneven=bool(rng.random() < export.uneven),
        bone_series=bool(rng.random() < export.bone_series),
        thin_series=bool(rng.random() < export.thin_series),
        localiser=bool(rng.random() < export.localiser),
        monochrome1=bool(rng.random() < export.monochrome1),
        missing_slices=bool(rng.random() < export.missing_slices),
    )


@dataclass(frozen=True)
class Planes:
    """Thin parallel planes in the scanner; `axes` has the directions across, down and of the table as rows (LPS).

    `origin` is the centre of the first pixel of the first plane, `table_mm` the way of the table between two planes.
    """

    pixels: int
    count: int
    pixel_mm: float
    table_mm: float
    axes: np.ndarray
    origin: np.ndarray

    @property
    def normal(self) -> np.ndarray:
        """The unit vector through the planes, upwards."""
        return np.asarray(np.cross(self.axes[0], self.axes[1]))

    @property
    def distance_mm(self) -> float:
        """Of two planes along their normal."""
        return float(self.table_mm * self.axes[2] @ self.normal)

    @property
    def to_world(self) -> np.ndarray:
        """From voxels (across, down, plane) to the scanner's mm, LPS (4, 4)."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.axes.T * (self.pixel_mm, self.pixel_mm, self.table_mm)
        matrix[:3, 3] = self.origin
        return matrix

    def grid(self, pose: Pose, centre: np.ndarray) -> Grid:
        """Where the voxels lie in a head in that pose."""
        shape = (self.pixels, self.pixels, self.count)
        to_head = np.eye(4)
        to_head[:3, :3], to_head[:3, 3] = pose.rotation, pose.shift_mm + centre
        return Grid(shape, np.diag([-1.0, -1.0, 1.0, 1.0]) @ self.to_world, to_head @ self.to_world)


def lay_planes(protocol: Protocol, spacing_mm: float) -> Planes:
    """The planes of a scan, with pixels of about `spacing_mm`; the field of view is centred on the scanner's axis."""
    pixels = max(round(FIELD_OF_VIEW_MM / spacing_mm), 32)
    pixel_mm = FIELD_OF_VIEW_MM / pixels
    angle = np.deg2rad(protocol.tilt_deg)
    # A tilted gantry leans back: slices run from the brow down to the back of the skull base.
    axes = np.array([[1.0, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, 0, 1.0]])
    table_mm = protocol.maker.slice_mm / SLICE_PLANES / np.cos(angle)
    count = SLICE_PLANES * int((BELOW_CENTRE_MM + ABOVE_CENTRE_MM) / table_mm / SLICE_PLANES)
    corner = 0.5 * (pixels - 1) * pixel_mm
    origin = -corner * (axes[0] + axes[1]) - (0, 0, BELOW_CENTRE_MM)
    return Planes(pixels, count, pixel_mm, table_mm, axes, origin)


def draw_head_pose(rotation_deg: float, rng: np.random.Generator) -> Pose:
    """A random pose of a head on its rest; the argument is the standard deviation of the angles."""
    angles = rng.normal(0, rotation_deg, 3).clip(-2.5 * rotation_deg, 2.5 * rotation_deg) * (NOD_SHARE, 1, 1)
    return Pose(Rotation.from_euler("xyz", angles, degrees=True).as_matrix(), rng.normal(0, SHIFT_MM, 3))


def slice_planes(protocol: Protocol, count: int) -> list[tuple[int, int]]:
    """The first plane and the number of planes of each slice, from below.

    Where slices are uneven, those of the skull base are thin, and the first thick one overlaps the last thin ones.
    """
    if not protocol.uneven:
        return [(first, SLICE_PLANES) for first in range(0, count - SLICE_PLANES + 1, SLICE_PLANES)]
    thin = [(first, 1) for first in range(THIN_SLICES)]
    thick = [
        (first, SLICE_PLANES) for first in range(THIN_SLICES - 1, count - SLICE_PLANES + 1, SLICE_PLANES)
    ]
    return [*thin, *thick]

"""Smooth random fields and linear interpolation at scattered points."""

from dataclasses import dataclass

import numba
import numpy as np
from scipy import ndimage

# Standard deviation of unit white noise interpolated linearly between its nodes, in three dimensions.
LINEAR_SD = (2 / 3) ** 1.5


@numba.njit(cache=True, nogil=True)
def sample(maps: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Linear interpolation of `maps` (x, y, z, channel) at voxel coordinates (n, 3) float32; edges repeat.

    The result is (channel, n) float32. Channels come last so that those of one voxel lie together in memory.
    """
    channels = maps.shape[3]
    values = np.empty((channels, len(points)), dtype=np.float32)
    total = np.empty(channels, dtype=np.float32)
    corner = np.empty(3, dtype=np.int64)
    share = np.empty((3, 2), dtype=np.float32)
    for n in range(len(points)):
        for axis in range(3):
            last = maps.shape[axis] - 1
            place = min(max(points[n, axis], np.float32(0)), np.float32(last))
            corner[axis] = min(int(place), last - 1)
            share[axis, 1] = place - np.float32(corner[axis])
            share[axis, 0] = np.float32(1) - share[axis, 1]
        total[:] = 0
        for i in range(2):
            for j in range(2):
                for k in range(2):
                    weight = share[0, i] * share[1, j] * share[2, k]
                    voxel = maps[corner[0] + i, corner[1] + j, corner[2] + k]
                    for channel in range(channels):
                        total[channel] += weight * np.float32(voxel[channel])
        for channel in range(channels):
            values[channel, n] = total[channel]
    return values


def smooth_noise(shape: tuple[int, ...], distance: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise of unit variance on a whole grid, correlated over `distance` voxels, float32."""
    sigma = distance / 2
    noise = rng.standard_normal(shape, dtype=np.float32)
    noise = ndimage.gaussian_filter(noise, sigma, mode="wrap", truncate=3)
    return noise * np.float32((2 * np.sqrt(np.pi) * sigma) ** 1.5)


@dataclass(frozen=True)
class NoiseField:
    """Gaussian noise of about unit variance from `origin` on, drawn at nodes `distance_mm` apart (x, y, z, 1)."""

    nodes: np.ndarray
    origin: np.ndarray
    distance_mm: float

    def at(self, places: np.ndarray) -> np.ndarray:
        """Its values at points (n, 3) in mm."""
        return sample(self.nodes, (places - self.origin) / np.float32(self.distance_mm))[0]


def draw_noise_field(
    low: np.ndarray, high: np.ndarray, distance_mm: float, rng: np.random.Generator
) -> NoiseField:
    """A noise field over the box from `low` to `high` (mm)."""
    nodes = np.ceil((np.asarray(high) - low) / distance_mm).astype(int) + 2
    values = rng.standard_normal((*nodes, 1), dtype=np.float32) / np.float32(LINEAR_SD)
    return NoiseField(values, np.asarray(low, dtype=np.float32), distance_mm)

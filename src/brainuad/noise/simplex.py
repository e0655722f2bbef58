"""Fractal simplex noise: OpenSimplex noise (K. Spencer, 2014) summed over octaves (Wyatt 2022, AnoDDPM).

OpenSimplex noise at a point is a sum over the lattice points v nearer than the square root of 2:
(2 - |d|^2)^4 (g_v . d), with d the offset from v and g_v the gradient that the seed gives to v. Everything
but g_v depends on the pixel grid alone, so the octaves together are one sparse matrix, made once per grid,
and a field is that matrix times the gradients of its seed.

The original agrees to rounding in two dimensions; in three it leaves out a few of the farthest lattice
points, a difference below 2e-4.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from brainuad.errors import InputError

GRADIENTS = {
    # The vertices of an octagon.
    2: [(x * a, y * b) for y in (1, -1) for x in (1, -1) for a, b in ((5, 2), (2, 5))],
    # The vertices of a rhombicuboctahedron.
    3: [
        (x * a, y * b, z * c)
        for z in (1, -1)
        for y in (1, -1)
        for x in (-1, 1)
        for a, b, c in ((11, 4, 4), (4, 11, 4), (4, 4, 11))
    ],
}
NORM = {2: 47.0, 3: 103.0}
# State n of the generator s <- s * multiplier + increment is s * LCG_FACTORS[n - 1] + LCG_TERMS[n - 1].
LCG_FACTORS = np.cumprod(np.full(259, 6364136223846793005, dtype=np.uint64))
LCG_TERMS = np.cumsum(np.append(np.uint64(1), LCG_FACTORS[:-1])) * np.uint64(1442695040888963407)
POINTS_AT_ONCE = 2**13
POINTS_PER_MATRIX = 2**17


@dataclass(frozen=True)
class SimplexOctaves:
    """Octave o = 0, 1, ... has the amplitude persistence^o and frequency / 2^o pixels per lattice unit."""

    octaves: int = 6
    persistence: float = 0.8
    frequency: float = 64.0


@dataclass(frozen=True)
class LatticeSum:
    """The sparse matrix from gradient components to pixels.

    Pixel p sums `weights` times the components that `columns` names, from `first[p]` to `first[p + 1]`;
    component a of lattice point v is column a * len(lattice) + v.
    """

    lattice: Tensor  # (lattice point, dims), integer coordinates
    first: Tensor  # (pixel + 1,)
    columns: Tensor  # (entry,)
    weights: Tensor  # (entry,)

    def fields(self, hashes: Tensor) -> Tensor:
        """The noise (seed, pixel) of the permutations `hashes` (256, seed)."""
        seeds = hashes.shape[1]
        hashed = torch.zeros(1, seeds, dtype=torch.int64, device=hashes.device)
        for coordinate in self.lattice.T:
            hashed = hashes.gather(0, (hashed + coordinate[:, None]) & 255)  # (lattice point, seed)
        dims = self.lattice.shape[1]
        number = (hashed & 14) >> 1 if dims == 2 else hashed % 24
        gradients = torch.tensor(GRADIENTS[dims], dtype=torch.float32, device=hashes.device)
        components = gradients.T[:, number].reshape(-1, seeds)  # (column, seed)
        return F.embedding_bag(
            self.columns,
            components,
            self.first,
            mode="sum",
            per_sample_weights=self.weights,
            include_last_offset=True,
        ).T.contiguous()


def draw_simplex_noise(
    shape: Sequence[int],
    octaves: SimplexOctaves,
    plane_z: float | None,
    generator: torch.Generator,
    device: torch.device | str,
) -> Tensor:
    """Fractal simplex noise of `shape` (batch, channel, *spatial), with a seed per sample and channel.

    An image is the plane z = `plane_z` (in pixels) of three-dimensional noise, or two-dimensional noise where
    that is None.
    """
    if len(shape) == 5 and plane_z is None:
        raise InputError("noise.lattice_dims = 2 makes images only; for volumes set lattice_dims to 3")
    z = plane_z if len(shape) == 4 else None
    seeds = torch.randint(2**62, (math.prod(shape[:2]),), generator=generator, device=generator.device)
    return simplex_fields(seeds.cpu().numpy(), tuple(shape[2:]), octaves, z, device).view(*shape)


def simplex_fields(
    seeds: np.ndarray,
    spatial: tuple[int, ...],
    octaves: SimplexOctaves,
    plane_z: float | None = None,
    device: torch.device | str = "cpu",
) -> Tensor:
    """Fractal simplex noise (seed, *spatial), float32, at the integer pixel positions.

    The last axis is the x of OpenSimplex, the one before y, the first of three z. Not normalised: the
    amplitudes of six octaves add up to 3.69, the standard deviation is about 0.5.
    """
    hashes = torch.from_numpy(permutations(seeds)).to(device).T.contiguous()
    thickness = max(1, POINTS_PER_MATRIX // math.prod(spatial[1:]))
    slabs = []
    for start in range(0, spatial[0], thickness):
        slab = (min(thickness, spatial[0] - start), *spatial[1:])
        field = lattice_sum(slab, start, octaves, plane_z, str(device)).fields(hashes)
        slabs.append(field.view(len(seeds), *slab))
    return torch.cat(slabs, dim=1)


@lru_cache(maxsize=16)
def lattice_sum(
    spatial: tuple[int, ...],
    start: int,
    octaves: SimplexOctaves,
    plane_z: float | None,
    device: str,
) -> LatticeSum:
    """The matrix for the pixels `start`, `start` + 1, ... of the first axis and all of the others.

    Kept for the next field: some 15 MB for 128 x 128 pixels, 0.7 GB for 80 x 112 x 88.
    """
    pixels = _positions(spatial, start, plane_z).to(device)  # (pixel, dims)
    parts = [_neighbours(chunk, octaves) for chunk in pixels.split(POINTS_AT_ONCE)]
    counts, vertices, weights = (torch.cat(part) for part in zip(*parts, strict=True))
    lattice, number = _distinct(vertices)
    dims = pixels.shape[1]
    first = F.pad(torch.cumsum(counts, 0), (1, 0)) * dims
    columns = number[:, None] + len(lattice) * torch.arange(dims, device=number.device)
    return LatticeSum(lattice, first.int(), columns.flatten().int(), weights.flatten().float())


def _positions(spatial: tuple[int, ...], start: int, plane_z: float | None) -> Tensor:
    axes = [torch.arange(size, dtype=torch.float64) for size in spatial]
    axes[0] += start
    if plane_z is not None:
        axes.insert(0, torch.tensor([plane_z], dtype=torch.float64))
    return torch.stack([axis.flatten() for axis in torch.meshgrid(*axes, indexing="ij")][::-1], dim=1)


def _neighbours(pixels: Tensor, octaves: SimplexOctaves) -> tuple[Tensor, Tensor, Tensor]:
    """Lattice points per pixel, and in the order of the pixels those points and their weights."""
    dims = pixels.shape[1]
    stretch, squish = (1 / math.sqrt(dims + 1) - 1) / dims, (math.sqrt(dims + 1) - 1) / dims
    octave = torch.arange(octaves.octaves, dtype=torch.float64, device=pixels.device)
    points = pixels[:, None] * (2**octave / octaves.frequency)[:, None]  # (pixel, octave, dims)
    cell = torch.floor(points + stretch * points.sum(-1, keepdim=True))
    # The corners of the stretched cubes around a point that can be nearer to it than sqrt(2).
    corners = [c for c in itertools.product(range(-1, 3), repeat=dims) if _in_reach(c)]
    vertices = cell[:, :, None] + points.new_tensor(corners)  # (pixel, octave, corner, dims)
    offsets = points[:, :, None] - vertices - squish * vertices.sum(-1, keepdim=True)
    attenuation = 2 - offsets.square().sum(-1)
    near = attenuation > 0
    amplitude = (octaves.persistence**octave / NORM[dims])[:, None].expand_as(near)
    factor = amplitude[near] * attenuation[near] ** 4
    return near.sum((1, 2)), vertices[near].long(), factor[:, None] * offsets[near]


def _distinct(vertices: Tensor) -> tuple[Tensor, Tensor]:
    """The distinct rows of `vertices`, and the number of each row among them."""
    lowest = vertices.min(0).values
    sides = vertices.max(0).values - lowest + 1
    strides = torch.cumprod(sides, 0) // sides
    keys, number = torch.unique(((vertices - lowest) * strides).sum(1), return_inverse=True)
    return keys[:, None] // strides % sides + lowest, number


def _in_reach(corner: tuple[int, ...]) -> bool:
    return 0 <= sum(corner) <= len(corner) and max(corner) - min(corner) < 3


def permutations(seeds: np.ndarray) -> np.ndarray:
    """The permutation of 0..255 that OpenSimplex makes of each seed (seed, 256).

    A shuffle driven by a linear congruential generator modulo 2^64, run for all seeds side by side.
    """
    states = np.asarray(seeds, dtype=np.int64).astype(np.uint64)[:, None] * LCG_FACTORS + LCG_TERMS
    sizes = np.arange(256, 0, -1)
    chosen = ((states[:, 3:].view(np.int64) % sizes + 31) % sizes).T  # (step, seed)
    remaining = np.tile(np.arange(256)[:, None], len(states))  # (number, seed)
    every = np.arange(len(states))
    for last, choice in zip(range(255, -1, -1), chosen, strict=True):
        picked = remaining[choice, every]
        remaining[choice, every] = remaining[last]
        remaining[last] = picked
    return remaining.T.copy()

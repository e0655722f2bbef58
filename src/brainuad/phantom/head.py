"""A subject's head: an anatomy seen through a warp, its tissue fractions at the voxels of a scan."""

from dataclasses import dataclass

import numpy as np

from brainuad.phantom.anatomy import Anatomy
from brainuad.phantom.fields import NoiseField, draw_noise_field, sample
from brainuad.phantom.geometry import Grid, head_points
from brainuad.phantom.tissues import HEAD_TISSUES, TEXTURE_RANGE
from brainuad.phantom.warp import MIDDLE_AGE, STEP, Guide, Warp

# Fine texture of tissue: distance in mm over which it changes, standard deviation of the relative signal.
TEXTURE_MM, TEXTURE_SD = 3.5, 0.02
ATROPHY_PER_YEAR = 0.011


@dataclass(frozen=True)
class Model:
    """An anatomy and its guide."""

    anatomy: Anatomy
    guide: Guide


@dataclass(frozen=True)
class Head:
    """One subject. `atrophy` 0 keeps the anatomy's sulci; 1 takes half the tissue where it is half fluid."""

    model: Model
    warp: Warp
    atrophy: float
    texture: NoiseField


@dataclass(frozen=True)
class Slab:
    """The part of a head that lies in a grid, as lists over its n voxels.

    `index`: flat voxel indices. `places`: where they lie in the head, mm (n, 3). `fractions`: by tissue (n,).
    `texture`: relative change of the T1 signal (n,). `brain`: share inside the skull (n,).
    """

    index: np.ndarray
    places: np.ndarray
    fractions: dict[str, np.ndarray]
    texture: np.ndarray
    brain: np.ndarray


def make_head(model: Model, warp: Warp, age: float, rng: np.random.Generator) -> Head:
    """The head of a subject of that age in years."""
    extent = STEP * (np.array(model.guide.reach.shape) - 1)
    atrophy = float(np.clip(ATROPHY_PER_YEAR * (age - MIDDLE_AGE) + rng.normal(0, 0.12), -0.3, 1.0))
    return Head(model, warp, atrophy, draw_noise_field(np.zeros(3), extent, TEXTURE_MM, rng))


def sample_head(head: Head, grid: Grid, near_brain: bool = False) -> Slab:
    """The tissue of a head, or only of the brain and what lies next to it, at the voxels of a grid."""
    guide = head.model.guide
    index, places = head_points(grid, guide.near_brain if near_brain else guide.reach, head.warp)
    *tissues, texture, brain = sample(head.model.anatomy.maps, head.warp.to_anatomy(places))
    fractions = {name: values / 255 for name, values in zip(HEAD_TISSUES, tissues, strict=True)}
    _shrink_cortex(fractions, head.atrophy)
    texture = (texture - 128) * np.float32(TEXTURE_RANGE / 127) * fractions["white"]
    texture += np.float32(TEXTURE_SD) * head.texture.at(places)
    return Slab(index, places, fractions, texture, brain / 255)


def _shrink_cortex(fractions: dict[str, np.ndarray], atrophy: float) -> None:
    both = fractions["csf"] + fractions["grey"]
    border = (fractions["csf"] > 0) & (fractions["grey"] > 0)
    share = fractions["csf"][border] / both[border]
    fluid = both[border] * share ** np.float32(1 / (1 + atrophy))
    fractions["csf"][border], fractions["grey"][border] = fluid, both[border] - fluid

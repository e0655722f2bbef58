"""A small anatomy in closed form, and small phantom data sets of the real one."""

from pathlib import Path

import numpy as np
import pytest

from brainuad.phantom.anatomy import Anatomy
from brainuad.phantom.head import Model
from brainuad.phantom.settings import PhantomSettings
from brainuad.phantom.simulate import simulate_dataset
from brainuad.phantom.tissues import HEAD_TISSUES
from brainuad.phantom.warp import make_guide

ATLAS_FOLDER = Path(__file__).parents[3] / "resources"
COARSE = PhantomSettings(spacing_mm=4.0)
MEDIUM = PhantomSettings(spacing_mm=2.0)
SIZE = 120


@pytest.fixture(scope="session")
def ball() -> Model:
    """White matter of radius 44 mm around a fluid ball of radius 10 mm, in a cortex, fluid and a skull."""
    x, y, z = np.meshgrid(*(np.arange(SIZE) - SIZE / 2,) * 3, indexing="ij")
    radius = np.sqrt(x**2 + y**2 + z**2)
    shells = {"csf": (0, 10), "white": (10, 44), "grey": (44, 48), "bone": (50, 54)}
    maps = np.zeros((SIZE, SIZE, SIZE, len(HEAD_TISSUES) + 2), dtype=np.uint8)
    for tissue, (inner, outer) in shells.items():
        maps[..., HEAD_TISSUES.index(tissue)] = 255 * ((radius >= inner) & (radius < outer))
    maps[..., HEAD_TISSUES.index("csf")] += (255 * ((radius >= 48) & (radius < 50))).astype(np.uint8)
    maps[..., -2] = 128
    maps[..., -1] = 255 * (radius < 50)
    anatomy = Anatomy("ball", maps)
    return Model(anatomy, make_guide(anatomy))


def simulated(dataset: str, count: int, settings: PhantomSettings, root: Path, seed: int = 0) -> Path:
    """The root of a phantom data set; skips the test where the atlas is not installed."""
    if not (ATLAS_FOLDER / "sri24").is_dir():
        pytest.skip("resources/sri24 absent: run `make atlas`")
    simulate_dataset(dataset, count, settings, seed, ATLAS_FOLDER, root)
    return root


@pytest.fixture(scope="session")
def ixi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two subjects of IXI with coarse voxels."""
    return simulated("ixi", 2, COARSE, tmp_path_factory.mktemp("ixi"))


@pytest.fixture(scope="session")
def brats21(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One subject of BraTS 2021 on the published grid."""
    return simulated("brats21", 1, PhantomSettings(), tmp_path_factory.mktemp("brats21"))


@pytest.fixture(scope="session")
def mslub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One patient of MSLUB with 2 mm voxels."""
    return simulated("mslub", 1, MEDIUM, tmp_path_factory.mktemp("mslub"))

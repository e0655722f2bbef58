"""Small simulated arrays in the packed format, for tests that need no raw scans."""

import os
from collections.abc import Iterator
from pathlib import Path

# Numba refuses another number of threads once it has begun; each test process has one.
os.environ["NUMBA_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from brainuad.randomness import numpy_generator
from brainuad.storage import write_json, write_table

TESTS = Path(__file__).parent
LONGEST = ("workflow", "contract", "real")
SIZE = 32
SLICES = 6
# Slices, x and y of volumes: three different sides, each a multiple of 4.
DEEP = (8, 24, 20)


@pytest.fixture(autouse=True)
def threads_of_libraries() -> Iterator[None]:
    """Commands set numbers of threads for their process, which is that of the tests here: they are put back."""
    names = ("OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "NUMBA_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Brings the longest tests to the front, so that processes which share them out end together."""
    items.sort(key=lambda item: order_of(item.path))


def order_of(path: Path) -> int:
    """The place of a test file's folder in `LONGEST`, or behind it."""
    folder = path.relative_to(TESTS).parts[0]
    return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)


def head(
    name: str, channels: int, shape: tuple[int, int, int] = (SLICES, SIZE, SIZE)
) -> tuple[np.ndarray, np.ndarray]:
    """Images (slice, channel, x, y) in [0, 1] and brain masks (slice, x, y): an ellipse of smooth tissue."""
    generator = numpy_generator(0, "test head", name)
    x, y = np.meshgrid(*(np.linspace(-1, 1, side) for side in shape[1:]), indexing="ij")
    radius = np.hypot(x / generator.uniform(0.7, 0.85), y / generator.uniform(0.8, 0.9))
    brain = np.broadcast_to(radius < 1, shape).copy()
    ring = 0.35 + 0.15 * np.cos(6 * radius + generator.uniform(-0.3, 0.3))
    noise = generator.normal(size=(shape[0], channels, *shape[1:]))
    detail = ndimage.gaussian_filter(noise, (0, 0, 1, 1))
    images = ring + 0.08 * detail
    return (images * brain[:, None]).clip(0, 1).astype(np.float32), brain


def plant_lesion(images: np.ndarray, centre: tuple[int, int] = (13, 19)) -> np.ndarray:
    """Brightens a disc in the middle slices, a third of all, in place; its mask (slice, x, y).

    The centre is that in slices of 32 × 32 pixels.
    """
    slices, _, *size = images.shape
    x, y = np.ogrid[: size[0], : size[1]]
    x_0, y_0 = (place * side // SIZE for place, side in zip(centre, size, strict=True))
    lesion = np.zeros((slices, *size), dtype=bool)
    lesion[slices // 2 - slices // 6 : slices // 2 + slices // 6] = (x - x_0) ** 2 + (y - y_0) ** 2 <= 16
    images += 0.45 * lesion[:, None]
    return lesion


def write_arrays(
    folder: Path,
    names: list[str],
    lesions: bool,
    channels: tuple[str, ...] = ("t2",),
    centres: tuple[tuple[int, int], ...] = ((13, 19),),
    shape: tuple[int, int, int] = (SLICES, SIZE, SIZE),
) -> Path:
    """A packed data set under `folder` (results/arrays/DATASET/RECIPE); lesions go round the centres."""
    folder.mkdir(parents=True)
    images, brains, masks, rows = [], [], [], []
    for number, name in enumerate(names):
        image, brain = head(name, len(channels), shape)
        lesion = plant_lesion(image, centres[number % len(centres)]) if lesions else np.zeros_like(brain)
        images.append(image)
        brains.append(brain)
        masks.append(lesion)
        rows.append(
            {
                **{"subject": name, "participant": name, "group": "patient" if lesions else "healthy"},
                **{
                    "age": "40",
                    "sex": "F",
                    "site": "A",
                    "first_slice": number * shape[0],
                    "slices": shape[0],
                },
                **{"lesion_voxels": int(lesion.sum()), "status": "ok", "reason": ""},
            }
        )
    np.save(folder / "images.npy", np.concatenate(images).astype(np.float16))
    np.save(folder / "brain.npy", np.concatenate(brains))
    np.save(folder / "lesion.npy", np.concatenate(masks))
    write_table(pd.DataFrame(rows), folder / "index.tsv")
    write_json({name: np.eye(4).tolist() for name in names}, folder / "geometry.json")
    recipe = {"name": folder.name, "settings": {}, "channels": list(channels), "size": [*shape[1:]]}
    write_json({**recipe, "spacing_mm": [1, 1, 1]}, folder / "recipe.json")
    return folder


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Arrays of a healthy and a patient data set, of one with tumours to learn from, and a split over them.

    The subjects of `patients` are never trained with, those of `tumours` never scored in a test.
    """
    return write_cohort(tmp_path_factory.mktemp("cohort"), (SLICES, SIZE, SIZE))


@pytest.fixture(scope="session")
def deep_cohort(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same as `cohort`, of volumes for models of dimension 3."""
    return write_cohort(tmp_path_factory.mktemp("deep-cohort"), DEEP)


def write_cohort(root: Path, shape: tuple[int, int, int]) -> dict[str, Path]:
    """The arrays of `cohort` under `root`; `shape` is slices, x and y of every volume."""
    healthy = [f"h{number}" for number in range(8)]
    patients = [f"p{number}" for number in range(3)]
    tumours = [f"t{number}" for number in range(6)]
    roles = [("healthy", name, "train" if k < 6 else "validation") for k, name in enumerate(healthy)]
    roles += [("patients", name, "validation" if k == 0 else "test") for k, name in enumerate(patients)]
    roles += [("tumours", name, "train" if k < 4 else "validation") for k, name in enumerate(tumours)]
    split = pd.DataFrame(
        [(d, s, s, r) for d, s, r in roles], columns=["dataset", "subject", "participant", "role"]
    )
    write_table(split, root / "split.tsv")
    return {
        "healthy": write_arrays(root / "healthy" / "small", healthy, lesions=False, shape=shape),
        "patients": write_arrays(root / "patients" / "small", patients, lesions=True, shape=shape),
        "tumours": write_arrays(
            root / "tumours" / "small",
            tumours,
            lesions=True,
            centres=((19, 12), (12, 12), (18, 18), (11, 17)),
            shape=shape,
        ),
        "split": root / "split.tsv",
    }

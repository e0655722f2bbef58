"""Makes a test set with known anomalies: the packed arrays of healthy scans with something planted into them.

The new folder has the files of packed arrays (see `preprocessing/pack.py`), and two more:

    clean.npy    (slices, channels, x, y) float16: the images before anything was planted
    planted.tsv  one row per planted thing, with all that was drawn for it
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainuad.arrays import ArrayStore, Volume
from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.pack import GrowingArray
from brainuad.randomness import numpy_generator
from brainuad.storage import atomic_path, write_json, write_table
from brainuad.synthetic.copy_paste import draw_patch, put_patch
from brainuad.synthetic.ellipses import draw_ellipses, put_ellipses
from brainuad.synthetic.roles import names_of_copies
from brainuad.synthetic.settings import CopyPaste, Ellipses, Spheres
from brainuad.synthetic.spheres import draw_spheres, put_spheres

log = logging.getLogger(__name__)

ARRAYS = ("images", "clean", "lesion", "brain")


@dataclass(frozen=True)
class PlantingRequest:
    """A synthetic test set: its name, what is planted, the seed of all draws, and the study that it belongs to."""

    name: str
    settings: Ellipses | CopyPaste | Spheres
    seed: int
    study: str = ""

    @property
    def key(self) -> str:
        """Where it is written in the study files."""
        file = f"{self.study}.yaml: " if self.study else ""
        return f"{file}synthetic.{self.name}"


@dataclass(frozen=True)
class Synthetic:
    """One volume with anomalies: images (slice, channel, x, y), mask (slice, x, y), and what was drawn."""

    images: np.ndarray
    lesion: np.ndarray
    planted: list[dict[str, Any]]


def plant_dataset(request: PlantingRequest, base: ArrayStore, split: pd.DataFrame, folder: Path) -> None:
    """Writes the arrays of a synthetic test set to `folder`; memory holds one subject at a time.

    Its subjects are the healthy ones of `base` that have the wanted role in `split`; they keep their names and
    become patients, as do their further copies. A subject into which nothing can be planted is a row with status
    `excluded` and its reason.
    """
    copies = request.settings.copies
    chosen = chosen_subjects(request, base, split)
    scans = {name: subject for subject in chosen for name in names_of_copies(subject, copies)}
    rows: list[dict[str, Any]] = []
    planted: list[dict[str, Any]] = []
    with ExitStack() as stack:
        places = {name: atomic_path(folder / f"{name}.npy", alone=True) for name in ARRAYS}
        paths = {name: stack.enter_context(place) for name, place in places.items()}
        writers = {name: stack.enter_context(GrowingArray(path)) for name, path in paths.items()}
        for subject, scan in scans.items():
            row, drawn = _append_subject(subject, scan, request, base, writers)
            rows.append(row)
            planted += [{"subject": subject, **item} for item in drawn]
        if not planted:
            raise InputError(
                f"{request.key}: nothing could be planted into {len(rows)} scans of "
                f"{request.settings.of}: {rows[0]['reason']}. Choose another data set or another kind."
            )
    packed = [row["subject"] for row in rows if row["status"] == "ok"]
    geometry = {subject: base.affine(scans[subject]).tolist() for subject in packed}
    write_json(geometry, folder / "geometry.json")
    synthetic = {"name": request.name, "seed": request.seed, **request.settings.model_dump(mode="json")}
    write_json({**base.recipe, "synthetic": synthetic}, folder / "recipe.json")
    write_table(pd.DataFrame(planted), folder / "planted.tsv")
    write_table(pd.DataFrame(rows), folder / "index.tsv")
    log.info("%s: %d of %d scans with planted anomalies", request.name, len(packed), len(rows))


def chosen_subjects(request: PlantingRequest, base: ArrayStore, split: pd.DataFrame) -> list[str]:
    """The subjects to plant into, in the order of the split; none is an `InputError`."""
    settings = request.settings
    wanted = split[(split["dataset"] == settings.of) & (split["role"] == settings.role)]["subject"]
    group = base.index.loc[base.subjects, "group"]
    healthy = set(group.index[group == settings.group])
    if chosen := [subject for subject in wanted if subject in healthy]:
        return chosen
    raise InputError(
        f"{request.key}: data set {settings.of} has no {settings.group} {settings.role} subject "
        f"({len(wanted)} {settings.role} subjects, {len(healthy)} {settings.group} ones), and anomalies are "
        f"planted into such scans only. Give splits.{settings.of}.{settings.role} a count in the study, or name "
        f"another data set in synthetic.{request.name}.of (one that has {settings.group} subjects)."
    )


def _append_subject(
    subject: str, scan: str, request: PlantingRequest, base: ArrayStore, writers: Mapping[str, GrowingArray]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The subject's row of the index and what was planted, after its slices, made from `scan`, were appended."""
    row = {str(name): value for name, value in base.index.loc[scan].items()}
    row |= {"subject": subject, "group": "patient"}
    volume = replace(base.volume(scan), subject=subject)
    try:
        made = make_synthetic(request, volume, base.spacing_mm)
    except ScanError as error:
        log.warning("%s is left out: %s", subject, error)
        failed = {"first_slice": "", "slices": 0, "lesion_voxels": "", "image_hash": ""}
        return row | failed | {"status": "excluded", "reason": str(error)}, []
    first_slice = writers["images"].length
    images = np.ascontiguousarray(made.images.astype(np.float16))
    writers["images"].append(images)
    writers["clean"].append(np.ascontiguousarray(base.images[base.slices(scan)]))
    writers["lesion"].append(made.lesion)
    writers["brain"].append(volume.brain)
    place = {"first_slice": first_slice, "lesion_voxels": int(made.lesion.sum())}
    digest = hashlib.blake2b(images.data, digest_size=16).hexdigest()
    return row | place | {"image_hash": digest}, made.planted


def make_synthetic(request: PlantingRequest, volume: Volume, spacing_mm: Sequence[float]) -> Synthetic:
    """A healthy volume with anomalies, which are a function of seed, data set, subject and slice.

    `spacing_mm` is that of (x, y, z). A volume without any brain is a `ScanError`.
    """
    settings = request.settings
    purpose = ("synthetic", settings.kind, settings.of, volume.subject)
    if isinstance(settings, Spheres):
        spheres = draw_spheres(settings, volume.brain, numpy_generator(request.seed, *purpose))
        x_mm, y_mm, z_mm = spacing_mm
        images, mask = put_spheres(volume.images, volume.brain, (z_mm, x_mm, y_mm), spheres, settings)
        return Synthetic(images, mask, [asdict(sphere) for sphere in spheres])
    made = Synthetic(volume.images.copy(), np.zeros_like(volume.brain), [])
    for number in np.flatnonzero(volume.brain.any(axis=(1, 2))):
        generator = numpy_generator(request.seed, *purpose, int(number))
        made.images[number], made.lesion[number], drawn = _plant_slice(
            settings, volume.images[number], generator
        )
        made.planted.extend({"slice": int(number), **item} for item in drawn)
    if not made.planted:
        raise ScanError("no slice shows any brain, so that nothing can be planted")
    return made


def _plant_slice(
    settings: Ellipses | CopyPaste, images: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
    size = (images.shape[1], images.shape[2])
    if isinstance(settings, Ellipses):
        ellipses = draw_ellipses(settings, size, generator)
        images, mask = put_ellipses(images, ellipses, settings.largest_intensity)
        return images, mask, [asdict(ellipse) for ellipse in ellipses]
    patch = draw_patch(settings, size, generator)
    images, mask = put_patch(images, patch)
    return images, mask, [asdict(patch)]

"""The slices that pictures show: of a few subjects, with what methods made of them, as seen by a reader."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from brainuad.arrays import ArrayStore, Volume
from brainuad.reporting.figures.style import Results
from brainuad.reporting.picture_settings import Outline
from brainuad.reporting.settings import MethodLabel
from brainuad.reporting.volumes import (
    Case,
    as_seen,
    bounding_box,
    display_window,
    load_method_volume,
    to_unit,
    yen_mask,
)

MARGIN = 3  # voxels around the brain


@dataclass(frozen=True)
class Shown:
    """One slice of a subject in display orientation, values of images in [0, 1].

    `maps`, `healthy` (pseudo-healthy images) and `predicted` (masks from a threshold, where they are wanted) are by
    method; `clean` is the image before a synthetic anomaly. `truth` is None where the lesions are not annotated.
    """

    name: str
    image: np.ndarray
    truth: np.ndarray | None
    maps: dict[str, np.ndarray]
    healthy: dict[str, np.ndarray]
    clean: np.ndarray | None = None
    predicted: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """Which channel of which methods' results is shown, and whether masks from a threshold are."""

    methods: Sequence[MethodLabel]
    channel: int = 0
    run: int = 0
    outline: Outline = "none"


def read_shown(cases: Sequence[Case], wanted: Wanted, results: Results, store: ArrayStore) -> list[Shown]:
    """The slice of each case (the one with the most lesion unless it names another), cut to the brains of all."""
    volumes = [(case, store.volume(case.subject), store.affine(case.subject)) for case in cases]
    brain = np.stack([as_seen(np.any(volume.brain, axis=0), affine) for _, volume, affine in volumes])
    box = bounding_box(brain, MARGIN)
    return [_read_one(case, volume, wanted, (results, store), box) for case, volume, _ in volumes]


def _read_one(
    case: Case,
    volume: Volume,
    wanted: Wanted,
    source: tuple[Results, ArrayStore],
    box: tuple[slice, slice],
) -> Shown:
    results, store = source
    affine, channel = store.affine(case.subject), wanted.channel
    z = shown_slice(volume) if case.z is None else case.z
    window = display_window(volume.images[:, channel], volume.brain)

    def seen(plane: np.ndarray) -> np.ndarray:
        return as_seen(plane, affine)[box]

    maps, healthy, predicted = {}, {}, {}
    for method in wanted.methods:
        found = load_method_volume(results.study, method.method, wanted.run, case, store)
        if found is None:
            continue
        maps[method.method] = seen(found.anomaly_map[z])
        if wanted.outline == "yen":
            mask = yen_mask(results.study, method.method, found.anomaly_map, volume.brain)
            predicted[method.method] = seen(mask[z])
        if found.pseudo_healthy is not None:
            healthy[method.method] = seen(to_unit(found.pseudo_healthy[z, channel], window))
    image = seen(to_unit(volume.images[z, channel], window))
    before = None if volume.clean is None else seen(to_unit(volume.clean[z, channel], window))
    truth = seen(volume.lesion[z]) if store.lesions_known(case.subject) else None
    return Shown(case.pseudonym, image, truth, maps, healthy, before, predicted)


def shown_slice(volume: Volume) -> int:
    """The slice with the most lesion, or with the most brain where there is no lesion."""
    area = (volume.lesion if volume.lesion.any() else volume.brain).sum(axis=(1, 2))
    return int(area.argmax())


def shared_top(planes: Sequence[np.ndarray]) -> float:
    """The last value of the colour scale of these maps: the highest of their 99.5th percentiles."""
    return max((float(np.percentile(plane, 99.5)) for plane in planes), default=1.0) or 1.0


def channel_of(store: ArrayStore, name: str) -> int:
    """The position of a modality; the first one where it is not in the arrays."""
    return store.channels.index(name) if name in store.channels else 0

"""Headers of DICOM files grouped into stacks: one study and series, one orientation, one voxel grid, one kind of image.

A series may hold several stacks, such as a localiser with its slices, or images without and with a contrast agent.
Some anonymisers write a new StudyInstanceUID into each file: it tells studies apart only where slices share it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from brainuad.preprocessing import dicom_kinds
from brainuad.preprocessing.dicom_headers import Header

ORIENTATION_TOLERANCE = 0.02
SPACING_TOLERANCE_MM = 1e-3
SAME_PLACE_MM = 0.01


@dataclass(frozen=True)
class Stack:
    """Slices of one series that share orientation, voxel grid and kind of kernel."""

    slices: tuple[Header, ...]

    @property
    def first(self) -> Header:
        """A header that stands for all."""
        return self.slices[0]

    @property
    def name(self) -> str:
        """What the stack is called in remarks: the number of its series, never its description."""
        return f"series {self.first.series_number or 'without number'} ({len(self.slices)} images)"

    @property
    def study(self) -> str | None:
        """The StudyInstanceUID that all slices share; None where each has its own, or there is but one."""
        shared = len(self.slices) > 1 and len({header.study for header in self.slices}) == 1
        return self.first.study if shared else None

    @cached_property
    def places_mm(self) -> np.ndarray:
        """Where the slices lie along their normal, in rising order."""
        return np.sort([header.position @ self.first.normal for header in self.slices])

    @property
    def gaps_mm(self) -> np.ndarray:
        """Distances between neighbouring slices that lie at different places."""
        gaps = np.diff(self.places_mm)
        return np.asarray(gaps[gaps > SAME_PLACE_MM])

    @property
    def length_mm(self) -> float:
        """From the first slice to the last."""
        return float(self.places_mm[-1] - self.places_mm[0])

    @property
    def slice_mm(self) -> float:
        """The usual distance of two slices."""
        return float(np.median(self.gaps_mm))


def stacks_of(headers: Sequence[Header]) -> list[Stack]:
    """The headers grouped into stacks; copies of one image (equal SOPInstanceUID and place) count once."""
    groups: list[list[Header]] = []
    single = _without_copies(headers)
    sizes = Counter((header.series, header.study) for header in single)
    for header in single:
        shared = sizes[header.series, header.study] > 1
        for group in groups:
            other = group[0]
            same_study = other.study == header.study or not (shared or sizes[other.series, other.study] > 1)
            if same_study and _belong_together(other, header):
                group.append(header)
                break
        else:
            groups.append([header])
    return [Stack(tuple(group)) for group in groups]


def with_agent(stack: Stack) -> bool:
    """Whether the images were taken with a contrast agent, as far as headers say."""
    return _has_agent(stack.first)


def _without_copies(headers: Sequence[Header]) -> list[Header]:
    """The images, each once.

    Some anonymisers write one SOPInstanceUID into all images. So it tells a copy only where all that bear it are of one
    stack and lie at one place.
    """
    places: dict[str, set[tuple[object, ...]]] = {}
    kept: list[Header] = []
    for header in headers:
        places.setdefault(header.instance, set()).add(_place(header))
    seen: set[str] = set()
    for header in headers:
        if not header.instance or header.instance not in seen or len(places[header.instance]) > 1:
            kept.append(header)
        seen.add(header.instance)
    return kept


def _place(header: Header) -> tuple[object, ...]:
    position = () if header.position is None else tuple(header.position.tolist())
    return (header.study, *_kind(header), position)


def _belong_together(one: Header, other: Header) -> bool:
    if _kind(one) != _kind(other):
        return False
    return _close(one.orientation, other.orientation, ORIENTATION_TOLERANCE) and _close(
        one.spacing_mm, other.spacing_mm, SPACING_TOLERANCE_MM
    )


def _kind(header: Header) -> tuple[object, ...]:
    """What all slices of a stack share besides a study; scanners change other words between skull base and vertex."""
    return (
        *(header.series, header.modality, header.kind, header.shape, header.samples),
        *(dicom_kinds.kernel_kind(header.kernel), _has_agent(header), header.position is None),
        *(dicom_kinds.is_localiser(header.image_type), dicom_kinds.is_reformat(header.image_type)),
        dicom_kinds.is_picture(header.image_type),
    )


def _has_agent(header: Header) -> bool:
    return dicom_kinds.has_contrast(header.contrast_agent, header.description)


def _close(one: np.ndarray | None, other: np.ndarray | None, tolerance: float) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.abs(one - other).max() < tolerance)

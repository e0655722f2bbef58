"""What a data set publishes, as data: names, files, scanners, sequences. No arrays: it imports at once.

One file in `phantom/layouts` per data set holds its `LAYOUT`; a new data set needs nothing else.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from brainuad.errors import InputError

if TYPE_CHECKING:
    from brainuad.phantom.head import Model
    from brainuad.phantom.subject import Subject


@dataclass(frozen=True)
class Sequence:
    """One pulse sequence: times in ms, flip angle in degrees, share of the fat signal that is suppressed."""

    kind: Literal["spin-echo", "gradient-echo", "inversion-recovery"]
    tr_ms: float
    te_ms: float
    ti_ms: float = 0.0
    flip_deg: float = 90.0
    contrast_agent: bool = False
    fat_suppression: float = 0.0


@dataclass(frozen=True)
class Scanner:
    """A site: its field strength in tesla, its sequence per modality, and its flaws.

    `noise` is the standard deviation of the noise in each channel relative to the mean signal of the head;
    `bias` the standard deviation of the logarithm of the coil field.
    """

    site: str
    field_tesla: float
    sequences: Mapping[str, Sequence]
    noise: float = 0.03
    bias: float = 0.12
    defaced: bool = False


@dataclass(frozen=True)
class Image:
    """One published image: its modality, file name, storage orientation and field of view.

    `field_of_view_mm` is (right-left, front-back, foot-head), `slice_axis` the one that was sliced.
    """

    modality: str
    file: str
    orientation: str = "LPS"
    field_of_view_mm: tuple[float, float, float] = (176.0, 244.0, 184.0)
    slice_axis: int = 2


@dataclass(frozen=True)
class Ages:
    """A normal distribution of age in years, cut off at both ends."""

    mean: float
    sd: float
    youngest: float
    oldest: float


@dataclass(frozen=True)
class SubjectFacts:
    """Who a simulated subject is; file names are made from these."""

    subject: str
    number: int
    site: str
    scan: int
    age: float
    sex: Literal["F", "M"]
    part: str = ""

    @property
    def person(self) -> str:
        """Whose head it is: several scans of a data set may show the same one."""
        return self.subject


@dataclass(frozen=True)
class OwnFiles:
    """How a data set that is not NIfTI is written.

    `names` gives a subject's paths below the root by modality; `write` writes them with the stamp that says that they
    are simulated. Where the number of subjects does not count them one by one, `people` gives those of (count, seed).
    """

    names: Callable[[SubjectFacts], dict[str, str]]
    write: Callable[["Subject", "Model", Path, str], None]
    people: Callable[[int, int], list[SubjectFacts]] | None = None


@dataclass(frozen=True)
class Layout:
    """How one data set is published, and from whom it was collected.

    Names and files are format strings over the fields of `SubjectFacts`. `alignment` says how the images of a
    subject lie to each other: each in its own pose, all on the grid of the first, or all on the grid
    of an atlas: SRI24 (`atlas`) or MNI152NLin2009aSym (`mni`).
    `parts` are the partitions of the data set, `{part}` in the format strings; subjects take turns by number.
    `write_extras` writes the tables beside the scans, from the facts of all subjects, the root and the seed.
    """

    subject: str
    images: tuple[Image, ...]
    scanners: tuple[Scanner, ...]
    ages: Ages
    alignment: Literal["own", "shared", "atlas", "mni"]
    first_number: int = 0
    largest_gap: int = 1
    lesions: Literal["none", "tumour", "plaques", "stroke"] = "none"
    brain_only: bool = False
    lesion_file: str = ""
    brain_mask_file: str = ""
    parts: tuple[str, ...] = ("",)
    own_files: OwnFiles | None = None
    write_extras: Callable[[list[SubjectFacts], Path, int], None] | None = None


def layout_names() -> list[str]:
    """Data sets that have a phantom."""
    from brainuad.phantom import layouts

    return sorted(module.name for module in pkgutil.iter_modules(layouts.__path__))


def find_layout(dataset: str) -> Layout:
    """The layout of a data set; an unknown name is an `InputError`."""
    if dataset not in layout_names():
        raise InputError(
            f"dataset {dataset!r} has no phantom; there is one of {', '.join(layout_names())}. "
            "Give the path of the real data in config.yaml."
        )
    layout: Layout = importlib.import_module(f"brainuad.phantom.layouts.{dataset}").LAYOUT
    return layout


def part_of(layout: Layout, number: int) -> str:
    """The partition of the subject with that number; empty where the data set has none."""
    return layout.parts[(number - layout.first_number) % len(layout.parts)]


def subject_name(layout: Layout, number: int) -> str:
    """The cohort name of the subject with that number, letters and digits only."""
    name = layout.subject.format(number=number, part=part_of(layout, number))
    return re.sub(r"[^A-Za-z0-9]", "", name)


def published_files(layout: Layout, facts: SubjectFacts) -> dict[str, str]:
    """One subject's paths below the root: by modality, and `lesion` and `brain_mask` where published."""
    if layout.own_files is not None:
        return layout.own_files.names(facts)
    templates = {image.modality: image.file for image in layout.images}
    templates |= {"lesion": layout.lesion_file, "brain_mask": layout.brain_mask_file}
    return {role: file.format(**vars(facts)) for role, file in templates.items() if file}

"""Which of the series in a folder of DICOM files is the plain axial head CT in a soft-tissue kernel.

A stack of images that is not such a CT is rejected. Of the others the best is taken: head before another body part,
not reformatted before reformatted, original before derived, known before unknown kernel, then the larger part of the
head, then the thinner slices. Of a series that the user names, a kernel for bone, a contrast agent and any ImageType
but that of a localiser are accepted, and plain images come before those with an agent. Between heads of several studies
nothing is chosen, as nobody can know which one is meant, unless the data set says that any will do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainuad.datasets.base import ANY_STUDY
from brainuad.errors import ScanError
from brainuad.preprocessing import dicom_kinds
from brainuad.preprocessing.dicom_headers import ENHANCED, SECONDARY_CAPTURE, Header, read_headers
from brainuad.preprocessing.dicom_stacks import ORIENTATION_TOLERANCE, Stack, stacks_of, with_agent
from brainuad.spreadsheets import whole_number

FEWEST_SLICES = 12
# Shorter than a brain, so that a part of one is told from a whole.
SHORTEST_MM = 90.0
# A head needs no more than this; a series that goes down to the chest is no better.
LONGEST_MM = 160.0
# Coverages that differ by less count as equal.
COVERAGE_STEP_MM = 20.0
# Gantries tilt by up to 30 degrees; further than this and the slices are no longer axial.
LARGEST_TILT_DEG = 37.0
# Brain is shown in windows of 80 to 150 HU, bone from 2000 HU.
BONE_WINDOW_HU = 1500.0
OWN_FOLDER = (
    "give each study a folder of its own, or name one series by its UID in the column `series` of scans.csv"
)
# A share of doubled places above this is a series of several phases, not a copy that got in.
MOST_DOUBLED = 0.5


@dataclass(frozen=True)
class Choice:
    """The stack that is taken, and for each other one its name and why it is left out.

    `studies` counts those that have a stack of the same part, all with or all without a contrast agent. `damage` says
    how many files of the folder are damaged; it is empty if none is.
    """

    stack: Stack
    left_out: tuple[str, ...]
    studies: int = 1
    damage: str = ""


def choose_series(folder: Path, label: str, wanted: str = "") -> Choice:
    """The best stack below a folder; `wanted` limits the choice to a series by its number or UID.

    A series that the user names may have any kernel, any ImageType but that of a localiser, and a contrast agent.
    Nothing usable is a `ScanError` with a reason for each series. So are studies of several days, unless a UID names
    the series; and heads of several studies, unless `wanted` is `ANY_STUDY`.
    """
    headers, damaged, others = read_headers(folder, label)
    damage = _damage(damaged)
    if not headers:
        raise ScanError(
            f"{label}: no DICOM image in the folder ({f'{damage}, ' if damage else ''}{others} other files)"
        )
    named = wanted not in ("", ANY_STUDY)
    of_series = _of_series(headers, wanted, label) if named else headers
    _check_one_patient(of_series, label)
    stacks = stacks_of(of_series)
    if not (named and wanted in {header.series for header in of_series}):
        _check_one_day(headers, wanted, label)
        if named:
            _check_number(stacks, label)
    checked = [(stack, rejection(stack, named)) for stack in stacks]
    left_out = [f"{stack.name}: {reason}" for stack, reason in checked if reason]
    usable = sorted((stack for stack, reason in checked if not reason), key=_rank)
    if not usable:
        reasons = "; ".join([*left_out, *filter(None, [damage])])
        raise ScanError(f"{label}: no usable series; {reasons}{_way_out(stacks, wanted)}")
    best, *others_usable = usable
    studies = _studies(stack for stack in usable if _shown(stack) == _shown(best))
    if len(studies) > 1 and wanted != ANY_STUDY:
        raise ScanError(f"{label}: usable series of {len(studies)} studies in one folder; {OWN_FOLDER}")
    left_out += [f"{stack.name}: {_why_not(stack, best)}" for stack in others_usable]
    return Choice(best, tuple(left_out), max(len(studies), 1), damage)


def rejection(stack: Stack, named: bool = False) -> str:
    """Why a stack cannot be taken; empty if it can.

    Neither the kernel nor a contrast agent nor how images were computed matters for a series that the user `named`.
    """
    reason = _not_an_image_of_ct(stack) or _no_geometry(stack) or _not_axial(stack)
    if not (reason or named):
        reason = _picture(stack) or _shows_bone(stack) or _enhanced(stack)
    return reason or _too_little(stack)


def _damage(damaged: int) -> str:
    """How many files of a folder are damaged, in words; empty if none is."""
    if not damaged:
        return ""
    return "1 file is damaged" if damaged == 1 else f"{damaged} files are damaged"


def _of_series(headers: Sequence[Header], wanted: str, label: str) -> list[Header]:
    """The headers of the series with this UID or number."""
    number = whole_number(wanted)
    found = [
        header
        for header in headers
        if wanted == header.series or number == whole_number(header.series_number)
    ]
    if not found:
        numbers = sorted({header.series_number for header in headers})
        raise ScanError(
            f"{label}: the series that the column `series` names is not in the folder, which holds the numbers "
            f"{', '.join(numbers)}"
        )
    return found


def _check_one_patient(headers: Sequence[Header], label: str) -> None:
    patients = {header.patient for header in headers} - {""}
    if len(patients) > 1:
        raise ScanError(
            f"{label}: images of {len(patients)} patients in one folder; give each a folder of its own"
        )


def _check_one_day(headers: Sequence[Header], wanted: str, label: str) -> None:
    """Raises where a folder has studies of several days; numbers of series begin anew in each."""
    days = {(header.study, header.study_date) for header in headers if header.study_date}
    if len({study for study, _ in days}) > 1 and len({day for _, day in days}) > 1:
        advice = "leave one of them there" if wanted == ANY_STUDY else OWN_FOLDER
        raise ScanError(f"{label}: images of several days in one folder; {advice}")


def _check_number(stacks: Sequence[Stack], label: str) -> None:
    """Raises where several studies have a series of one number, whether it is usable or not."""
    if (count := len(_studies(stacks))) > 1:
        raise ScanError(
            f"{label}: {count} studies in the folder have a series of the number that the column `series` names; "
            "name it by its UID (SeriesInstanceUID)"
        )


def _studies(stacks: Iterable[Stack]) -> set[str]:
    """The studies of stacks, as far as headers tell them apart; those of one day or without dates count too."""
    return {stack.study for stack in stacks if stack.study is not None}


def _way_out(stacks: Sequence[Stack], wanted: str) -> str:
    """What a user can do who left the choice open; a data set that takes any study has no table to name a series."""
    if wanted or all(rejection(stack, named=True) for stack in stacks):
        return ""
    return "; a scans.csv can name one in its column `series`, which is then taken all the same"


def _not_an_image_of_ct(stack: Stack) -> str:
    first = stack.first
    if first.modality != "CT":
        return f"not CT but {first.modality or 'without modality'}"
    if first.kind == SECONDARY_CAPTURE or first.samples != 1:
        return "secondary capture"
    if first.kind == ENHANCED or first.frames > 1:
        return "several frames in one file (enhanced CT); convert it to NIfTI or to one file per slice"
    return "localiser" if dicom_kinds.is_localiser(first.image_type) else ""


def _no_geometry(stack: Stack) -> str:
    first = stack.first
    for value, keyword in (
        (first.position, "ImagePositionPatient"),
        (first.orientation, "ImageOrientationPatient"),
        (first.spacing_mm, "PixelSpacing"),
    ):
        if value is None:
            return f"{keyword} is missing, so nobody knows where the slices lie"
    assert first.orientation is not None
    assert first.spacing_mm is not None
    if np.abs(first.orientation @ first.orientation.T - np.eye(2)).max() > ORIENTATION_TOLERANCE:
        return "ImageOrientationPatient is not a pair of perpendicular unit vectors"
    return "" if first.spacing_mm.min() > 0 else "PixelSpacing is not positive"


def _not_axial(stack: Stack) -> str:
    along = np.abs(stack.first.normal)
    if along[2] >= np.cos(np.deg2rad(LARGEST_TILT_DEG)):
        return ""
    return f"not axial ({('sagittal', 'coronal', 'oblique')[int(along.argmax())]})"


def _picture(stack: Stack) -> str:
    return "projection, rendering or screen" if dicom_kinds.is_picture(stack.first.image_type) else ""


def _shows_bone(stack: Stack) -> str:
    first = stack.first
    kind = dicom_kinds.kernel_kind(first.kernel)
    if kind == "sharp":
        return f"kernel for bone or lung ({first.kernel})"
    if kind == "soft":
        return ""
    if dicom_kinds.names_bone(first.description):
        return "its description says bone or lung"
    narrow = float(np.median([header.window_width for header in stack.slices]))
    return f"window of bone (width {narrow:.0f} HU)" if narrow >= BONE_WINDOW_HU else ""


def _enhanced(stack: Stack) -> str:
    """Vessels and tumours shine with an agent, and so does blood without one."""
    return "with contrast agent" if with_agent(stack) else ""


def _too_little(stack: Stack) -> str:
    if len(stack.slices) < FEWEST_SLICES:
        return f"fewer than {FEWEST_SLICES} slices"
    places = len(stack.gaps_mm) + 1
    if len(stack.slices) - places > MOST_DOUBLED * places:
        return "several images at each place (phases or perfusion)"
    if places < FEWEST_SLICES:
        return f"slices at {places} places only"
    return "" if stack.length_mm >= SHORTEST_MM else f"covers {stack.length_mm:.0f} mm only"


def _shown(stack: Stack) -> tuple[bool, bool]:
    """Whether vessels shine, and whether it is another part than the head: the study decides only where these agree."""
    return with_agent(stack), not dicom_kinds.shows_head(stack.first.body_part)


def _qualities(stack: Stack) -> dict[str, float]:
    """What makes a stack worse than another, the most important first; lower is better."""
    first = stack.first
    agent, another_part = _shown(stack)
    return {
        "contrast agent, and plain images are there": agent,
        "of another body part": another_part,
        "reformatted images, and others are there": dicom_kinds.is_reformat(first.image_type),
        "derived images, and original ones are there": first.image_type[0] == "DERIVED",
        "unknown kernel": dicom_kinds.kernel_kind(first.kernel) == "unknown",
        "covers less of the head": -(min(stack.length_mm, LONGEST_MM) // COVERAGE_STEP_MM),
        f"thicker slices ({stack.slice_mm:.3g} mm)": round(stack.slice_mm, 2),
    }


def _rank(stack: Stack) -> tuple[list[float], bool, str, str]:
    number = stack.first.series_number
    return (list(_qualities(stack).values()), not number.isdigit(), number.zfill(9), stack.first.series)


def _why_not(stack: Stack, best: Stack) -> str:
    pairs = zip(_qualities(stack).items(), _qualities(best).values(), strict=True)
    return next((reason for (reason, own), other in pairs if own > other), "like the one that is taken")

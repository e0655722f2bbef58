"""fastMRI brain (Zbontar 2018, arXiv 1811.08839) with the annotations of FastMRI+: clinical T1 scans, HDF5."""

from pathlib import Path
from typing import TYPE_CHECKING

from brainuad.phantom.layout import Ages, Image, Layout, OwnFiles, Scanner, Sequence, SubjectFacts

if TYPE_CHECKING:
    from brainuad.phantom.head import Model
    from brainuad.phantom.subject import Subject

FIRST_NUMBER = 6000264
MORE_SEQUENCES_EVERY = 12  # so seldom a subject has files of other sequences too, which no study uses
FILES = {
    "t1": "{part}/file_brain_AXT1_202_{number}.h5",
    "t1ce": "{part}/file_brain_AXT1POST_205_{number}.h5",
    "flair": "{part}/file_brain_AXFLAIR_203_{number}.h5",
}


def files_of(facts: SubjectFacts) -> dict[str, str]:
    """The paths of a subject's files below the root, by modality."""
    wanted = list(FILES) if (facts.number - FIRST_NUMBER) % MORE_SEQUENCES_EVERY == 1 else ["t1"]
    return {modality: FILES[modality].format(**vars(facts)) for modality in wanted}


def write(subject: "Subject", model: "Model", root: Path, stamp: str) -> None:
    """Writes a subject's files."""
    from brainuad.phantom.fastmri.files import write_subject

    write_subject(subject, model, root, stamp)


def write_extras(facts: list[SubjectFacts], root: Path, seed: int) -> None:
    """Writes `brain.csv`."""
    from brainuad.phantom.fastmri.files import write_annotations

    write_annotations(facts, root)


AT_3T = Scanner(
    site="A",
    field_tesla=3.0,
    sequences={
        "t1": Sequence("inversion-recovery", tr_ms=2000, te_ms=8, ti_ms=900),
        "t1ce": Sequence("inversion-recovery", tr_ms=2000, te_ms=8, ti_ms=900, contrast_agent=True),
        "flair": Sequence("inversion-recovery", tr_ms=9000, te_ms=90, ti_ms=2450, fat_suppression=0.7),
    },
    noise=0.03,
    bias=0.16,
)
AT_1_5T = Scanner(
    site="B",
    field_tesla=1.5,
    sequences={
        "t1": Sequence("spin-echo", tr_ms=520, te_ms=9),
        "t1ce": Sequence("spin-echo", tr_ms=520, te_ms=9, contrast_agent=True),
        "flair": Sequence("inversion-recovery", tr_ms=9000, te_ms=95, ti_ms=2450, fat_suppression=0.7),
    },
    noise=0.04,
    bias=0.10,
)

LAYOUT = Layout(
    subject="AXT1202{number}",
    first_number=FIRST_NUMBER,
    images=tuple(Image(modality, file) for modality, file in FILES.items()),
    scanners=(AT_3T, AT_1_5T),
    ages=Ages(mean=50, sd=17, youngest=19, oldest=88),
    alignment="shared",
    parts=("multicoil_train", "multicoil_train", "multicoil_train", "multicoil_val"),
    own_files=OwnFiles(files_of, write),
    write_extras=write_extras,
)

"""What every data set adapter gives: its subjects from file names alone, and its cohort table.

Adapters know folder layouts and spreadsheets; nothing here opens an image.
"""

import logging
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.settings import PreprocessingSettings

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

MODALITIES = ("t1", "t1ce", "t2", "flair", "pd", "ct")
PATH_COLUMNS = (*MODALITIES, "mask", "brain_mask", "boxes")
COHORT_COLUMNS = (
    *("subject", "participant", "session", "age", "sex", "site", "group", "condition", "status", "reason"),
    *("unusable", *PATH_COLUMNS, "series"),
)

# Stands in the place of a series: the best of all, though a folder holds several studies.
ANY_STUDY = "*"


@dataclass(frozen=True)
class SubjectRow:
    """One row of a cohort table before its paths are checked.

    `files` maps modalities, `mask`, `brain_mask` and `boxes` (a table of annotated boxes) to paths relative to
    the data set's root. `condition` names what is abnormal about the whole scan, several joined by ";". `series` is
    the number or UID of one series where a path is a folder of DICOM files, or `*` for the best of all its studies. A
    `reason` excludes the subject; a `note` does not. `unusable` says of images why their files cannot be used, which
    excludes the subject from what needs them. `unread` names the columns, age or sex, whose text is not understood.
    """

    subject: str
    participant: str
    group: str
    files: Mapping[str, str] = field(default_factory=dict)
    session: str = ""
    age: str = ""
    sex: str = ""
    site: str = ""
    reason: str = ""
    note: str = ""
    condition: str = ""
    series: str = ""
    unusable: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


class Dataset(ABC):
    """One collection in its published layout.

    `modalities` may occur in it; `spreadsheet` is the table that `rows` reads beside the scans, if any, and `reports`
    that of their radiology reports; `preprocessing` holds the settings that suit it. `scans_of` names the data set
    whose scans it preprocesses in another way.
    """

    name: str
    layout: str
    modalities: tuple[str, ...]
    spreadsheet: str | None = None
    reports: str | None = None
    scans_of: str | None = None
    preprocessing: PreprocessingSettings

    @property
    def spreadsheets(self) -> tuple[str, ...]:
        """The paths below the root at which the spreadsheet may lie; a change of one makes the cohort table anew."""
        return (self.spreadsheet,) if self.spreadsheet else ()

    @abstractmethod
    def subjects(self, root: Path) -> list[str]:
        """The sorted subject names in `root`, from file names alone."""

    @abstractmethod
    def rows(self, root: Path) -> Iterator[SubjectRow]:
        """One row per subject, in the order of `subjects`."""

    def index(self, root: Path) -> "pd.DataFrame":
        """The cohort table of the data set in `root`, one row per subject (see `COHORT_COLUMNS`).

        A subject that cannot be used is a row whose `status` is `excluded` and whose `reason` says why. An image whose
        file cannot be used, of several, leaves its column empty, its name in `unusable` and a remark in `reason`.
        """
        import pandas as pd

        real_root = os.path.realpath(root)
        rows = list(self.rows(root))
        _warn_of_unread(Path(root) / (self.spreadsheet or ""), rows)
        records = [_record(row, Path(root), real_root) for row in rows]
        if not records:
            raise InputError(f"{self.name}: no subject found in {root}. Expected {self.layout}.")
        return pd.DataFrame(records, columns=list(COHORT_COLUMNS)).astype(str)

    def entries(self, root: Path) -> list[os.DirEntry[str]]:
        """What lies in `root`, sorted by name; a missing folder is an `InputError` that names the key."""
        try:
            return _scanned(root)
        except OSError as error:
            raise InputError(
                f"config.yaml: datasets.{self.name}: the folder {root} cannot be read ({error.strerror}). "
                f"Expected {self.layout}. Correct the path, or set it to `phantom`."
            ) from error


def _warn_of_unread(table: Path, rows: Sequence[SubjectRow]) -> None:
    for column, expected in (("age", "years below 120"), ("sex", "M or F")):
        if count := sum(column in row.unread for row in rows):
            log.warning(
                "%s: the %s of %d of %d subjects is not understood and stays empty; %s are expected",
                *(table, column, count, len(rows), expected),
            )


def sorted_entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in `folder`, sorted by name, without hidden files; one that cannot be read is an `InputError`."""
    try:
        return _scanned(folder)
    except OSError as error:
        raise InputError(
            f"the folder {folder} cannot be read ({error.strerror}). Correct its permissions, or move it away."
        ) from error


def _scanned(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return sorted((e for e in found if not e.name.startswith(".")), key=lambda entry: entry.name)


def path_inside(root: Path, relative: str) -> Path:
    """The path of `relative` under `root`, where an absolute one may lie too; one outside is a `ScanError`."""
    return _inside(Path(root), os.path.realpath(root), relative)


def relative_path(root: Path, written: str) -> str:
    """The path relative to `root` that a table of users means; one that leaves the root is a `ScanError`.

    It may be absolute, and have `\\` between folders, as in Windows, where nothing has that very name.
    """
    if "\\" in written and not os.access(root / written, os.F_OK):
        written = written.replace("\\", "/")
    path = path_inside(root, written)
    if not Path(written).is_absolute():
        return written
    # A link keeps its own name, which says of what kind the file is.
    return os.path.relpath(Path(os.path.realpath(path.parent), path.name), os.path.realpath(root))


def alphanumeric(label: str) -> str:
    """`label` with its letters and digits only."""
    return re.sub(r"[^A-Za-z0-9]", "", label)


def _inside(root: Path, real_root: str, relative: str) -> Path:
    path = root / relative
    real = os.path.realpath(path)
    if not real.startswith(real_root.rstrip(os.sep) + os.sep):
        raise ScanError("path outside the root")
    return path


def _record(row: SubjectRow, root: Path, real_root: str) -> dict[str, str]:
    reason, unusable = row.reason, dict(row.unusable)
    files: dict[str, str] = {}
    for column, relative in row.files.items():
        try:
            _inside(root, real_root, relative)
            files[column] = relative
        except ScanError as error:
            if column in MODALITIES:
                unusable[column] = f"{column}: {error}"
            else:
                reason = reason or f"{column}: {error}"
    notes = [*filter(None, [row.note]), *unusable.values()]
    if not reason and not files.keys() & {*MODALITIES}:
        reason = "; ".join(["no image found", *notes])
    fixed = {
        "subject": row.subject,
        "participant": row.participant,
        "session": row.session,
        "age": row.age,
        "sex": row.sex,
        "site": row.site,
        "group": row.group,
        "condition": row.condition,
        "status": "excluded" if reason else "ok",
        "reason": reason or "; ".join(notes),
        "unusable": ";".join(unusable),
        "series": row.series,
    }
    return fixed | {column: files.get(column, "") for column in PATH_COLUMNS}

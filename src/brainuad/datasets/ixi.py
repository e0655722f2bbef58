"""IXI: about 600 healthy adults scanned at three London sites (https://brain-development.org/ixi-dataset).

Files are named `IXI002-Guys-0828-T1.nii.gz`. They lie in the root, or in a folder per sequence as the tar
archives unpack when each goes to its own folder. Ages and sexes are in `IXI.xls`, which has repeated and
missing rows. `ixi_mni` is another preprocessing of the same scans.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from brainuad.datasets.base import Dataset, SubjectRow, sorted_entries
from brainuad.datasets.participants import Person
from brainuad.errors import InputError
from brainuad.preprocessing.settings import PreprocessingSettings

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

SCAN_NAME = re.compile(r"(?P<subject>IXI\d+)-(?P<site>[A-Za-z]+)-\d+-(?P<sequence>T1|T2|PD)\.nii(\.gz)?$")
SEQUENCE_FOLDER = re.compile(r"(IXI[-_])?(T1|T2|PD)$", re.IGNORECASE)
SEX = {1: "M", 2: "F"}


class Ixi(Dataset):
    """The IXI data set: healthy subjects, T1, T2 and PD."""

    name = "ixi"
    layout = (
        "IXI*-Site-number-T1.nii.gz and -T2.nii.gz, flat or in folders T1 and T2, with IXI.xls beside them"
    )
    modalities: tuple[str, ...] = ("t1", "t2", "pd")
    spreadsheet = "IXI.xls"
    preprocessing = PreprocessingSettings(
        modalities=("t1",), optional_modalities=("t2",), reference="t1", skull_strip="deepbet"
    )

    def subjects(self, root: Path) -> list[str]:
        """The IXI numbers found in file names, such as IXI002."""
        return sorted({match["subject"] for _, match in self._scans(root)})

    def rows(self, root: Path) -> Iterator[SubjectRow]:
        """One row per IXI number; a sequence of which there are two files is left out."""
        files: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        sites: dict[str, str] = {}
        for relative, match in self._scans(root):
            files[match["subject"]][match["sequence"].lower()].append(relative)
            sites[match["subject"]] = match["site"]
        people = read_demographics(Path(root) / self.spreadsheet)
        for subject in sorted(files):
            person = people.get(int(subject[3:]), Person())
            repeated = {
                k: f"{len(paths)} files for {k}" for k, paths in files[subject].items() if len(paths) > 1
            }
            yield SubjectRow(
                subject=subject,
                participant=subject,
                group="healthy",
                files={key: paths[0] for key, paths in files[subject].items() if len(paths) == 1},
                age=person.age,
                sex=person.sex,
                site=sites[subject],
                unusable=repeated,
                unread=person.unread,
            )

    def _scans(self, root: Path) -> Iterator[tuple[str, re.Match[str]]]:
        for entry in self.entries(root):
            if match := SCAN_NAME.match(entry.name):
                yield entry.name, match
            elif SEQUENCE_FOLDER.match(entry.name) and entry.is_dir():
                for inner in sorted_entries(Path(entry.path)):
                    if match := SCAN_NAME.match(inner.name):
                        yield f"{entry.name}/{inner.name}", match


class IxiMni(Ixi):
    """The T1 scans of IXI as Bercea 2023 used them: bias-corrected whole heads in MNI space.

    Clinica's t1-linear pipeline there, N4 and an affine registration here.
    """

    name = "ixi_mni"
    scans_of = "ixi"
    modalities = ("t1",)
    preprocessing = PreprocessingSettings(
        modalities=("t1",), reference="t1", skull_strip="deepbet", atlas="mni152", keep_skull=True
    )


def read_demographics(path: Path) -> dict[int, Person]:
    """The people of IXI.xls by IXI number: age (years, two decimals) and sex (M or F), empty where unknown.

    Rows of one person are merged: an age or sex that is missing in one row is taken from another; values that
    contradict each other (ages more than a year apart) count as unknown.
    """
    import pandas as pd

    if not path.is_file():
        logger.warning("IXI.xls is not beside the scans: ages and sexes stay empty")
        return {}
    try:
        table = pd.read_excel(path)
    except Exception as error:  # xlrd and openpyxl raise many types
        raise InputError(f"{path}: not a readable spreadsheet ({error}). Download IXI.xls again.") from error
    sex_column = next((name for name in table.columns if str(name).upper().startswith("SEX_ID")), None)
    missing = [name for name in ("IXI_ID", "AGE") if name not in table.columns]
    if missing or sex_column is None:
        raise InputError(f"{path}: expected the columns IXI_ID, SEX_ID (1=m, 2=f) and AGE, as published.")
    age, sex = (pd.to_numeric(table[name], errors="coerce") for name in ("AGE", sex_column))
    table = table.assign(
        IXI_ID=pd.to_numeric(table["IXI_ID"], errors="coerce").astype("Int64"),
        AGE=age,
        SEX=sex.map(SEX),
        AGE_UNREAD=table["AGE"].notna() & age.isna(),
        SEX_UNREAD=table[sex_column].notna() & sex.isna(),
    ).dropna(subset=["IXI_ID"])
    return {int(str(number)): _person(rows) for number, rows in table.groupby("IXI_ID")}


def _person(rows: "pd.DataFrame") -> Person:
    ages, sexes = rows["AGE"].dropna().tolist(), rows["SEX"].dropna().tolist()
    unread = {"age": not ages and rows["AGE_UNREAD"].any(), "sex": not sexes and rows["SEX_UNREAD"].any()}
    return Person(
        age=_agreed_age(ages),
        sex=_agreed(sexes),
        unread=tuple(name for name, is_unread in unread.items() if is_unread),
    )


def _agreed_age(ages: list[float]) -> str:
    plausible = [age for age in ages if 0 < age < 120]
    if not plausible or max(plausible) - min(plausible) > 1:
        return ""
    return f"{plausible[0]:.2f}"


def _agreed(values: list[str]) -> str:
    return values[0] if len(set(values)) == 1 else ""

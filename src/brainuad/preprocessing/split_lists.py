"""Published split lists: CSV files with a subject per row, one or several per role.

Names may be those of subjects or of files (`IXI002-Guys-0828_t2.nii.gz`). They stand in the column `img_name` where
there is one (Behrendt 2023), otherwise in the first column (Kascenas 2023, Frotscher 2023; Bercea 2023, who has a test
list for each class of boxes). The lists of Behrendt 2023 name 7 to 9 training scans of IXI in the test list too;
`overlap: rebuild` repairs that.
"""

import csv
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from brainuad.errors import InputError
from brainuad.preprocessing.split_settings import DatasetSplit, Role

log = logging.getLogger(__name__)

STRENGTH: tuple[Role, ...] = ("test", "validation", "train")
# What stands before the subject in the file names of BIDS and of fastMRI.
PREFIX = re.compile(r"^(sub-|file_brain_)")
HEADER = re.compile(r"(|.*(name|id|subject|participant|scan)s?)$", re.IGNORECASE)


def listed_roles(dataset: str, cohort: pd.DataFrame, settings: DatasetSplit, run: int) -> pd.DataFrame:
    """Columns role (missing where a subject is not listed) and remark, for each row of the cohort.

    With `overlap: rebuild`, who has several roles keeps the test set before validation before training.
    """
    lists = {
        role: _listed_subjects(dataset, cohort, role, settings.list_files(role, run))
        for role in STRENGTH
        if role in settings.lists
    }
    listed = pd.DataFrame(
        [(subject, role) for role, subjects in lists.items() for subject in subjects],
        columns=["subject", "listed"],
    ).merge(cohort[["subject", "participant"]], on="subject")
    if settings.overlap == "error":
        _refuse_overlap(dataset, lists)
        listed["role"] = listed["listed"]
    else:  # the lists come in the order of STRENGTH, so a participant's first role is the one to keep
        listed["role"] = listed.groupby("participant", sort=False)["listed"].transform("first")
    moved = listed[listed["listed"] != listed["role"]].drop_duplicates("subject")
    _report(dataset, lists, listed, moved)
    remarks = ("also listed as " + moved["listed"]).set_axis(moved["subject"])
    return pd.DataFrame(
        {
            "role": cohort["subject"].map(listed.drop_duplicates("subject").set_index("subject")["role"]),
            "remark": cohort["subject"].map(remarks).fillna(""),
        }
    )


def _refuse_overlap(dataset: str, lists: Mapping[Role, list[str]]) -> None:
    seen: dict[str, Role] = {}
    for role, subjects in lists.items():
        if twice := sorted(set(subjects) & set(seen)):
            raise InputError(
                f"splits.{dataset}.lists: {len(twice)} subjects of {dataset} are also in another list "
                f"({', '.join(twice[:5])}; {role} and {seen[twice[0]]}). Remove them from one list, set `overlap: "
                "rebuild` to keep them in one role, or leave out `lists` to draw a split without overlap."
            )
        seen |= dict.fromkeys(subjects, role)


def _report(dataset: str, lists: Mapping[Role, list[str]], listed: pd.DataFrame, moved: pd.DataFrame) -> None:
    if len(moved):
        log.warning(
            "%s: %d of %d listed subjects were in several roles; each keeps one (test before validation before "
            "training)",
            dataset,
            len(moved),
            listed["subject"].nunique(),
        )
    if empty := [role for role in lists if not (listed["role"] == role).any()]:
        raise InputError(
            f"splits.{dataset}.lists: no subject is left for {', '.join(empty)} after `overlap: rebuild`; all are "
            "in a stronger role. Look at the lists."
        )


def _listed_subjects(dataset: str, cohort: pd.DataFrame, role: Role, paths: Sequence[Path]) -> list[str]:
    """The usable subjects that the lists of a role name, each once; one list of several may name none."""
    subjects = {_plain(subject): subject for subject in cohort["subject"]}
    listed: list[str] = []
    known: list[str] = []
    for path in paths:
        names = _names(path, f"splits.{dataset}.lists.{role}")
        found = [subject for name in names if (subject := _subject(name, subjects))]
        if len(found) < len(names):
            log.warning("%s: %d of %d names are usable subjects of %s", path, len(found), len(names), dataset)
        if repeated := len(found) - len(set(found)):
            log.warning("%s: %d repeated names are counted once", path, repeated)
        listed += names
        known += found
    if not known:
        raise InputError(
            f"{', '.join(map(str, paths))}: none of the {len(listed)} names is a usable subject of {dataset}; the "
            f"first is {listed[0]!r}. Subjects are named like {cohort['subject'].iloc[0]!r}."
        )
    return list(dict.fromkeys(known))


def _names(path: Path, key: str) -> list[str]:
    """The cells that name subjects, without a header."""
    advice = f"Correct the path under {key}, or leave out `lists` to draw a split."
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        rows = [row for row in csv.reader(lines) if any(cell.strip(" \0") for cell in row)]
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
        raise InputError(f"{path}: the published split list {reason}. {advice}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: the published split list is not a CSV text file. {advice}") from error
    column = rows[0].index("img_name") if rows and "img_name" in rows[0] else 0
    names = [row[column].strip() for row in rows if len(row) > column]
    if names and HEADER.match(names[0]):
        names = names[1:]
    if not names:
        raise InputError(f"{path}: the published split list is empty, expected a subject per row. {advice}")
    return names


def _subject(name: str, subjects: Mapping[str, str]) -> str | None:
    """The subject that a name or its last part starts with, the longest first: IXI002 of t2/IXI002-Guys_t2.nii.gz.

    The `sub-` of BIDS names and the `file_brain_` of fastMRI are no part of it: r001s001ses1 of
    sub-r001s001_ses-1_T1w.nii.gz, AXT12026000312 of file_brain_AXT1_202_6000312.png.
    """
    last = re.split(r"[/\\]", name.rstrip("/"))[-1]
    for text in dict.fromkeys((name, last, PREFIX.sub("", name), PREFIX.sub("", last))):
        parts = re.findall(r"[A-Za-z0-9]+", text)
        starts = ("".join(parts[:stop]) for stop in range(len(parts), 0, -1))
        if found := next((subjects[start] for start in starts if start in subjects), None):
            return found
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", name)

"""Defects of one modality of a subject, told from those of the whole subject.

Where the modality is optional the subject goes on without it, so that a broken scan takes a subject only from the
studies that ask for this modality.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.errors import ScanError
from brainuad.preprocessing.derivatives import derivative_path, quality_path
from brainuad.storage import read_json


class ModalityError(ScanError):
    """One modality of a subject cannot be used; `modality` names it, and so does the message."""

    def __init__(self, modality: str, reason: str) -> None:
        super().__init__(reason if reason.startswith(f"{modality}: ") else f"{modality}: {reason}")
        self.modality = modality


@contextmanager
def defects_of(modality: str) -> Iterator[None]:
    """A `ScanError` that is raised within is one of a modality, with the same reason."""
    try:
        yield
    except ScanError as error:
        raise ModalityError(modality, str(error)) from error


def what_lacks(folder: Path, subject: str, modalities: Iterable[str]) -> str:
    """Which derivatives of a subject in `folder` do not exist, and why if a scan could not be used; empty if none."""
    missing = [m for m in modalities if not derivative_path(folder, subject, m).exists()]
    known = _left_out(folder, subject) if missing else {}
    reasons = [known[modality] for modality in missing if modality in known]
    return "; ".join([f"no derivative of {', '.join(missing)}", *reasons]) if missing else ""


def with_defects_excluded(table: pd.DataFrame, folder: Path, modalities: Sequence[str]) -> pd.DataFrame:
    """A quality table in which usable subjects are excluded where a scan of one of the modalities failed.

    A modality that was never acquired is no failure.
    """
    changed = table.copy()
    for number, subject in table.loc[table["status"] == "ok", "subject"].items():
        if not _left_out(folder, subject).keys().isdisjoint(modalities):
            changed.loc[number, ["status", "reason"]] = ["excluded", what_lacks(folder, subject, modalities)]
    return changed


def _left_out(folder: Path, subject: str) -> dict[str, str]:
    """Why each modality of a usable subject was left out, from its quality record; empty where there is none."""
    path = quality_path(folder, subject)
    record: dict[str, Any] = read_json(path) if path.is_file() else {}
    return record.get("left_out", {})

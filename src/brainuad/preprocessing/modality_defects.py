"""Defects of one modality of a subject, told from those of the whole subject.

Where the modality is optional the subject goes on without it, so that a broken scan takes a subject only from the
studies that ask for this modality.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from brainuad.errors import ScanError
from brainuad.preprocessing.derivatives import derivative_path

LEFT_OUT = "left out: "


class ModalityError(ScanError):
    """One modality of a subject cannot be used; `modality` names it."""

    def __init__(self, modality: str, reason: str) -> None:
        super().__init__(reason)
        self.modality = modality


@contextmanager
def defects_of(modality: str) -> Iterator[None]:
    """A `ScanError` that is raised within is one of a modality, with the same reason."""
    try:
        yield
    except ScanError as error:
        raise ModalityError(modality, str(error)) from error


def left_out(error: ModalityError) -> str:
    """What the quality table says of an optional modality that cannot be used."""
    return f"{LEFT_OUT}{error}"


def what_lacks(folder: Path, row: Mapping[Any, Any], modalities: Iterable[str]) -> str:
    """Which derivatives of a subject in `folder` do not exist, and why as far as its note says; empty if none."""
    missing = [m for m in modalities if not derivative_path(folder, row["subject"], m).exists()]
    starts = tuple(f"{LEFT_OUT}{modality}: " for modality in missing)
    reasons = [
        part.removeprefix(LEFT_OUT) for part in row.get("note", "").split("; ") if part.startswith(starts)
    ]
    return "; ".join([f"no derivative of {', '.join(missing)}", *reasons]) if missing else ""


def with_lacking_excluded(table: pd.DataFrame, folder: Path, modalities: Sequence[str]) -> pd.DataFrame:
    """A quality table in which usable subjects without one of the modalities are excluded, with the reason."""
    changed = table.copy()
    for number, row in table[table["status"] == "ok"].iterrows():
        if reason := what_lacks(folder, row.to_dict(), modalities):
            changed.loc[number, ["status", "reason"]] = ["excluded", reason]
    return changed

"""How many scans of a cohort are used, and why the others are not; reasons are counted, subjects unnamed."""

import re
from dataclasses import dataclass

from brainuad.reporting.inputs import DatasetEntry
from brainuad.reporting.names import dataset_name
from brainuad.storage import read_table

# Words with a digit that name no subject.
HARMLESS = {"t1", "t2", "t1w", "t2w", "t1ce", "t1gd", "2d", "2-d", "3d", "3-d", "n4", "sri24", "mni152"}


@dataclass(frozen=True)
class Quality:
    """Counts of one cohort."""

    name: str
    label: str
    phantom: bool
    ok: int
    excluded: int
    reasons: tuple[tuple[str, int], ...]
    mosaic: str = ""

    @property
    def total(self) -> int:
        """All scans of the cohort."""
        return self.ok + self.excluded


def cohort_quality(entry: DatasetEntry) -> Quality | None:
    """Counts by status and reason, or None where the cohort was not preprocessed."""
    if entry.quality is None or not entry.quality.exists():
        return None
    table = read_table(entry.quality)
    excluded = table[table["status"] != "ok"]
    identifiers = [column for column in ("subject", "participant", "session") if column in table]
    reasons = [
        unnamed(str(row["reason"]), [str(row[column]) for column in identifiers])
        for row in excluded.to_dict("records")
    ]
    counts = sorted(
        {reason: reasons.count(reason) for reason in reasons}.items(), key=lambda item: (-item[1], item)
    )
    ok = int((table["status"] == "ok").sum())
    label = entry.label or dataset_name(entry.name)
    return Quality(entry.name, label, entry.phantom, ok, len(excluded), tuple(counts))


def unnamed(reason: str, identifiers: list[str]) -> str:
    """A reason without identifiers, file names and numbers, so that equal reasons of subjects are equal."""
    for identifier in sorted(filter(None, identifiers), key=len, reverse=True):
        reason = reason.replace(identifier, "…")
    words = [_unnamed_word(word) for word in reason.split()]
    text = re.sub(r"…[\s…:,_-]*…", "…", " ".join(words))
    return text.removeprefix("…").strip(" :,") or "no reason given"


def _unnamed_word(word: str) -> str:
    bare = word.strip("()[],:;.'\"").lower()
    if "/" in bare or "\\" in bare or bare.endswith((".gz", ".nii", ".dcm", ".json", ".npy")):
        return "…"
    if bare in HARMLESS or not any(character.isdigit() for character in bare):
        return word
    return "…"

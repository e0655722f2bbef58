"""The notes under a table of the leaderboard: on which scans thresholds were chosen and false positives counted."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from brainuad.reporting.names import dataset_name, protocol_name

# The kinds of scans, as `brainuad.leaderboard.origins` names them.
KINDS = {
    "patient": "validation patients of",
    "healthy": "healthy scans of",
    "slices": "slices without a lesion of the patients of",
}


def scans_text(scans: str) -> str:
    """Names of scans such as `patient:brats21 patient:mslub`, in words."""
    by_kind: dict[str, list[str]] = {}
    for name in scans.split():
        kind, _, dataset = name.partition(":")
        by_kind.setdefault(kind, []).append(dataset_name(dataset))
    return ", ".join(f"{KINDS[kind]} {' and '.join(names)}" for kind, names in by_kind.items())


def origin_note(meaning: str, found: Iterable[tuple[str, str, str]]) -> str:
    """A note on marked thresholds; `found` are (protocol, names of scans, study). Empty where nothing is marked."""
    studies: dict[tuple[str, str], list[str]] = {}
    for protocol, scans, study in found:
        studies.setdefault((protocol, scans), []).append(study)
    parts = [
        f"{protocol_name(protocol)} from {scans_text(scans)} ({', '.join(dict.fromkeys(names))})"
        for (protocol, scans), names in studies.items()
    ]
    return f"{meaning}: {'; '.join(parts)}." if parts else ""


def healthy_note(entrants: Iterable[Mapping[Hashable, Any]]) -> str:
    """On whose healthy scans the false-positive rate of each study is measured."""
    studies: dict[str, list[str]] = {}
    for entrant in entrants:
        if entrant["fpr_scans"]:
            studies.setdefault(entrant["fpr_scans"], []).append(entrant["study"])
    parts = [f"{scans_text(scans)} ({', '.join(dict.fromkeys(names))})" for scans, names in studies.items()]
    return f"The false-positive rate is that of test scans: {'; '.join(parts)}." if parts else ""

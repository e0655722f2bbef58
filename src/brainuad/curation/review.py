"""The review sheet: one HTML file on which somebody looks at the remaining scans and accepts or rejects each.

Non-experts find bone reconstructions, artefacts and degraded images (Kascenas 2023, section 4.2.2). The file needs
no network and no other file. It holds pictures and scan names, but no report and no patient.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from brainuad.curation.selection import REVIEWED, STEPS
from brainuad.curation.thumbnails import png_uri, shows_image
from brainuad.errors import ScanError

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
Thumbnail = Callable[[str], np.ndarray]


def shown_name(scan: str, patient: str) -> str:
    """How the sheet and review.tsv call a scan: by its name, or by a code if that contains the patient's."""
    if not patient or patient.lower() not in scan.lower():
        return scan
    return _code(scan)


def _code(scan: str) -> str:
    return f"scan-{hashlib.blake2b(scan.encode(), digest_size=6).hexdigest()}"


def names_in_review(scans: Iterable[str]) -> dict[str, str]:
    """The scan behind each name that a review may use for it: its own, or its code, whoever its patient is now."""
    names = set(scans)
    return {_code(name): name for name in names} | {name: name for name in names}


def scans_to_review(selection: pd.DataFrame) -> pd.DataFrame:
    """The rows of a selection that reached the manual review, whatever was decided there."""
    return selection[selection["step"].isin(STEPS[STEPS.index(REVIEWED) :])]


def review_page(selection: pd.DataFrame, thumbnail: Thumbnail | None, decisions: Mapping[str, str]) -> str:
    """The HTML of the sheet: the scans of a selection that reached the manual review, in its order.

    `thumbnail` gives the picture of a scan, (rows, columns) uint8 or in [0, 1]; without one, or where it raises an
    `ScanError`, the scan is a number on a grey card. Decisions on other scans are kept and saved again.
    """
    shown = {
        row["scan"]: shown_name(row["scan"], row["patient"])
        for row in selection[["scan", "patient"]].to_dict("records")
    }
    scans = list(scans_to_review(selection)["scan"])
    numbers: dict[str, int] = {}
    pictures, copies = [], []
    for number, scan in enumerate(scans, start=1):
        picture, image = _picture(scan, thumbnail)
        pictures.append(picture)
        copies.append(numbers.setdefault(image, number) if image else number)
    if again := sum(first != number for number, first in enumerate(copies, start=1)):
        log.warning("%d of %d scans look exactly like another; their cards say which.", again, len(scans))
    if missing := pictures.count(""):
        log.warning("%d of %d scans have no picture and are shown as numbers.", missing, len(scans))
    decided = {shown[scan]: decision for scan, decision in decisions.items() if scan in shown}
    names = [shown[scan] for scan in scans]
    others = {name: decision for name, decision in decided.items() if name not in set(names)}
    content = {
        "scans": names,
        "decisions": {name: decided[name] for name in names if name in decided},
        "others": others,
        "key": _fingerprint(names, decided),
    }
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("review.html.j2").render(
        content=content, pictures=pictures, copies=copies
    )


def _picture(scan: str, thumbnail: Thumbnail | None) -> tuple[str, str]:
    """The data URI of a scan's picture, and a digest of it if it shows an image; else empty strings."""
    if thumbnail is None:
        return "", ""
    try:
        picture = thumbnail(scan)
    except ScanError:
        return "", ""
    uri = png_uri(picture)
    return uri, hashlib.blake2b(uri.encode(), digest_size=16).hexdigest() if shows_image(picture) else ""


def _fingerprint(names: list[str], decided: Mapping[str, str]) -> str:
    """A name for the browser's memory: another cohort, or another review to start from, begins afresh."""
    text = json.dumps([names, sorted(decided.items())])
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

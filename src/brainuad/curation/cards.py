"""The pictures of the review sheet, kept from one run to the next: a scan that has not changed is not read again.

A picture lies in a file of its own, whose name is a digest of the scan's path and series, of names, sizes and times of
its files, and of the settings. It shows a patient, so its file is readable for its owner alone. These files have a
folder of their own for each root of scans: whatever else lies beside them is not ours, and is never removed.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from brainuad.curation.private import OWNER_ONLY
from brainuad.curation.selection_settings import ReviewSettings
from brainuad.curation.thumbnails import montage, place_of, read_volume
from brainuad.storage import atomic_path

# Another one where pictures are made in another way, or of another series.
VERSION = 3
OWNER_ONLY_FOLDER = 0o700
DIGEST_BYTES = 16
# What a picture's file is called; no other file is removed.
CARD = re.compile(r"[0-9a-f]{32}\.npy")


class Cards:
    """The pictures of scans, by their names; `places` are path and series of each, paths lie below `root`.

    They are kept in a subfolder of `state`; without `state` every picture is made anew.
    """

    def __init__(
        self,
        root: Path,
        places: Mapping[str, tuple[str, str]],
        settings: ReviewSettings,
        state: Path | None = None,
    ) -> None:
        self.root, self.places, self.settings = root, places, settings
        self.kept_in = None if state is None else state / f"review-pictures-{_digest(str(root.resolve()))}"
        self.used: set[Path] = set()

    def picture(self, scan: str) -> np.ndarray:
        """The picture (rows, columns) uint8 of a scan; one that cannot be read is a `ScanError`, and is tried again."""
        path, series = self.places.get(scan, ("", ""))
        card = self._file_of(path, series)
        picture = _kept(card)
        if picture is None:
            volume, pixel_mm = read_volume(self.root, path, series)
            picture = montage(volume, self.settings, pixel_mm)
            if card is not None:
                _keep(picture, card)
        if card is not None:
            self.used.add(card)
        return picture

    def forget_others(self) -> None:
        """Removes the pictures that were not asked for: of scans that are no longer in the sheet, or have changed."""
        if self.kept_in is not None and self.kept_in.is_dir():
            for card in set(self.kept_in.iterdir()) - self.used:
                if CARD.fullmatch(card.name):
                    card.unlink(missing_ok=True)

    def _file_of(self, path: str, series: str) -> Path | None:
        if self.kept_in is None:
            return None
        # Asked before its files are listed, so that nothing outside the root is.
        files = list(_files(place_of(self.root, path)))
        content = [VERSION, path, series, files, self.settings.model_dump(mode="json")]
        return self.kept_in / f"{_digest(json.dumps(content))}.npy"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()


def _files(place: Path) -> Iterator[tuple[str, int, int]]:
    """Name, bytes and time of change of a file, or of every file below a folder; nothing where there is none."""
    if place.is_dir():
        for above, folders, names in os.walk(place):
            folders.sort()
            for name in sorted(names):
                yield from _facts(Path(above, name), str(Path(above, name).relative_to(place)))
    else:
        yield from _facts(place, "")


def _facts(file: Path, name: str) -> Iterator[tuple[str, int, int]]:
    try:
        facts = file.stat()
    except OSError:
        return
    yield name, facts.st_size, facts.st_mtime_ns


def _kept(card: Path | None) -> np.ndarray | None:
    """The picture in a file, or none where it is absent or broken."""
    if card is None or not card.is_file():
        return None
    try:
        picture: np.ndarray = np.load(card, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return picture if picture.dtype == np.uint8 and picture.ndim == 2 else None


def _keep(picture: np.ndarray, card: Path) -> None:
    card.parent.mkdir(parents=True, exist_ok=True, mode=OWNER_ONLY_FOLDER)
    with atomic_path(card) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as file:
            np.save(file, picture, allow_pickle=False)

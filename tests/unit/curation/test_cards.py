"""Pictures of the review sheet are kept as long as their scans are as they were, and no longer."""

import os
from pathlib import Path

import numpy as np
import pytest

from brainuad.curation import cards
from brainuad.curation.cards import Cards
from brainuad.curation.selection_settings import ReviewSettings
from brainuad.errors import ScanError

SMALL = ReviewSettings(slices=2, slice_pixels=16, window=(0, 1))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the scans that have been read."""
    read: list[str] = []
    really = cards.read_volume

    def counted(root: Path, path: str, series: str = "") -> tuple[np.ndarray, tuple[float, float]]:
        read.append(path)
        return really(root, path, series)

    monkeypatch.setattr(cards, "read_volume", counted)
    return read


def kept(state: Path) -> list[Path]:
    """The files of pictures in a folder of state."""
    return sorted(state.glob("review-pictures-*/*"))


def write_scan(path: Path, seed: int = 0) -> None:
    np.save(path, np.random.default_rng(seed).random((8, 8, 8), np.float32))


def pictures(
    root: Path, settings: ReviewSettings = SMALL, series: str = "", forget: bool = False
) -> np.ndarray:
    """The picture of the scan in a.npy, by a sheet of its own."""
    sheet = Cards(root, {"s1": ("a.npy", series)}, settings, root / "state")
    picture = sheet.picture("s1")
    if forget:
        sheet.forget_others()
    return picture


def test_a_scan_that_has_not_changed_is_read_once(tmp_path: Path, reads: list[str]) -> None:
    write_scan(tmp_path / "a.npy")
    first, second = pictures(tmp_path), pictures(tmp_path)
    np.testing.assert_array_equal(first, second)
    assert (first.dtype, first.shape) == (np.uint8, (16, 32))
    assert reads == ["a.npy"]


def test_a_scan_that_has_changed_is_read_again(tmp_path: Path, reads: list[str]) -> None:
    write_scan(tmp_path / "a.npy")
    first = pictures(tmp_path)
    write_scan(tmp_path / "a.npy", seed=1)
    os.utime(tmp_path / "a.npy", ns=(1, 1))
    assert not np.array_equal(first, pictures(tmp_path))
    assert len(reads) == 2


def test_a_file_more_in_a_folder_is_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    volumes = iter([np.zeros((8, 8, 8)), np.ones((8, 8, 8))])
    monkeypatch.setattr(cards, "read_volume", lambda *_: (next(volumes), (1.0, 1.0)))
    (tmp_path / "s1" / "series").mkdir(parents=True)
    means = []
    for name in ("0.dcm", "1.dcm"):
        (tmp_path / "s1" / "series" / name).write_bytes(b"slice")
        for _ in range(2):
            sheet = Cards(tmp_path, {"s1": ("s1", "")}, SMALL, tmp_path / "state")
            means.append(int(sheet.picture("s1").mean()))
    assert means == [0, 0, 255, 255]


@pytest.mark.parametrize(
    "changed",
    [{"settings": SMALL.model_copy(update={"slices": 1})}, {"series": "3"}],
    ids=["settings", "series"],
)
def test_other_settings_or_another_series_are_another_picture(
    tmp_path: Path, reads: list[str], changed: dict[str, object]
) -> None:
    write_scan(tmp_path / "a.npy")
    pictures(tmp_path)
    pictures(tmp_path, **changed)  # type: ignore[arg-type]
    assert len(reads) == 2


def test_a_broken_picture_is_made_again(tmp_path: Path, reads: list[str]) -> None:
    write_scan(tmp_path / "a.npy")
    first = pictures(tmp_path)
    [card] = kept(tmp_path / "state")
    card.write_bytes(card.read_bytes()[:40])
    np.testing.assert_array_equal(pictures(tmp_path), first)
    np.testing.assert_array_equal(pictures(tmp_path), first)
    assert len(reads) == 2


def test_a_scan_that_cannot_be_read_is_tried_again(tmp_path: Path, reads: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(ScanError):
            pictures(tmp_path)
    assert len(reads) == 2
    assert not (tmp_path / "state").exists()


def test_pictures_are_for_their_owner_alone_and_their_names_say_nothing(tmp_path: Path) -> None:
    write_scan(tmp_path / "a.npy")
    pictures(tmp_path)
    [card] = kept(tmp_path / "state")
    assert card.parent.stat().st_mode & 0o777 == 0o700
    assert card.stat().st_mode & 0o777 == 0o600
    assert "a.npy" not in card.name


def test_pictures_that_no_sheet_shows_are_removed(tmp_path: Path) -> None:
    write_scan(tmp_path / "a.npy")
    pictures(tmp_path)
    pictures(tmp_path, SMALL.model_copy(update={"slices": 1}), forget=True)
    assert len(kept(tmp_path / "state")) == 1


def test_scans_in_the_folder_of_pictures_stay(tmp_path: Path) -> None:
    for name in ("a.npy", "b.npy", f"{'0' * 32}.npy"):
        write_scan(tmp_path / name)
    for settings in (SMALL, SMALL.model_copy(update={"slices": 1})):
        sheet = Cards(tmp_path, {"s1": ("a.npy", "")}, settings, tmp_path)
        sheet.picture("s1")
        sheet.forget_others()
    assert sorted(path.name for path in tmp_path.glob("*.npy")) == [f"{'0' * 32}.npy", "a.npy", "b.npy"]
    [card] = kept(tmp_path)
    write_scan(card.parent / "mine.npy")
    sheet.forget_others()
    assert kept(tmp_path) == [card, card.parent / "mine.npy"]


def test_data_sets_that_share_a_folder_keep_their_own_pictures(tmp_path: Path, reads: list[str]) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_scan(tmp_path / name / "a.npy", seed=len(name))
    for name in ("one", "two", "one", "two"):
        sheet = Cards(tmp_path / name, {"s1": ("a.npy", "")}, SMALL, tmp_path / "state")
        sheet.picture("s1")
        sheet.forget_others()
    assert len(reads) == 2
    assert len(kept(tmp_path / "state")) == 2


@pytest.mark.parametrize("path", ["/", "..", "../..", "link", ""])
def test_nothing_outside_the_root_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    monkeypatch.setattr(cards, "_files", lambda place: pytest.fail(f"{place} was listed"))
    with pytest.raises(ScanError, match="no path below the root"):
        Cards(root, {"s1": (path, "")}, SMALL, tmp_path / "state").picture("s1")


def test_without_a_folder_nothing_is_kept(tmp_path: Path, reads: list[str]) -> None:
    write_scan(tmp_path / "a.npy")
    sheet = Cards(tmp_path, {"s1": ("a.npy", "")}, SMALL)
    np.testing.assert_array_equal(sheet.picture("s1"), sheet.picture("s1"))
    sheet.forget_others()
    assert len(reads) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]

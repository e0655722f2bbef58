"""Files of a series that are damaged are counted and placed, never dropped without a word, and never named."""

from pathlib import Path

import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import RLELossless

from brainuad.errors import ScanError
from brainuad.preprocessing.dicom_headers import read_headers
from brainuad.preprocessing.dicom_series import choose_series
from brainuad.preprocessing.dicom_volume import read_dicom
from tests.unit.preprocessing.dicom_files import change, table_positions, write_series

CLOSE_MM = [5.0] * 29
STRUCTURED_REPORT = "1.2.840.10008.5.1.4.1.1.88.67"


def export(folder: Path) -> Path:
    """A series of 30 slices whose files are called as by a viewer, IM0000 to IM0029."""
    write_series(folder, table_positions(CLOSE_MM))
    for path in sorted(folder.iterdir()):
        path.rename(folder / f"IM0{path.stem}")
    return folder


def cut(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])


def header_bytes(path: Path) -> int:
    """How many bytes of a file lie before its pixels."""
    return path.stat().st_size - len(pydicom.dcmread(path).PixelData)


def test_empty_files_at_an_end_and_a_header_cut_within_are_said(tmp_path: Path) -> None:
    folder = export(tmp_path)
    for number in (27, 28, 29):
        cut(folder / f"IM0{number:03d}", 0)
    cut(folder / "IM0010", 600)
    scan = read_dicom(folder, "ct")
    assert scan.image.GetSize()[2] == 27
    assert [note for note in scan.notes if "damaged" in note] == [
        "ct: 4 files are damaged and left out: slices may be missing, also at the top or bottom"
    ]
    assert "ct: 1 missing slices filled in between their neighbours" in scan.notes


def test_one_damaged_file_is_one(tmp_path: Path) -> None:
    folder = export(tmp_path)
    cut(folder / "IM0029", 60)
    assert any("ct: 1 file is damaged and left out" in note for note in read_dicom(folder, "ct").notes)


def test_what_never_was_an_image_is_no_damage(tmp_path: Path) -> None:
    folder = export(tmp_path)
    plain = read_dicom(folder, "ct").notes
    for name in ("Thumbs.db", "DICOMDIR", "notes.txt", ".DS_Store", "README", "VERSION"):
        (folder / name).write_bytes(b"\xd0\xcf\x11\xe0 no image")
    (folder / "empty.txt").touch()
    (folder / "IM0030").write_bytes((folder / "IM0000").read_bytes())
    dataset = pydicom.dcmread(folder / "IM0030", stop_before_pixels=True)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = STRUCTURED_REPORT
    del dataset.Rows, dataset.Columns
    dataset.save_as(folder / "IM0030")
    assert read_dicom(folder, "ct").notes == plain
    assert read_headers(folder, "ct")[1:] == (0, 6)


def test_a_gap_of_damaged_files_that_is_too_wide_excludes_the_scan_and_says_so(tmp_path: Path) -> None:
    folder = export(tmp_path)
    for number in (9, 10):
        cut(folder / f"IM0{number:03d}", 0)
    with pytest.raises(ScanError, match=r"a gap of 15\.0 mm .*; 2 files are damaged$"):
        read_dicom(folder, "ct")


def test_too_few_slices_are_left_and_the_damaged_ones_are_counted(tmp_path: Path) -> None:
    folder = export(tmp_path)
    for number in range(10, 30):
        cut(folder / f"IM0{number:03d}", 400)
    with pytest.raises(ScanError, match=r"fewer than 12 slices; 20 files are damaged$"):
        choose_series(folder, "ct")


def test_a_folder_of_damaged_files_alone_counts_them(tmp_path: Path) -> None:
    folder = export(tmp_path)
    for path in folder.iterdir():
        cut(path, 400)
    with pytest.raises(
        ScanError, match=r"no DICOM image in the folder \(30 files are damaged, 0 other files\)"
    ):
        choose_series(folder, "ct")


def test_a_header_cut_at_any_byte_is_damage_and_no_crash(tmp_path: Path) -> None:
    path = write_series(tmp_path, table_positions([])) / "000.dcm"
    whole, end = path.read_bytes(), header_bytes(path)
    pixels_known = pydicom.dcmread(path, stop_before_pixels=True).Columns
    for length in range(end):
        path.write_bytes(whole[:length])
        headers, damaged, others = read_headers(tmp_path, "ct")
        assert (len(headers) + damaged, others) == (1, 0), length
        assert all(header.shape[1] == pixels_known for header in headers)


def test_slices_with_damaged_pixels_are_counted_and_placed_but_not_named(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "Meier")
    for number in (4, 9):
        path = folder / f"{number:03d}.dcm"
        change(path, InstanceNumber=100 + number)
        cut(path, path.stat().st_size - 500)
    reason = (
        r"^ct: 2 of 14 DICOM files of the series are damaged or not complete; counted from below, slice "
        r"5 \(InstanceNumber 104\), 10 \(InstanceNumber 109\)$"
    )
    with pytest.raises(ScanError, match=reason):
        read_dicom(folder, "ct")


def test_many_damaged_slices_are_not_all_listed(tmp_path: Path) -> None:
    for path in write_series(tmp_path).iterdir():
        cut(path, path.stat().st_size - 500)
    with pytest.raises(ScanError, match=r"14 of 14 DICOM files .* 5 \(InstanceNumber \?\), …$"):
        read_dicom(tmp_path, "ct")


def test_one_compressed_slice_that_is_damaged_does_not_want_a_decoder(tmp_path: Path) -> None:
    for path in sorted(write_series(tmp_path).iterdir()):
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless, generate_instance_uid=False)
        if path.stem == "006":
            (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
            dataset.PixelData = encapsulate([frame[:80]])
        dataset.save_as(path)
    with pytest.raises(ScanError, match=r"1 of 14 DICOM files of the series are damaged .* slice 7 "):
        read_dicom(tmp_path, "ct")


def test_slices_that_lie_metres_apart_are_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    write_series(tmp_path, PixelSpacing=[50.0, 55.0])
    with pytest.raises(
        ScanError, match=r"ct: the image measures 1980 x 2000 x 112 mm with voxels of 55 x 50 x 8 mm"
    ):
        read_dicom(tmp_path, "ct")

"""Scans keep their place in the world on the way from file to image and back."""

import builtins
import errno
import gzip
import io
import struct
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.faults import refuse_fault
from brainuad.preprocessing.scan import (
    affine_of,
    array_from_image,
    has_orientation,
    image_from_array,
    positive_labels,
    read_mask,
    read_scan,
    same_grid,
    write_image,
)

OBLIQUE = nibabel.affines.from_matvec(
    nibabel.eulerangles.euler2mat(0.2, -0.1, 0.3) @ np.diag([-0.9, 1.1, 2.5]), [30, -40, 12]
)


def voxels(shape: tuple[int, ...] = (9, 10, 11)) -> np.ndarray:
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def saved(path: Path, array: np.ndarray, affine: np.ndarray = OBLIQUE) -> Path:
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    return path


def test_a_scan_has_the_same_world_coordinates_as_in_itk(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii.gz", voxels())
    ours, theirs = read_scan(path, "t1"), sitk.ReadImage(str(path))
    assert same_grid(ours, theirs, tolerance_mm=1e-3)
    np.testing.assert_allclose(array_from_image(ours), voxels())


def test_a_written_image_reads_back_with_its_affine(tmp_path: Path) -> None:
    write_image(image_from_array(voxels(), OBLIQUE), tmp_path / "b.nii.gz")
    image = nibabel.load(tmp_path / "b.nii.gz")
    np.testing.assert_allclose(image.affine, OBLIQUE, atol=1e-4)
    np.testing.assert_array_equal(np.asarray(image.dataobj), voxels())


def test_affine_of_an_image_is_the_one_that_made_it() -> None:
    np.testing.assert_allclose(affine_of(image_from_array(voxels(), OBLIQUE)), OBLIQUE, atol=1e-12)


def test_directions_rounded_in_the_header_are_made_orthonormal() -> None:
    rounded = OBLIQUE.copy()
    rounded[:3, :3] += 1e-3 * np.random.default_rng(1).standard_normal((3, 3))
    direction = np.array(image_from_array(voxels(), rounded).GetDirection()).reshape(3, 3)
    np.testing.assert_allclose(direction @ direction.T, np.eye(3), atol=1e-9)


def test_a_sheared_grid_is_refused() -> None:
    sheared = np.diag([1.0, 1.0, 4.0, 1.0])
    sheared[1, 2] = 1.3  # gantry tilt of 18 degrees
    with pytest.raises(ScanError, match="right angles"):
        image_from_array(voxels(), sheared)


def test_a_mask_of_negative_values_is_refused(tmp_path: Path) -> None:
    labels = np.zeros((9, 9, 9), np.int16)
    labels[4] = -1
    with pytest.raises(ScanError, match="mask: no voxel is positive"):
        read_mask(saved(tmp_path / "m.nii.gz", labels), "mask")


def test_a_head_of_metres_is_refused_with_its_size(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii.gz", voxels((64, 60, 9)), np.diag([15.6, 15.6, 5.0, 1.0]))
    assert read_scan(path, "ct").GetSize() == (64, 60, 9)
    path = saved(tmp_path / "b.nii.gz", voxels((65, 60, 9)), np.diag([15.6, 15.6, 5.0, 1.0]))
    reason = (
        "ct: the image measures 1014 x 936 x 45 mm with voxels of 15.6 x 15.6 x 5 mm, at most 1000 mm a side; is the "
        r"voxel size in the header wrong\?$"
    )
    with pytest.raises(ScanError, match=reason):
        read_scan(path, "ct")


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("IM0001.dcm", bytes(128) + b"DICM" + bytes(99), "one slice of DICOM: name the folder of its series"),
        ("s1.zip", b"PK\x03\x04" + bytes(99), "a ZIP archive: unpack it"),
        ("s1.7z", b"7z\xbc\xaf\x27\x1c" + bytes(99), "a 7z archive: unpack it"),
        ("s1.tar", bytes(257) + b"ustar" + bytes(250), "a tar archive: unpack it"),
        ("s1.tar.gz", gzip.compress(bytes(257) + b"ustar" + bytes(250), mtime=0), "a tar archive: unpack it"),
        ("s1.nrrd", b"NRRD0004\n" + bytes(99), "NRRD: convert it to NIfTI"),
        ("s1.nii", gzip.compress(bytes(999), mtime=0), "compressed by gzip: if it is NIfTI, call it .nii.gz"),
    ],
    ids=["dicom", "zip", "7z", "tar", "tar.gz", "nrrd", "gzip"],
)
def test_a_file_of_another_format_is_refused_with_what_to_do(
    tmp_path: Path, name: str, content: bytes, advice: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ScanError, match=f"^ct: the file is {advice}"):
        read_scan(tmp_path / name, "ct")


def test_a_folder_that_is_called_like_a_mask_is_a_defect_of_the_scan(tmp_path: Path) -> None:
    (tmp_path / "s1_seg.nii.gz").mkdir()
    with pytest.raises(ScanError, match=r"^mask: "):
        read_mask(tmp_path / "s1_seg.nii.gz", "mask")


def test_voxels_of_kilometres_are_refused() -> None:
    with pytest.raises(ScanError, match="implausible"):
        image_from_array(voxels(), np.diag([1e6, 1.0, 1.0, 1.0]))


@pytest.mark.parametrize("affine", [np.zeros((4, 4)), np.full((4, 4), np.nan)])
def test_a_header_without_voxel_size_is_refused(affine: np.ndarray) -> None:
    with pytest.raises(ScanError, match="no voxel size"):
        image_from_array(voxels(), affine)


def test_every_positive_label_is_lesion(tmp_path: Path) -> None:
    labels = np.zeros((9, 9, 9), np.uint8)
    labels[0, 0, :4] = [0, 1, 2, 4]
    mask = array_from_image(read_mask(saved(tmp_path / "m.nii.gz", labels), "mask"))
    assert mask[0, 0, :4].tolist() == [0, 1, 1, 1]
    assert mask.sum() == 3


def test_grids_of_equal_shape_at_another_place_differ() -> None:
    moved = OBLIQUE.copy()
    moved[0, 3] += 0.5
    assert not same_grid(image_from_array(voxels(), OBLIQUE), image_from_array(voxels(), moved))


def test_a_header_without_codes_has_no_orientation(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(voxels(), None)
    nibabel.save(image, tmp_path / "n.nii.gz")
    assert not has_orientation(tmp_path / "n.nii.gz")
    assert has_orientation(saved(tmp_path / "o.nii.gz", voxels()))


def test_labels_are_the_positive_values(tmp_path: Path) -> None:
    labels = np.zeros((9, 9, 9), np.int16)
    labels[0, 0, :4] = [4, -1, 2, 2]
    assert positive_labels(saved(tmp_path / "m.nii.gz", labels), "mask").tolist() == [2, 4]


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii"])
@pytest.mark.parametrize("number", [errno.EACCES, errno.ESTALE, errno.EIO])
def test_a_fault_of_the_disk_is_no_defect_of_the_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    path = saved(tmp_path / name, voxels())

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, "no luck", str(path))

    monkeypatch.setattr(builtins, "open", fail)
    monkeypatch.setattr(io, "open", fail)
    with pytest.raises(InputError, match=r"cannot be read now \(no luck\)") as caught:
        read_scan(path, "t1")
    assert not isinstance(caught.value, ScanError)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file that gives an error of the disk")
@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii", "a.mgz"])
def test_an_error_of_the_disk_on_reading_is_no_defect_of_the_scan(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/proc/self/mem")
    with pytest.raises(InputError, match=r"cannot be read now \(Input/output error\)") as caught:
        read_scan(tmp_path / name, "t1")
    assert not isinstance(caught.value, ScanError)


@pytest.mark.parametrize("number", [errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG])
def test_a_path_that_leads_to_no_file_is_a_defect_of_the_scan(tmp_path: Path, number: int) -> None:
    refuse_fault(OSError(number, "no file"), tmp_path)
    with pytest.raises(InputError):
        refuse_fault(OSError(errno.EACCES, "Permission denied"), tmp_path)


def test_too_little_memory_is_no_defect_of_the_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.nii.gz", voxels())

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("nibabel.arrayproxy.array_from_file", fail)
    with pytest.raises(InputError, match="not enough memory") as caught:
        read_scan(path, "t1")
    assert not isinstance(caught.value, ScanError)


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii"])
def test_a_header_that_asks_for_more_than_the_file_holds_costs_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    content = bytearray(saved(tmp_path / "b.nii", voxels()).read_bytes())
    content[40:48] = struct.pack("<4h", 3, 900, 900, 900)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    monkeypatch.setattr(
        "nibabel.arrayproxy.array_from_file", lambda *_, **__: pytest.fail("asked for memory")
    )
    with pytest.raises(ScanError, match="truncated"):
        read_scan(tmp_path / name, "t1")

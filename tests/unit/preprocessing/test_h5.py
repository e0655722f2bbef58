"""HDF5 files of fastMRI: orientation, voxel size, and what is wrong with a file."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.scan import array_from_image, has_orientation, read_scan

SHAPE = (10, 12, 14)  # slices, rows, columns
HEADER = """<?xml version="1.0"?><ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><encoding><reconSpace>
<matrixSize><x>{rows}</x><y>320</y><z>1</z></matrixSize>
<fieldOfView_mm><x>{field}</x><y>160.0</y><z>7.5</z></fieldOfView_mm>
</reconSpace></encoding></ismrmrdHeader>"""


def write(path, image=None, header=None, key="reconstruction_rss"):
    with h5py.File(path, "w") as file:
        file[key] = np.random.default_rng(0).random(SHAPE, dtype=np.float32) if image is None else image
        if header is not None:
            file["ismrmrd_header"] = header
    return path


def reason(path):
    with pytest.raises(ScanError) as caught:
        read_scan(path, "t1")
    return str(caught.value)


def test_rows_are_turned_so_that_the_picture_is_upright(tmp_path):
    stored = np.random.default_rng(1).random(SHAPE, dtype=np.float32)
    image = read_scan(write(tmp_path / "a.h5", stored), "t1")
    expected = np.empty((14, 12, 10), dtype=np.float32)
    for z, y, x in np.ndindex(10, 12, 14):
        expected[x, y, z] = stored[z, 11 - y, x]
    np.testing.assert_array_equal(array_from_image(image), expected)


def test_axes_lead_to_the_left_the_back_and_up(tmp_path):
    image = read_scan(write(tmp_path / "a.h5"), "t1")
    np.testing.assert_allclose(image.GetDirection(), np.eye(3).ravel(), atol=1e-12)
    assert has_orientation(tmp_path / "a.h5")


@pytest.mark.parametrize("encode", [str, lambda text: np.bytes_(text.encode())])
def test_the_header_gives_the_voxel_size(tmp_path, encode):
    image = read_scan(write(tmp_path / "a.h5", header=encode(HEADER.format(rows=320, field=220.0))), "t1")
    assert image.GetSpacing() == pytest.approx((0.5, 0.6875, 7.5))


def test_without_a_header_the_voxel_size_is_the_usual_one(tmp_path):
    assert read_scan(write(tmp_path / "a.h5"), "t1").GetSpacing() == pytest.approx((0.6875, 0.6875, 5.0))


@pytest.mark.parametrize(
    "header",
    [
        "<ismrmrdHeader",
        "<ismrmrdHeader></ismrmrdHeader>",
        HEADER.format(rows=0, field=220.0),
        HEADER.format(rows=320, field="nan"),
        HEADER.format(rows=320, field="wide"),
        HEADER.format(rows=320, field="1e9"),
    ],
)
def test_a_header_without_a_voxel_size_is_named(tmp_path, header):
    assert reason(write(tmp_path / "a.h5", header=header)) == "t1: 'ismrmrd_header' gives no voxel size"


def test_a_truncated_file_is_named(tmp_path):
    path = write(tmp_path / "a.h5")
    path.write_bytes(path.read_bytes()[:-500])
    assert reason(path) == "t1: the file cannot be read (truncated, or not HDF5)"


def test_a_file_of_another_kind_is_named(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"no scan")
    assert reason(tmp_path / "a.h5") == "t1: the file cannot be read (truncated, or not HDF5)"


def test_a_missing_file_is_named(tmp_path):
    assert reason(tmp_path / "a.h5") == "t1: the file is missing"


def test_a_file_without_a_reconstruction_is_named(tmp_path):
    assert "no 'reconstruction_rss'" in reason(write(tmp_path / "a.h5", key="kspace"))


def test_values_that_are_not_finite_are_counted(tmp_path):
    image = np.ones(SHAPE, dtype=np.float32)
    image[0, 0, :2] = (np.nan, np.inf)
    assert reason(write(tmp_path / "a.h5", image)) == "t1: 2 voxels are not finite"


def test_a_wrong_number_of_dimensions_is_named(tmp_path):
    path = write(tmp_path / "a.h5", np.ones((4, *SHAPE), dtype=np.float32))
    assert reason(path) == "t1: 'reconstruction_rss' is 4-D (shape 4 x 10 x 12 x 14), expected 3-D"


def test_complex_values_are_refused(tmp_path):
    assert "complex64" in reason(write(tmp_path / "a.h5", np.ones(SHAPE, dtype=np.complex64)))


def test_too_few_slices_are_named(tmp_path):
    image = np.random.default_rng(0).random((3, 12, 14))
    assert "too few slices" in reason(write(tmp_path / "a.h5", image))


@pytest.mark.parametrize(("where", "name"), [(h5py, "File"), (Path, "is_file")])
def test_a_fault_of_the_disk_is_no_defect_of_the_scan(tmp_path, monkeypatch, where, name):
    path = write(tmp_path / "a.h5")

    def fail(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(where, name, fail)
    with pytest.raises(InputError, match="cannot be read now") as caught:
        read_scan(path, "t1")
    assert not isinstance(caught.value, ScanError)

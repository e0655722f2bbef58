"""A simulated scan as files: folders of DICOM series as scanners and archives write them, or NIfTI."""

import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from scipy import ndimage

from brainuad.phantom.ct.protocol import Protocol
from brainuad.phantom.ct.scan import CtScan, Slices
from brainuad.storage import atomic_path

INTERCEPT = -1024
LARGEST_STORED = 4095
MISSING = 2  # neighbouring slices that an incomplete export lacks
BONE_GAIN, BONE_BLUR_MM, BONE_NOISE = 1.6, 1.2, 2.2
BRAIN_WINDOW, BONE_WINDOW = (40, 80), (600, 2800)
WATER_PER_CM = 0.19


@dataclass(frozen=True)
class Identity:
    """Whose study it is and when; what nobody knows is empty.

    `age` is written as 072Y, `date` as 20160312; `stamp` says that the scan is simulated.
    """

    name: str
    patient: str
    sex: str
    age: str
    date: str
    stamp: str


@dataclass(frozen=True)
class Series:
    """One series of a study. `folder` is where its files lie below the study's folder."""

    number: int
    description: str
    folder: str
    kernel: str
    slices: Slices
    window: tuple[int, int] = BRAIN_WINDOW
    kind: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "AXIAL")


def write_dicom(folder: Path, series: list[Series], protocol: Protocol, identity: Identity) -> None:
    """Writes the series of a study below a folder, in place of an earlier version of it."""
    with atomic_folder(folder) as temporary:
        for each in series:
            where = temporary / each.folder
            where.mkdir(parents=True, exist_ok=True)
            for number, dataset in enumerate(_datasets(each, protocol, identity)):
                dataset.save_as(where / f"CT{each.number:03d}{number:03d}.dcm", enforce_file_format=True)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder` that takes its place on success."""
    folder = Path(folder)
    temporary = folder.with_name(f".{secrets.token_hex(6)}.{folder.name}")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        shutil.rmtree(folder, ignore_errors=True)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_nifti(values: np.ndarray, affine: np.ndarray, path: Path, stamp: str) -> None:
    """Writes a volume of integers (x, y, z)."""
    image = nib.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = stamp
    with atomic_path(path) as temporary:
        nib.save(image, temporary)


def nifti_volume(scan: CtScan) -> tuple[np.ndarray, np.ndarray]:
    """The slices of an even, upright scan as (x, y, z) int16, and the affine (RAS+)."""
    slices = scan.slices
    affine = np.eye(4)
    step = (slices.positions[1] - slices.positions[0])[:, None]
    affine[:3, :3] = np.hstack([slices.planes.pixel_mm * slices.planes.axes[:2].T, step])
    affine[:3, 3] = slices.positions[0]
    values = np.clip(np.rint(slices.values), INTERCEPT, LARGEST_STORED + INTERCEPT).astype(np.int16)
    return values, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def all_series(
    scan: CtScan, protocol: Protocol, folders: Mapping[str, str], rng: np.random.Generator
) -> list[Series]:
    """The series of a study: localiser, plain head, thin slices, bone kernel; `folders` may have a name for each."""
    maker, slices = protocol.maker, scan.slices
    if protocol.missing_slices:
        slices = _incomplete(slices, rng)
    series = [Series(2, "HEAD ROUTINE", folders.get("plain", ""), maker.kernel, slices)]
    if protocol.localiser:
        kind = ("ORIGINAL", "PRIMARY", "LOCALIZER")
        series.append(
            Series(
                1, "SCOUT", folders.get("localiser", ""), maker.kernel, _localiser(slices), (50, 400), kind
            )
        )
    if scan.thin is not None:
        series.append(Series(3, "HEAD THIN", folders.get("thin", ""), maker.kernel, scan.thin))
    if protocol.bone_series:
        bone = _bone_kernel(slices, rng)
        series.append(Series(4, "HEAD BONE", folders.get("bone", ""), maker.bone_kernel, bone, BONE_WINDOW))
    return series


def _incomplete(slices: Slices, rng: np.random.Generator) -> Slices:
    count = len(slices.places)
    first = int(rng.integers(count // 4, count // 2))
    kept = np.r_[0:first, first + MISSING : count]
    return replace(
        slices, values=slices.values[..., kept], places=slices.places[kept], thick_mm=slices.thick_mm[kept]
    )


def _bone_kernel(slices: Slices, rng: np.random.Generator) -> Slices:
    """The slices with sharper edges and more noise."""
    sigma = BONE_BLUR_MM / slices.planes.pixel_mm
    smooth = ndimage.gaussian_filter(slices.values, (sigma, sigma, 0), truncate=3)
    noise = rng.standard_normal(slices.values.shape, dtype=np.float32)
    sharp = smooth + BONE_GAIN * (slices.values - smooth) + np.float32(8 * BONE_NOISE) * noise
    return replace(slices, values=sharp)


def _localiser(slices: Slices) -> Slices:
    """A side view: one image whose rows run from the top down."""
    depth_cm = slices.planes.pixel_mm / 10
    water = np.clip(slices.values / 1000 + 1, 0, None).sum(axis=0) * depth_cm * WATER_PER_CM
    view = ndimage.zoom(np.asarray(water[:, ::-1], dtype=np.float32), (1, 4), order=1)
    axes = np.array([[0.0, 1, 0], [0, 0, -1], [-1, 0, 0]])
    planes = replace(
        slices.planes, axes=axes, origin=np.array([0.0, slices.planes.origin[1], slices.positions[-1][2]])
    )
    return Slices((120 * view)[..., None], planes, np.zeros(1), np.ones(1, dtype=np.float32))


def _datasets(series: Series, protocol: Protocol, identity: Identity) -> Iterator[pydicom.Dataset]:
    slices, maker = series.slices, protocol.maker
    study = generate_uid(entropy_srcs=[identity.stamp, identity.name])
    own = generate_uid(entropy_srcs=[identity.stamp, identity.name, str(series.number)])
    for number, position in enumerate(slices.positions):
        stored = np.rint(slices.values[..., number].T) - INTERCEPT
        stored = np.clip(stored, 0, LARGEST_STORED)
        if maker.padding_hu is not None and "AXIAL" in series.kind:
            stored = np.where(_beyond(stored.shape[0]), maker.padding_hu - INTERCEPT, stored)
        dataset = _image(stored.astype(np.int16), slices.planes.pixel_mm, position, slices.planes.axes)
        dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[own, str(number)])
        dataset.update(_words(series, protocol, identity))
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, own
        dataset.InstanceNumber, dataset.SliceThickness = number + 1, f"{slices.thick_mm[number]:.4g}"
        yield dataset


def _words(series: Series, protocol: Protocol, identity: Identity) -> pydicom.Dataset:
    """What a header says about patient, scanner and series."""
    words: dict[str, Any] = {
        **{"SOPClassUID": CTImageStorage, "Modality": "CT", "ImageType": list(series.kind)},
        **{"PatientID": identity.patient, "PatientName": "", "PatientSex": identity.sex},
        **{"PatientAge": identity.age, "StudyDate": identity.date, "ImageComments": identity.stamp},
        **{"Manufacturer": protocol.maker.manufacturer, "ManufacturerModelName": protocol.maker.model},
        **{"SeriesNumber": series.number, "SeriesDescription": series.description},
        **{"BodyPartExamined": "HEAD", "ConvolutionKernel": series.kernel, "KVP": 120},
        **{"WindowCenter": series.window[0], "WindowWidth": series.window[1]},
    }
    if not protocol.tag_lost:
        words["GantryDetectorTilt"] = protocol.tilt_deg
    if protocol.monochrome1:
        words["PhotometricInterpretation"] = "MONOCHROME1"
    dataset = pydicom.Dataset()
    for keyword, value in words.items():
        setattr(dataset, keyword, value)
    return dataset


def _image(stored: np.ndarray, pixel_mm: float, position: np.ndarray, axes: np.ndarray) -> pydicom.Dataset:
    """The pixels (down, across) of a slice and where they lie."""
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, INTERCEPT
    dataset.PixelSpacing = [f"{pixel_mm:.6f}"] * 2
    dataset.ImagePositionPatient = [f"{value:.6f}" for value in position]
    dataset.ImageOrientationPatient = [f"{value:.8f}" for value in axes[:2].ravel()]
    dataset.PixelData = np.ascontiguousarray(stored).tobytes()
    return dataset


def _beyond(size: int) -> np.ndarray:
    """The corners of a picture (size, size) beyond the round field of view."""
    x, y = np.ogrid[:size, :size]
    return np.asarray(np.hypot(x - (size - 1) / 2, y - (size - 1) / 2) > size / 2)

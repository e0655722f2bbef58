"""Small pictures of scans for the review sheet: a few axial slices side by side, as a radiologist looks at them."""

import base64
import io
import textwrap
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from PIL import Image, ImageDraw

from brainuad.curation.selection_settings import ReviewSettings
from brainuad.datasets.base import relative_path
from brainuad.errors import ScanError
from brainuad.preprocessing.faults import read_first_byte, refuse_fault
from brainuad.preprocessing.scan import read_scan

COLUMNS = 4
# A slice of which less than this share is brighter than black shows no head.
HEAD_SHARE = 0.05
PERCENTILES = (0.5, 99.5)
CARD_GREY, INK = 96, 255
MARGIN, LETTER_PIXELS = 8, 7


def place_of(root: Path, path: str) -> Path:
    """Where the scan `path` lies; one that is not below `root` is a `ScanError`."""
    try:
        return (root / relative_path(root, path)).resolve()
    except ScanError:
        raise ScanError("the scan has no path below the root of the scans.") from None


def read_volume(root: Path, path: str, series: str = "") -> tuple[np.ndarray, tuple[float, float]]:
    """A scan as an array (x, y, z), to the right, front and top, and the size of its pixels in a slice in mm.

    `path` below `root` is a NIfTI file or a folder with DICOM files, which are read as preprocessing reads them, or a
    NumPy file of such an array; `series` is the number or UID of one to take in a folder. A fault of the machine is an
    `InputError` other than a `ScanError`.
    """
    place = place_of(root, path)
    try:
        if not place.is_dir():
            read_first_byte(place)
        if place.suffix == ".npy":
            return np.load(place, allow_pickle=False), (1.0, 1.0)
        sitk.ProcessObject.SetGlobalWarningDisplay(False)
        image = sitk.DICOMOrient(read_scan(place, "CT", series), "RAS")
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        refuse_fault(error, place)
        # What these libraries say would repeat the path, which can hold identifiers.
        raise ScanError("the image cannot be read.") from None
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0), (image.GetSpacing()[0], image.GetSpacing()[1])


def montage(
    volume: np.ndarray, settings: ReviewSettings, pixel_mm: tuple[float, float] = (1.0, 1.0)
) -> np.ndarray:
    """A grey picture (rows, columns) uint8 of axial slices from bottom to top; the patient's right is on the left."""
    if volume.ndim != 3 or not volume.size:
        raise ScanError(f"the image has {volume.ndim} axes, expected three of at least one voxel.")
    volume = np.nan_to_num(np.asarray(volume, np.float32))
    black, white = settings.window or np.percentile(volume, PERCENTILES)
    grey = np.clip((volume - black) / max(white - black, 1e-6), 0, 1)
    heads = np.flatnonzero((grey > 0).mean(axis=(0, 1)) > HEAD_SHARE)
    heights = heads if len(heads) else np.arange(volume.shape[2])
    # The middle of as many equal parts of the head as there are slices.
    shares = (np.arange(settings.slices) + 0.5) / settings.slices
    tiles = [
        _tile(grey[::-1, ::-1, heights[int(share * len(heights))]].T, pixel_mm, settings) for share in shares
    ]
    columns = min(COLUMNS, len(tiles))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    return np.concatenate(
        [np.concatenate(tiles[row : row + columns], axis=1) for row in range(0, len(tiles), columns)]
    )


def reason_card(reason: str, settings: ReviewSettings) -> np.ndarray:
    """A grey picture (rows, columns) uint8 as large as a montage that says why there is none."""
    columns = min(COLUMNS, settings.slices)
    width, height = (count * settings.slice_pixels for count in (columns, -(-settings.slices // columns)))
    card = Image.new("L", (width, height), CARD_GREY)
    lines = textwrap.wrap(reason, max((width - 2 * MARGIN) // LETTER_PIXELS, 1))
    ImageDraw.Draw(card).multiline_text((MARGIN, MARGIN), "\n".join(lines), fill=INK)
    return np.asarray(card)


def shows_image(picture: np.ndarray) -> bool:
    """Whether a picture is that of an image: neither of one value alone nor a grey card with a reason."""
    return bool(picture.min() != picture.max()) and not bool((picture[:MARGIN] == CARD_GREY).all())


def png_uri(picture: np.ndarray) -> str:
    """A picture (rows, columns) as a PNG in a data URI; values that are not uint8 lie in [0, 1]."""
    if picture.dtype != np.uint8:
        picture = (np.clip(np.nan_to_num(picture), 0, 1) * 255).round().astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _tile(plane: np.ndarray, pixel_mm: tuple[float, float], settings: ReviewSettings) -> np.ndarray:
    """A slice (rows, columns) in [0, 1], made as large as fits into a square of black."""
    size = np.array(plane.shape) * pixel_mm[::-1]
    rows, columns = np.maximum((size / size.max() * settings.slice_pixels).round().astype(int), 1)
    scaled = Image.fromarray((plane * 255).astype(np.uint8)).resize((columns, rows), Image.Resampling.LANCZOS)
    tile = np.zeros((settings.slice_pixels, settings.slice_pixels), np.uint8)
    top, left = (settings.slice_pixels - rows) // 2, (settings.slice_pixels - columns) // 2
    tile[top : top + rows, left : left + columns] = np.asarray(scaled)
    return tile

"""One subject from raw scans to derivatives on the SRI24 grid, with the numbers that tell whether to trust it.

A scan that cannot be used never stops the cohort: the subject's `quality.json` says `excluded` and why.
"""

import logging
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from brainuad.errors import ScanError
from brainuad.preprocessing.bias import correct_bias
from brainuad.preprocessing.derivatives import (
    brain_mask_path,
    derivative_path,
    lesion_mask_path,
    quality_path,
    strip_path,
    subject_folder,
    transform_path,
)
from brainuad.preprocessing.geometry import (
    bounding_box,
    cut,
    dice,
    itk_threads,
    masked,
    resample,
    resample_mask,
    share_inside,
    volume_ml,
    voxel_count,
)
from brainuad.preprocessing.measures import check_coverage, check_overlap, coverage, signal_to_noise
from brainuad.preprocessing.mosaic import draw_strip
from brainuad.preprocessing.placement import Atlas, Placement, place
from brainuad.preprocessing.provenance import (
    common_sidecar,
    describe_derivatives,
    write_transform,
    write_with_sidecar,
)
from brainuad.preprocessing.quality import QUALITY_NUMBERS
from brainuad.preprocessing.raw_subject import RawSubject, read_subject
from brainuad.preprocessing.settings import PreprocessingSettings
from brainuad.storage import write_json

logger = logging.getLogger(__name__)


def preprocess_subject(
    row: Mapping[str, str],
    root: Path,
    settings: PreprocessingSettings,
    atlas_folder: Path,
    output: Path,
    *,
    threads: int = 1,
) -> dict[str, Any]:
    """The content of the subject's `quality.json`, after writing its derivatives under `output`.

    `row` is a row of the cohort table of the data set in `root`, `output` the derivatives folder of the data
    set. A defect of the scans gives status `excluded` and a reason; only a missing engine or atlas raises.
    """
    started = time.monotonic()
    subject = row["subject"]
    atlas = Atlas.read(atlas_folder)
    _clear(output, subject)
    quality: dict[str, Any] = {"subject": subject, "status": "ok", "reason": "", "note": ""}
    quality |= dict.fromkeys(QUALITY_NUMBERS) | {"skull_strip": settings.skull_strip}
    with itk_threads(threads):
        try:
            quality |= _derive(row, root, settings, atlas, output, threads)
        except ScanError as error:
            _clear(output, subject)
            quality |= {"status": "excluded", "reason": str(error)}
            logger.warning("%s: excluded: %s", subject, error)
    quality["seconds"] = round(time.monotonic() - started, 1)
    write_json(quality, quality_path(output, subject))
    return quality

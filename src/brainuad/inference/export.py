"""Anomaly maps as NIfTI files that any viewer opens: on the atlas grid, and on the grid of the raw scan."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd

from brainuad.arrays import ArrayStore, map_to_derivative, to_volume_axes
from brainuad.datasets.base import path_inside
from brainuad.errors import InputError
from brainuad.evaluation import postprocess
from brainuad.evaluation.settings import PostProcessingStep
from brainuad.preprocessing.derivatives import derivative_path, space_of, transform_path
from brainuad.preprocessing.native import write_native
from brainuad.storage import atomic_path, read_table, write_table

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExportFiles:
    """Where an export reads: manifest of maps, packed arrays, derivatives, cohort table and raw scans."""

    manifest: Path
    arrays: Path
    derivatives: Path
    cohort: Path
    root: Path


def export_maps(files: ExportFiles, steps: Sequence[PostProcessingStep], output: Path) -> None:
    """Writes two NIfTI maps per scored subject beside `output`, the table that lists them.

    A map after `steps`, in the units of its method. A subject whose scan is gone is a row with its reason.
    """
    store = ArrayStore(files.arrays)
    manifest, cohort = read_table(files.manifest), read_table(files.cohort).set_index("subject")
    folder = output.with_suffix("")
    rows = []
    for row in manifest.to_dict("records"):
        result = {"subject": row["subject"], "status": row["status"], "reason": row["reason"]}
        if row["status"] == "ok":
            try:
                result |= _export_subject(row, store, files, cohort, steps, folder)
            except (InputError, OSError, EOFError, ValueError) as error:
                reason = (
                    str(error) if isinstance(error, InputError) else "its map or derivative cannot be read"
                )
                result |= {"status": "excluded", "reason": reason}
        rows.append(result)
    write_table(pd.DataFrame(rows), output)
    log.info("%d maps exported", sum(row["status"] == "ok" for row in rows))


def _export_subject(
    row: Mapping[Any, Any],
    store: ArrayStore,
    files: ExportFiles,
    cohort: pd.DataFrame,
    steps: Sequence[PostProcessingStep],
    folder: Path,
) -> dict[str, str]:
    subject, modality = row["subject"], store.channels[0]
    anomaly_map = _true_map(row, store, files.manifest.with_suffix(""), steps)
    spaces = {"atlas": space_of(files.derivatives), "native": "native"}
    names = {to: f"sub-{subject}_space-{space}_desc-anomaly_map.nii.gz" for to, space in spaces.items()}
    reference = nib.Nifti1Image.from_filename(derivative_path(files.derivatives, subject, modality))
    on_atlas = map_to_derivative(anomaly_map, store.affine(subject), reference)
    with atomic_path(folder / names["atlas"]) as temporary:
        nib.save(on_atlas, temporary)
    try:
        if subject not in cohort.index:
            raise InputError("it is no longer in the cohort table")
        scan = path_inside(files.root, str(cohort.at[subject, modality]))
        transform = transform_path(files.derivatives, subject, modality)
        native = folder / names["native"]
        series = str(cohort.at[subject, "series"]) if "series" in cohort else ""
        write_native(anomaly_map, store.affine(subject), transform, scan, native, series=series)
    except InputError as error:
        return {"atlas_map": names["atlas"], "native_map": "", "reason": f"not in native space: {error}"}
    return {"atlas_map": names["atlas"], "native_map": names["native"]}


def _true_map(
    row: Mapping[Any, Any], store: ArrayStore, folder: Path, steps: Sequence[PostProcessingStep]
) -> np.ndarray:
    """The map (x, y, z) float32 after post-processing, in the units of its method."""
    stored = np.load(path_inside(folder, row["map"]), allow_pickle=False).astype(np.float32)
    brain = to_volume_axes(store.brain[store.slices(row["subject"])])
    return postprocess.apply(stored, brain, steps) / np.float32(2.0 ** int(row["scale_exponent"]))

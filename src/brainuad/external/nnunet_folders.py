"""Packed arrays to nnU-Net's raw folders, and its probabilities back to arrays.

nnU-Net reads one NIfTI file per channel, `imagesTr/CASE_0000.nii.gz`, and one label file per case,
`labelsTr/CASE.nii.gz`; `dataset.json` names channels and labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainuad.arrays import ArrayStore, to_volume_axes
from brainuad.errors import InputError
from brainuad.external.model import VolumeName
from brainuad.storage import atomic_path, write_json

DATASET = "Dataset001_brainuad"
DATASET_ID = "1"
SUFFIX = ".nii.gz"


@dataclass(frozen=True)
class NnunetFolders:
    """The folders of one training."""

    root: Path

    @property
    def raw(self) -> Path:
        """Images and labels."""
        return self.root / "raw" / DATASET

    @property
    def preprocessed(self) -> Path:
        """What nnU-Net makes of them, its plans, and the split into folds."""
        return self.root / "preprocessed" / DATASET

    @property
    def script(self) -> Path:
        """The training script."""
        return self.root / "train.py"

    @property
    def log(self) -> Path:
        """What the programs print."""
        return self.root / "nnunet.log"

    def model(self, trainer: str, configuration: str) -> Path:
        """Plans and folds of the trained model."""
        return self.root / "results" / DATASET / f"{trainer}__nnUNetPlans__{configuration}"

    def variables(self, threads: int) -> dict[str, str]:
        """The environment variables by which nnU-Net knows its folders and its share of the machine."""
        return {
            "nnUNet_raw": str(self.raw.parent.absolute()),
            "nnUNet_preprocessed": str(self.preprocessed.parent.absolute()),
            "nnUNet_results": str((self.root / "results").absolute()),
            "nnUNet_n_proc_DA": str(threads),
            "nnUNet_def_n_proc": str(threads),
            "OMP_NUM_THREADS": str(threads),
            "PYTHONUNBUFFERED": "1",
        }


def case_name(volume: VolumeName) -> str:
    """The name of a volume in nnU-Net's folders: data set and subject."""
    folder, subject = volume
    return f"{folder.parent.name}__{subject}"


def common_spacing(volumes: Sequence[VolumeName]) -> tuple[float, float, float]:
    """The voxel size along (x, y, z), which the data sets of one model must share."""
    found = {folder: ArrayStore(folder).spacing_mm for folder, _ in volumes}
    first = next(iter(found.values()))
    if not all(np.allclose(spacing, first, rtol=0.01) for spacing in found.values()):
        listed = "; ".join(f"{folder}: {spacing} mm" for folder, spacing in found.items())
        raise InputError(f"the arrays of one model differ in voxel size: {listed}. Pack them again.")
    return first


def write_dataset(folder: Path, volumes: Sequence[VolumeName], spacing_mm: Sequence[float]) -> None:
    """Writes all volumes with their lesions as nnU-Net's raw data set."""
    stores = {name: ArrayStore(name) for name, _ in volumes}
    for name, subject in volumes:
        volume = stores[name].volume(subject)
        case = case_name((name, subject))
        write_images(folder / "imagesTr", case, volume.images, spacing_mm)
        labels = to_volume_axes(volume.lesion).astype(np.uint8)
        _write_nifti(labels, spacing_mm, folder / "labelsTr" / f"{case}{SUFFIX}")
    channels = stores[volumes[0][0]].channels
    description = {
        # nnU-Net normalises a channel named CT by the lesions' intensities, others by their own mean and deviation.
        "channel_names": {str(number): name for number, name in enumerate(channels)},
        "labels": {"background": 0, "lesion": 1},
        "numTraining": len(volumes),
        "file_ending": SUFFIX,
    }
    write_json(description, folder / "dataset.json")


def write_images(folder: Path, case: str, images: np.ndarray, spacing_mm: Sequence[float]) -> None:
    """Writes images (slice, channel, x, y) as one file for each channel."""
    for number, volume in enumerate(to_volume_axes(images)):
        _write_nifti(volume.astype(np.float32), spacing_mm, folder / f"{case}_{number:04d}{SUFFIX}")


def _write_nifti(volume: np.ndarray, spacing_mm: Sequence[float], path: Path) -> None:
    import nibabel

    image = nibabel.Nifti1Image(volume, np.diag([*spacing_mm, 1.0]))
    image.header.set_xyzt_units("mm")
    with atomic_path(path) as temporary:
        nibabel.save(image, temporary)


def read_probability(path: Path) -> np.ndarray:
    """The lesion probability (slice, x, y) float32 in a file that nnU-Net wrote, (class, z, y, x) in it."""
    with np.load(path, allow_pickle=False) as content:
        background_and_lesion = content["probabilities"]
    return background_and_lesion[1].transpose(0, 2, 1).astype(np.float32)

"""Where preprocessing puts its files: names of BIDS derivatives, one folder per subject."""

from pathlib import Path

from brainuad.preprocessing.settings import BIDS_SUFFIX


def subject_folder(derivatives: Path, subject: str) -> Path:
    """The folder of one subject."""
    return Path(derivatives) / f"sub-{subject}"


def quality_path(derivatives: Path, subject: str) -> Path:
    """The file that says how a subject's preprocessing went."""
    return subject_folder(derivatives, subject) / "quality.json"


def strip_path(derivatives: Path, subject: str) -> Path:
    """The picture of one subject that the mosaic is made of."""
    return subject_folder(derivatives, subject) / "figures" / f"sub-{subject}_desc-quality.png"


def derivative_path(derivatives: Path, subject: str, modality: str) -> Path:
    """The registered, brain-only, bias-corrected image of one modality (float32)."""
    entities, _, suffix = BIDS_SUFFIX[modality].rpartition("_")
    before = f"{entities}_" if entities else ""
    return _anat(derivatives, subject, f"{before}space-SRI24_desc-preproc_{suffix}.nii.gz")


def brain_mask_path(derivatives: Path, subject: str) -> Path:
    """The brain mask (uint8)."""
    return _anat(derivatives, subject, "space-SRI24_desc-brain_mask.nii.gz")


def lesion_mask_path(derivatives: Path, subject: str) -> Path:
    """The lesion mask (uint8); absent where the data set has none for the subject."""
    return _anat(derivatives, subject, "space-SRI24_label-lesion_mask.nii.gz")


def transform_path(derivatives: Path, subject: str, modality: str) -> Path:
    """The SimpleITK transform from points of the atlas to points of the raw scan."""
    return _anat(derivatives, subject, f"from-{modality}_to-SRI24_xfm.tfm")


def _anat(derivatives: Path, subject: str, name: str) -> Path:
    return subject_folder(derivatives, subject) / "anat" / f"sub-{subject}_{name}"

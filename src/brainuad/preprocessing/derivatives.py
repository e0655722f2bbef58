"""Where preprocessing puts its files: names of BIDS derivatives, one folder per subject.

The names carry the space in which the images lie. It is one for a data set, and `dataset_description.json` says which.
"""

from pathlib import Path

from brainuad.preprocessing.settings import BIDS_SUFFIX, SPACES
from brainuad.storage import read_json


def description_path(derivatives: Path) -> Path:
    """The file that says what a derivatives folder holds and how it was made."""
    return Path(derivatives) / "dataset_description.json"


def space_of(derivatives: Path) -> str:
    """The space of a derivatives folder: SRI24, MNI152NLin2009aSym or orig; SRI24 where nothing else is said."""
    path = description_path(derivatives)
    return str(read_json(path).get("Space", SPACES["sri24"])) if path.is_file() else SPACES["sri24"]


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
    """The registered, bias-corrected image of one modality (float32)."""
    entities, _, suffix = BIDS_SUFFIX[modality].rpartition("_")
    before = f"{entities}_" if entities else ""
    return _anat(derivatives, subject, f"{before}{_space(derivatives)}_desc-preproc_{suffix}.nii.gz")


def brain_mask_path(derivatives: Path, subject: str) -> Path:
    """The brain mask (uint8)."""
    return _anat(derivatives, subject, f"{_space(derivatives)}_desc-brain_mask.nii.gz")


def lesion_mask_path(derivatives: Path, subject: str) -> Path:
    """The lesion mask (uint8); absent where the data set has none for the subject."""
    return _anat(derivatives, subject, f"{_space(derivatives)}_label-lesion_mask.nii.gz")


def transform_path(derivatives: Path, subject: str, modality: str) -> Path:
    """The SimpleITK transform from points of the atlas to points of the raw scan."""
    return _anat(derivatives, subject, f"from-{modality}_to-{space_of(derivatives)}_xfm.tfm")


def _space(derivatives: Path) -> str:
    return f"space-{space_of(derivatives)}"


def _anat(derivatives: Path, subject: str, name: str) -> Path:
    return subject_folder(derivatives, subject) / "anat" / f"sub-{subject}_{name}"

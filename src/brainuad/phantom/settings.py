"""Settings of the phantom: which anatomy, how fine, how many and how strong the flaws and lesions."""

from pydantic import Field

from brainuad.settings import Settings


class PhantomSettings(Settings):
    """How heads are simulated; `deformation`, `noise` and `bias` scale built-in strengths."""

    anatomy: str = Field("sri24", description="'sri24', or a folder of *_dseg.nii.gz FreeSurfer label maps")
    spacing_mm: float = Field(1.3, gt=0.5, le=6, description="voxel size of raw scans")
    deformation: float = Field(1.0, ge=0, le=1.5)
    noise: float = Field(1.0, ge=0, le=5)
    bias: float = Field(1.0, ge=0, le=5)
    rotation_deg: float = Field(4.0, ge=0, le=30, description="standard deviation of the head's pose")
    tumour_radius_mm: tuple[float, float] = Field((6.0, 25.0), description="smallest and largest tumour core")
    plaques: tuple[int, int] = Field((12, 80), description="fewest and most plaques of a patient")

"""Settings of the phantom: which anatomy, how fine, how many and how strong the flaws and lesions."""

import math
from typing import Self

from pydantic import Field, model_validator

from brainuad.settings import Settings

# A patient with very many plaques has fewer than 100.
MOST_PLAQUES = 500


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

    @model_validator(mode="after")
    def _ranges_of_lesions(self) -> Self:
        """Radii and numbers are drawn from the logarithms of their limits."""
        for name, (low, high) in (("tumour_radius_mm", self.tumour_radius_mm), ("plaques", self.plaques)):
            if not 0 < low <= high < math.inf:
                raise ValueError(f"{name} = [{low}, {high}]: expected two numbers above 0, lowest first")
        if self.plaques[1] > MOST_PLAQUES:
            raise ValueError(f"plaques = {list(self.plaques)}: at most {MOST_PLAQUES} have room")
        return self

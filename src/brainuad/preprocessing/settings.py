"""Settings of the step from raw scans to registered, bias-corrected images of the brain or the whole head.

The order of the steps is that of Behrendt 2023 (preparation of IXI): resample to 1 mm, strip the skull,
register affinely to an atlas, crop, correct the bias field with N4.
"""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from brainuad.settings import Settings

Modality = Literal["t1", "t1ce", "t2", "flair", "pd", "ct"]
# Engines for MRI, which `skull_strip` in config.yaml chooses for all data sets that need one.
SkullStripEngine = Literal["hd-bet", "hd-bet-v1", "deepbet", "none"]

# The `space` entity in the names of derivatives, by atlas; without an atlas images keep the reference's own space.
SPACES = {"sri24": "SRI24", "mni152": "MNI152NLin2009aSym", "none": "orig"}

# Suffixes of the Brain Imaging Data Structure (BIDS).
BIDS_SUFFIX: dict[str, str] = {
    "t1": "T1w",
    "t1ce": "ce-gadolinium_T1w",
    "t2": "T2w",
    "flair": "FLAIR",
    "pd": "PDw",
    "ct": "CT",
}


class N4Settings(Settings):
    """N4 as in Behrendt 2023: 4 levels of at most 200 iterations, tolerance 5e-4.

    `shrink` is the factor by which image and mask are thinned for the fit; the field itself is evaluated at
    full resolution.
    """

    levels: int = Field(default=4, ge=1, le=8)
    iterations: int = Field(default=200, ge=1)
    tolerance: float = Field(default=5e-4, gt=0)
    shrink: int = Field(default=4, ge=1, le=8)


# What differs at the quick scale. N4 takes a fifth to a thirteenth of the time; the fields of four modalities of one
# phantom patient, whose bias is strong, differed by 3 to 14 % (root mean square).
QUICK = {"n4_parameters": {"shrink": 8}}


class HdBetV1Settings(Settings):
    """HD-BET version 1 (Isensee 2019): one network without mirroring, or all five with it."""

    networks: Literal[1, 5] = 1
    mirroring: bool = False


class HdBetSettings(Settings):
    """The official HD-BET version 2 program, which lives in its own environment.

    `weights` is the folder that holds `fold_all/checkpoint_final.pth`; without it the program's own place
    (`~/hd-bet_params/release_2.0.0`) is used.
    """

    program: str = "hd-bet"
    weights: str | None = None
    device: Literal["cpu", "cuda"] = "cpu"
    mirroring: bool = False


class PlausibleRange(Settings):
    """What a usable subject must satisfy; outside of it the subject is excluded with a reason."""

    brain_ml: tuple[float, float] = (700.0, 2300.0)
    atlas_dice: float = Field(default=0.85, ge=0, le=1)
    # Share of the brain that lies inside the field of view of every modality.
    coverage: float = Field(default=0.85, ge=0, le=1)
    # CT only: usual values of air round the head and of the inside of the skull, and volume of the imaged head.
    air_hu: tuple[float, float] = (-1024.0, -850.0)
    tissue_hu: tuple[float, float] = (10.0, 60.0)
    head_ml: tuple[float, float] = (1500.0, 8000.0)

    @field_validator("brain_ml", "air_hu", "tissue_hu", "head_ml")
    @classmethod
    def _lowest_first(cls, limits: tuple[float, float]) -> tuple[float, float]:
        """The same limits; the other way round they would exclude everyone."""
        if not limits[0] < limits[1]:
            raise ValueError(f"[{limits[0]:g}, {limits[1]:g}] is not a range, lowest first")
        return limits


class PreprocessingSettings(Settings):
    """How a data set's raw scans become derivatives on the grid of an atlas.

    The grids are 240 x 240 x 155 voxels (`sri24`) and 197 x 233 x 189 (`mni152`) of 1 mm. With `none` the grid of
    the reference stays, turned so that x goes to the left and y to the back, and nothing is registered to an atlas.

    A subject without one of `modalities` is excluded; `optional_modalities` are used where present. The skull
    is stripped from `reference`; the others are registered to it, and it alone to the atlas.
    """

    modalities: tuple[Modality, ...] = ("t1",)
    optional_modalities: tuple[Modality, ...] = ()
    reference: Modality = "t1"
    resolution_mm: float = Field(default=1.0, gt=0, le=4)
    # "hounsfield" is for CT: thresholds find the inside of the skull, and no network is needed.
    skull_strip: SkullStripEngine | Literal["hounsfield"] = "deepbet"
    # "different-grids": modalities on the voxel grid of the reference count as registered already.
    coregistration: Literal["rigid", "different-grids", "none"] = "rigid"
    coregistration_region: Literal["brain", "head"] = "brain"
    registration: Literal["affine", "rigid", "none"] = "affine"
    atlas: Literal["sri24", "mni152", "none"] = "sri24"
    # Derivatives show the whole head. The brain is found all the same, for the registration and as a mask, unless
    # `skull_strip` is `none`: then the mask is that of the head, and its volume is not checked.
    keep_skull: bool = False
    # A lesion mask with several positive values excludes the subject; otherwise all of them together are the lesion.
    single_label: bool = False
    # The positive values that a lesion mask may have; another one excludes the subject. Without any, all may occur.
    mask_labels: tuple[int, ...] = ()
    # "nearest" keeps lesion volumes; "linear-half" takes what is at least half inside (Frotscher 2023);
    # "linear-gt0" is the dilating rule of Behrendt 2023's code.
    lesion_interpolation: Literal["nearest", "linear-half", "linear-gt0"] = "nearest"
    # A head CT (NIfTI) that lies in the space of the atlas. CTs are registered to it, else to the atlas' T1 of the
    # head, which `mni152` does not have. The grid is that of the atlas.
    ct_template: str | None = None
    # "brain" cuts the atlas grid to the bounding box of each brain, as Behrendt 2023 did; "head" is a box of
    # 160 x 224 x 176 mm round the atlas brain, which may reach beyond the atlas grid (Kascenas 2023, CT).
    crop: Literal["none", "brain", "head"] = "none"
    n4: bool = True
    n4_parameters: N4Settings = N4Settings()
    hd_bet_v1: HdBetV1Settings = HdBetV1Settings()
    hd_bet: HdBetSettings = HdBetSettings()
    plausible: PlausibleRange = PlausibleRange()

    @model_validator(mode="after")
    def _consistent(self) -> "PreprocessingSettings":
        if self.reference not in self.modalities:
            raise ValueError(
                f"reference = '{self.reference}' must be one of modalities ({', '.join(self.modalities)})"
            )
        if self.skull_strip == "hounsfield" and self.reference != "ct":
            raise ValueError("skull_strip = 'hounsfield' needs Hounsfield units, that is reference = 'ct'")
        if both := set(self.modalities) & set(self.optional_modalities):
            raise ValueError(f"{', '.join(sorted(both))}: both in modalities and in optional_modalities")
        return self

    @property
    def space(self) -> str:
        """The space of the derivatives, as it is written in their names."""
        return SPACES[self.atlas]

    @property
    def finds_brain(self) -> bool:
        """Whether the brain mask is that of the brain, not of a whole head."""
        return self.skull_strip != "none" or not self.keep_skull

    @property
    def wanted(self) -> tuple[str, ...]:
        """Required and optional modalities, in this order."""
        return self.modalities + self.optional_modalities


# Head CT as in Kascenas 2023: rigid registration, the field of view of a head, Hounsfield units as they are. An adult's
# head may be larger or smaller than the atlas, so the overlap that a rigid registration reaches is lower.
HEAD_CT = PreprocessingSettings(
    modalities=("ct",),
    reference="ct",
    skull_strip="hounsfield",
    registration="rigid",
    keep_skull=True,
    crop="head",
    n4=False,
    plausible=PlausibleRange(atlas_dice=0.75),
)

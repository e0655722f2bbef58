"""Settings of post-processing, thresholds and metrics; the values of the papers are choices of a study."""

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from brainuad.settings import EachOnce, Settings

Protocol = Literal["oracle", "validation", "validation-bisection", "healthy-fpr", "healthy-fpr-grid", "yen"]
# The threshold is chosen on healthy maps.
OF_HEALTHY_MAPS: tuple[Protocol, ...] = ("healthy-fpr", "healthy-fpr-grid")
Attribute = Literal["age", "sex", "site"]
EvaluatedRole = Literal["validation", "test"]
Share = Annotated[float, Field(ge=0, le=1)]


Attributes = Annotated[tuple[Attribute, ...], EachOnce]


class MaskBrain(Settings):
    """Sets the map to 0 outside the brain mask, eroded `erosion` times by a cross.

    The cross is that of an axial slice or, with `dimensions: 3`, that of the volume. Behrendt 2023 erodes 3 times in
    slices.
    """

    step: Literal["mask_brain"]
    erosion: NonNegativeInt = 0
    dimensions: Literal[2, 3] = 2


class MaskBrainInterior(Settings):
    """Sets the map to 0 where the mean of the brain mask over a window is at most `share`.

    The window is a square in the slice or, with `dimensions: 3`, a cube. Kascenas 2023: window 5, share 0.95, in
    slices. Outside the array counts as outside the brain.
    """

    step: Literal["mask_brain_interior"]
    window: PositiveInt = 5
    share: Share = 0.95
    dimensions: Literal[2, 3] = 2


class Median(Settings):
    """Median filter, in each axial slice or in three dimensions, with reflected borders."""

    step: Literal["median"]
    size: PositiveInt = 5
    dimensions: Literal[2, 3] = 3

    @field_validator("size")
    @classmethod
    def _odd(cls, size: int) -> int:
        if size % 2 == 0:
            raise ValueError(f"the size of a median filter is odd; got {size}")
        return size


class RemoveComponents(Settings):
    """After thresholding: removes 26-connected components of at most `at_most` voxels (Behrendt 2023: 7)."""

    step: Literal["remove_components"]
    at_most: NonNegativeInt = 7
    connectivity: Literal[6, 18, 26] = 26


PostProcessingStep = Annotated[
    MaskBrain | MaskBrainInterior | Median | RemoveComponents, Field(discriminator="step")
]


class ThresholdGrid(Settings):
    """Thresholds start, start + step, … below `stop`; a voxel is positive above the threshold.

    With `normalised` they are parts of the range from the lowest to the highest value of the whole test set.
    Kascenas 2023: 0 to 1 by 0.001. Frotscher 2023: normalised, 0.01 to 0.3 by 0.001.
    """

    start: float = Field(default=0.0, ge=0)
    stop: PositiveFloat = 1.0
    step: PositiveFloat = 0.001
    normalised: bool = False

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start >= self.stop:
            raise ValueError(f"start ({self.start:g}) must lie below stop ({self.stop:g})")
        return self


class Stratum(Settings):
    """Lesions of more than `above` and at most `up_to` voxels."""

    name: str
    above: NonNegativeInt = 0
    up_to: PositiveInt | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.up_to is not None and self.above >= self.up_to:
            raise ValueError(f"above ({self.above}) must lie below up_to ({self.up_to})")
        return self

    def holds(self, size: float) -> bool:
        """Whether a lesion of this size belongs to the stratum."""
        return self.above < size and (self.up_to is None or size <= self.up_to)


class SubjectStratum(Stratum):
    """Subjects by all their lesion voxels, or by the diameter in mm that was drawn for a synthetic sphere.

    A sphere that the border of the brain cuts has fewer voxels than its diameter says (Kascenas 2023, Figure E.11).
    """

    by: Literal["voxels", "diameter_mm"] = "voxels"


AVERAGE = "average"  # the stratum of the mean over groups of conditions
ANY_CONDITION = "*"
ONLY = "only "  # before a condition: no other one is known of the scan


class EvaluationSettings(Settings):
    """How maps become metrics.

    `role`: whose maps are evaluated; ablations look at validation patients.
    `region`: the voxels of AUPRC, Dice and false-positive rate: all of the array (the papers), or the brain.
    `empty_masks`: what a patient without a lesion voxel is: still a patient, left out, or healthy
    (AutoDDPM 2023: slices of stroke patients beside the lesion are the healthy ones).
    `healthy_fpr` and `healthy_role`: the rate that the healthy thresholds allow, and whose maps set them.
    `yen_dilation`: iterations of the six-neighbour dilation after Yen's threshold (Frotscher 2023: 1).
    `lesion_overlap`: a lesion counts as detected if more than this share of it is marked (Bercea 2023: 0.1).
    `subject_strata` group subjects by all their lesion voxels (AutoDDPM: 1, 71, 570) or by the diameter of the
    sphere planted into them, `lesion_strata` group single lesions by their voxels. `attributes` group the
    subjects by what the cohort table says of them.
    `threshold_grid` adds the oracle Dice on a paper's own grid to the exact one.
    `conditions`: groups of patients, each a list of conditions of which a patient has at least one ("*": any at
    all, "only cyst": this one and no other), for the AUROC of image scores and, of patients with a lesion mask, as
    strata. `boxes`: whether annotated boxes are items of detection (both Bercea 2023, RA); with `box_classes` those
    of the classes named there, each a list of labels. All boxes are left out of healthy tissue.
    """

    postprocessing: tuple[PostProcessingStep, ...] = ()
    protocols: Annotated[tuple[Protocol, ...], EachOnce] = ("oracle", "validation", "healthy-fpr")
    role: EvaluatedRole = "test"
    region: Literal["all", "brain"] = "all"
    empty_masks: Literal["patients", "leave-out", "healthy"] = "patients"
    threshold_grid: ThresholdGrid | None = None
    healthy_fpr: Share = 0.05
    healthy_role: EvaluatedRole = "validation"
    bisection_steps: PositiveInt = 10
    yen_dilation: NonNegativeInt = 1
    lesion_overlap: Share = 0.1
    subject_strata: tuple[SubjectStratum, ...] = ()
    lesion_strata: tuple[Stratum, ...] = ()
    attributes: Attributes = ()
    conditions: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    boxes: bool = False
    box_classes: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    curve_points: int = Field(default=1000, ge=2)
    max_failed_share: Share = 0.2

    @property
    def leaking_protocols(self) -> tuple[Protocol, ...]:
        """The protocols whose threshold would be chosen on the very patients that are evaluated."""
        chosen = ("validation", "validation-bisection") if self.role == "validation" else ()
        return tuple(protocol for protocol in self.protocols if protocol in chosen)

    def groups_of(self, conditions: frozenset[str]) -> list[str]:
        """The groups that a scan with these conditions (lower case) belongs to."""
        return [
            group
            for group, names in self.conditions.items()
            if any(_holds(conditions, name.strip().casefold()) for name in names)
        ]

    @field_validator("conditions")
    @classmethod
    def _named_groups(cls, conditions: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for group, names in conditions.items():
            if group in ("", AVERAGE):
                raise ValueError(f"a group cannot be called {group!r}; {AVERAGE!r} is the mean of the groups")
            if not any(name.strip() for name in names):
                raise ValueError(
                    f"group {group!r} names no condition; give some, or ['{ANY_CONDITION}'] for any"
                )
        return conditions

    @field_validator("subject_strata", "lesion_strata")
    @classmethod
    def _names_differ(cls, strata: tuple[Stratum, ...]) -> tuple[Stratum, ...]:
        if len({stratum.name for stratum in strata}) < len(strata):
            raise ValueError("two strata have one name")
        return strata

    @field_validator("box_classes")
    @classmethod
    def _each_label_in_one_class(cls, classes: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        seen: dict[str, str] = {}
        for name, labels in classes.items():
            if not name or not labels:
                raise ValueError(f"class {name!r} needs a name and at least one label")
            for label in {label.casefold() for label in labels}:
                if label in seen:
                    raise ValueError(f"the label {label!r} is in the classes {seen[label]!r} and {name!r}")
                seen[label] = name
        return classes

    @model_validator(mode="after")
    def _groups_are_no_strata(self) -> Self:
        if both := {stratum.name for stratum in self.subject_strata} & self.conditions.keys():
            raise ValueError(f"{', '.join(sorted(both))}: both in subject_strata and in conditions")
        return self

    @model_validator(mode="after")
    def _classes_have_boxes(self) -> Self:
        if self.box_classes and not self.boxes:
            raise ValueError("box_classes: boxes are not evaluated; set `boxes: true` too")
        return self


def _holds(conditions: frozenset[str], name: str) -> bool:
    """Whether conditions are what a name of a group asks for."""
    if name == ANY_CONDITION:
        return bool(conditions)
    if name.startswith(ONLY):
        return conditions == {name.removeprefix(ONLY).strip()}
    return name in conditions

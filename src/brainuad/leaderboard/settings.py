"""The one protocol under which the methods of all studies are compared; light to import."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from brainuad.evaluation.settings import (
    Attributes,
    EvaluationSettings,
    MaskBrain,
    Median,
    PostProcessingStep,
    Share,
    Stratum,
)
from brainuad.settings import Settings

SIZES = ("small", "medium", "large")


class LeaderboardSettings(Settings):
    """How every map is post-processed and scored for the leaderboard, and how its statistics are drawn.

    `lesion_ml`: the bounds between small, medium and large lesions, in millilitres because studies differ in
    resolution. `attributes` make further groups of patients. `minimum_subjects`: fewer common test subjects
    give no rank. `max_failed_share`: a method that failed on more of its subjects has none. `resamples` of the
    subjects show how stable ranks are; `rounds` of the permutation test are many because Holm's correction is
    over all pairs of methods.
    """

    postprocessing: tuple[PostProcessingStep, ...] = (
        MaskBrain(step="mask_brain"),
        Median(step="median", size=3, dimensions=3),
    )
    region: Literal["all", "brain"] = "brain"
    healthy_fpr: Share = 0.05
    lesion_ml: tuple[PositiveFloat, PositiveFloat] = (1.0, 10.0)
    attributes: Attributes = ("age", "sex", "site")
    minimum_subjects: PositiveInt = 2
    max_failed_share: Share = 0.2
    resamples: int = Field(1000, ge=100)
    rounds: int = Field(100_000, ge=100)
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if self.lesion_ml[0] >= self.lesion_ml[1]:
            raise ValueError(f"lesion_ml: {self.lesion_ml[0]:g} must lie below {self.lesion_ml[1]:g}")
        return self

    def evaluation(self, voxel_ml: float) -> EvaluationSettings:
        """The common protocol on a grid whose voxels have `voxel_ml` millilitres: all four thresholds.

        A method that failed on many subjects is still scored: the leaderboard says so and gives it no rank.
        """
        return EvaluationSettings(
            postprocessing=self.postprocessing,
            protocols=("oracle", "validation", "healthy-fpr", "yen"),
            region=self.region,
            healthy_fpr=self.healthy_fpr,
            lesion_strata=self._strata(voxel_ml),
            max_failed_share=1,
        )

    def _strata(self, voxel_ml: float) -> tuple[Stratum, ...]:
        """Small, medium and large in voxels; on a coarse grid a stratum may hold no size and is left out."""
        first, second = (int(bound / voxel_ml + 1e-9) for bound in self.lesion_ml)
        bounds = ((0, first), (first, second), (second, None))
        return tuple(
            Stratum(name=name, above=above, up_to=up_to)
            for name, (above, up_to) in zip(SIZES, bounds, strict=True)
            if up_to is None or up_to > above
        )

"""Settings of diffusion processes."""

from typing import Literal, Self

from pydantic import Field, model_validator

from brainuad.settings import Settings


class ScheduleSettings(Settings):
    """The sequence beta_1 ... beta_T."""

    kind: Literal["linear", "cosine"] = "linear"
    steps: int = Field(1000, ge=2, description="T")
    beta_first: float = Field(1e-4, gt=0, lt=1, description="of the linear schedule (Ho 2020)")
    beta_last: float = Field(0.02, gt=0, lt=1, description="of the linear schedule (Ho 2020)")
    offset: float = Field(0.008, ge=0, description="s of the cosine schedule (Nichol and Dhariwal 2021)")


class ReverseSettings(Settings):
    """One step of the reverse process."""

    variance: Literal["small", "large"] = Field(
        "small", description="small: that of q(x_{t-1} | x_t, x_0); large: beta_t (Ho 2020)"
    )
    clip: tuple[float, float] | None = Field(
        (-1.0, 1.0), description="range that the predicted x_0 is clipped to"
    )

    @model_validator(mode="after")
    def _clip_is_a_range(self) -> Self:
        if self.clip is not None and not self.clip[0] < self.clip[1]:
            raise ValueError(f"clip {self.clip} is not a range, lowest first")
        return self

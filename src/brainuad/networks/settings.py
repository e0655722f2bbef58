"""Settings of the networks that several methods share."""

from typing import Literal, Self

from pydantic import Field, model_validator

from brainuad.settings import Settings

Dims = Literal[2, 3]


class DaeUnetSettings(Settings):
    """The U-Net of the denoising auto-encoder (Kascenas 2022 and 2023)."""

    dims: Dims = 2
    widths: tuple[int, ...] = Field(
        (64, 128, 256, 512), min_length=1, description="channels from the finest level to the bottom"
    )


class AdmUnetSettings(Settings):
    """The guided-diffusion U-Net (Dhariwal and Nichol 2021); the defaults are those for 128 x 128 MRI."""

    dims: Dims = 2
    width: int = Field(64, ge=2, description="channels of the first level")
    multipliers: tuple[int, ...] = Field((1, 1, 2, 3, 4), min_length=1, description="of width, per level")
    res_blocks: int = Field(2, ge=1, description="residual blocks per level of the encoder")
    attention_factors: tuple[int, ...] = Field(
        (4, 8, 16), description="down-sampling factors at which residual blocks are followed by attention"
    )
    heads: int = Field(1, ge=1, description="attention heads, unless head_channels is set")
    head_channels: int | None = Field(None, ge=1, description="channels per attention head")
    scale_shift: bool = Field(True, description="time scales and shifts the second normalisation's output")
    resblock_updown: bool = Field(True, description="change resolution inside residual blocks")
    dropout: float = Field(0.1, ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_divide_channels(self) -> Self:
        for multiplier in self.multipliers:
            channels = self.width * multiplier
            if channels % (self.head_channels or self.heads):
                raise ValueError(f"a level of {channels} channels does not divide into the attention heads")
        return self


class StagedCoderSettings(Settings):
    """The denoising auto-encoder's network without skips and with a latent vector (Kascenas 2023)."""

    dims: Dims = 2
    widths: tuple[int, ...] = Field((64, 128, 256, 512), min_length=1)
    latent: int = Field(128, ge=1, description="length of the latent vector")


class StridedCoderSettings(Settings):
    """The dense encoder and decoder of Baur 2021, which Behrendt 2023 uses for AE and VAE."""

    widths: tuple[int, ...] = Field((32, 64, 128, 128), min_length=1, description="one per halving")
    latent: int = Field(128, ge=1, description="length of the latent vector")
    reduction: int = Field(8, ge=1, description="division of the channels before the dense layer")

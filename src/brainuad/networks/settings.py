"""Settings of the networks that several methods share."""

from typing import Literal, Self

from pydantic import Field, model_validator

from brainuad.settings import Settings


class DaeUnetSettings(Settings):
    """The U-Net of the denoising auto-encoder (Kascenas 2022 and 2023)."""

    widths: tuple[int, ...] = Field(
        (64, 128, 256, 512), min_length=1, description="channels from the finest level to the bottom"
    )


class AdmUnetSettings(Settings):
    """The guided-diffusion U-Net (Dhariwal and Nichol 2021); the defaults are those for 128 x 128 MRI."""

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
    recompute: bool = Field(
        False, description="blocks are computed again in the backward pass: less memory, more time"
    )

    @model_validator(mode="after")
    def _attention_fits(self) -> Self:
        known = [2**level for level in range(len(self.multipliers))]
        for factor in self.attention_factors:
            if factor not in known:
                factors = ", ".join(map(str, known))
                raise ValueError(f"attention at factor {factor}, but the levels have the factors {factors}")
        return self

    @model_validator(mode="after")
    def _heads_divide_channels(self) -> Self:
        attended = [m for level, m in enumerate(self.multipliers) if 2**level in self.attention_factors]
        for multiplier in (*attended, self.multipliers[-1]):  # the middle block always has attention
            channels = self.width * multiplier
            if channels % (self.head_channels or self.heads):
                raise ValueError(
                    f"{channels} channels, of a level with attention or of the middle block, do not divide into "
                    "attention heads (`heads`, or `head_channels` where set)"
                )
        return self


class StagedCoderSettings(Settings):
    """The denoising auto-encoder's network without skips and with a latent vector (Kascenas 2023)."""

    widths: tuple[int, ...] = Field((64, 128, 256, 512), min_length=1)
    latent: int = Field(128, ge=1, description="length of the latent vector")


class StridedCoderSettings(Settings):
    """The dense encoder and decoder of Baur 2021, which Behrendt 2023 uses for AE and VAE."""

    widths: tuple[int, ...] = Field((32, 64, 128, 128), min_length=1, description="one per halving")
    latent: int = Field(128, ge=1, description="length of the latent vector")
    reduction: int = Field(8, ge=1, description="division of the channels before the dense layer")


class AndiUnetSettings(Settings):
    """The U-Net of ANDi (Frotscher 2023); the defaults have 9,720,964 parameters for four channels."""

    widths: tuple[int, ...] = Field(
        (32, 64, 128, 256, 256), min_length=2, description="channels per level, the first at full resolution"
    )
    bottom: int | None = Field(
        None, ge=1, description="channels at the bottom; twice the last width by default"
    )
    attention_levels: tuple[int, ...] = Field(
        (2, 3, 4), description="levels with self-attention; 0 is full resolution"
    )
    heads: int = Field(4, ge=1, description="attention heads")
    time_channels: int = Field(256, ge=2, description="length of the time embedding")

    @model_validator(mode="after")
    def _attention_fits(self) -> Self:
        last = len(self.widths) - 1
        for level in self.attention_levels:
            if level not in range(1, last + 1):
                raise ValueError(f"attention at level {level}, but only levels 1 to {last} can have it")
            for width in (self.widths[level], self.widths[level - 1]):
                if width % self.heads:
                    raise ValueError(f"a level of {width} channels does not divide into {self.heads} heads")
        return self


class MonaiUnetSettings(Settings):
    """MONAI's `DiffusionModelUNet` as AutoDDPM uses it (Bercea 2023): 18,500,993 parameters for one channel."""

    channels: tuple[int, ...] = Field((128, 256, 256), min_length=1, description="channels per level")
    attention_levels: tuple[int, ...] = Field(
        (1, 2), description="levels with self-attention; 0 is the first"
    )
    res_blocks: int = Field(1, ge=1, description="residual blocks per level")
    head_channels: int = Field(256, ge=1, description="channels per attention head")

    @model_validator(mode="after")
    def _attention_fits(self) -> Self:
        last = len(self.channels) - 1
        for level in self.attention_levels:
            if level not in range(last + 1):
                raise ValueError(f"attention at level {level}, but the levels are 0 to {last}")
        # The middle block has the channels of the last level, and always attention.
        for level in (*self.attention_levels, last):
            if self.channels[level] % self.head_channels:
                raise ValueError(
                    f"{self.channels[level]} channels, of a level with attention or of the middle block, do not "
                    f"divide into attention heads of {self.head_channels}"
                )
        return self


class PerceptualSettings(Settings):
    """A perceptual distance (LPIPS, Zhang 2018): which features, and where their weights come from."""

    network: Literal["squeeze", "alex", "vgg"] = Field("squeeze", description="features of which network")
    # random: seeded weights and equal heads, for tests and the quick scale only; results then say so.
    weights: Literal["pretrained", "random"] = "pretrained"


class ResidualCoderSettings(Settings):
    """The encoder and decoder of SI-VAE and RA (Bercea 2023); 29,430,785 parameters at 128 x 128."""

    widths: tuple[int, ...] = Field((64, 128, 256, 512, 512), min_length=1, description="one per halving")
    latent: int = Field(128, ge=1, description="length of the latent vector")


class DistillationSettings(Settings):
    """The teacher and the cloner of multiresolution knowledge distillation (Salehi 2021)."""

    # random: a teacher with seeded weights, for tests and the quick scale only; results then say so.
    weights: Literal["pretrained", "random"] = "pretrained"
    teacher_width: int = Field(64, ge=1, description="channels of the teacher's first block; VGG16 has 64")
    cloner_width: int = Field(16, ge=1, description="channels of the cloner where no layer is compared")

    @model_validator(mode="after")
    def _pretrained_is_vgg16(self) -> Self:
        if self.weights == "pretrained" and self.teacher_width != 64:
            raise ValueError(f"teacher_width is {self.teacher_width}, but pretrained VGG16 has 64 channels")
        return self


class WganSettings(Settings):
    """Generator, critic and encoder of f-AnoGAN (Schlegl 2019); the defaults are for 128 x 128 images."""

    widths: tuple[int, ...] = Field(
        (64, 128, 256, 256, 512, 512),
        min_length=2,
        description="channels from the finest level to the start map",
    )
    latent: int = Field(128, ge=1, description="length of the latent vector")
    # strided: strided and transposed convolutions (Kascenas 2023); pooled: mean pooling and nearest-neighbour
    # up-sampling beside convolutions (Schlegl's code).
    resampling: Literal["strided", "pooled"] = "strided"
    # tanh: Schlegl 2019, appendix; linear: the default of its code.
    encoder_output: Literal["tanh", "linear"] = "tanh"


class ConvolutionalCoderSettings(Settings):
    """The convolutional encoder and decoder of Zimmerer 2019, as Bercea 2023 uses them for 128 x 128 images."""

    widths: tuple[int, ...] = Field((16, 32, 64, 256, 256), min_length=1, description="one per halving")
    latent: int = Field(512, ge=1, description="length of the latent vector")

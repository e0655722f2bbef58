"""Settings of a noise field: which kind, and the parameters of each kind."""

from typing import Literal

from pydantic import Field

from brainuad.settings import Settings


class NoiseSettings(Settings):
    """One kind of noise. Parameters of the other kinds are ignored.

    Every kind is multiplied by `scale`: 1 in diffusion models (Kascenas 2023, section 3.4), 0.2 in denoising
    auto-encoders (algorithm 1).
    """

    kind: Literal["gaussian", "coarse", "simplex", "pyramid"] = "gaussian"
    scale: float = Field(1.0, gt=0, description="factor of the field; the sigma of gaussian and coarse noise")
    shared: bool = Field(False, description="one realisation (per channel) for all samples of a batch")

    # Coarse noise: Kascenas 2023, algorithm 1.
    resolution: int = Field(16, ge=1, description="points per axis before up-sampling")
    roll: Literal["sample", "batch"] = Field(
        "sample",
        description="what has its own random shift: each sample (paper) or each batch (released code)",
    )
    normalise: bool = Field(False, description="undo the loss of variance that linear interpolation causes")

    # Simplex noise: Wyatt 2022 (AnoDDPM).
    octaves: int = Field(6, ge=1)
    persistence: float = Field(0.8, gt=0, description="ratio of the amplitudes of successive octaves")
    frequency: float = Field(64.0, gt=0, description="pixels per lattice unit in the first octave")
    lattice_dims: Literal[2, 3] = Field(
        3,
        description="of images: 3 is a plane of three-dimensional noise (AnoDDPM); 2 not (Behrendt 2023)",
    )
    plane_z: float = Field(10.0, description="position of that plane, in pixels")

    # Pyramidal noise: Frotscher 2023, equations 9 and 10.
    levels: int = Field(10, ge=1)
    discount: float = Field(0.8, gt=0, description="ratio of the weights of successive levels")
    literal_eq: bool = Field(
        False, description="equations 9 and 10 to the letter, instead of the released code"
    )

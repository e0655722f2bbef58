"""MONAI's diffusion U-Net, the network of AutoDDPM (Bercea 2023; Pinaya 2022)."""

import math

from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet
from torch import Tensor, nn

from brainuad.networks.settings import MonaiUnetSettings


class MonaiUnet(nn.Module):
    """Images (batch, channel, x, y) and time steps (batch,) to images of the same size.

    The output is zero at initialisation. Sides must be multiples of 2^(levels - 1).
    """

    def __init__(self, settings: MonaiUnetSettings, channels: int) -> None:
        super().__init__()
        self.unet = DiffusionModelUNet(
            spatial_dims=2,
            in_channels=channels,
            out_channels=channels,
            channels=settings.channels,
            attention_levels=[level in settings.attention_levels for level in range(len(settings.channels))],
            num_res_blocks=settings.res_blocks,
            num_head_channels=settings.head_channels,
            # 32 groups, or as many as divide the channels of a smaller network.
            norm_num_groups=math.gcd(32, *settings.channels),
            # The same attention without a matrix of all pairs of positions in memory.
            use_flash_attention=True,
        )

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """The prediction for `x` at the time steps `t`."""
        return self.unet(x, t)

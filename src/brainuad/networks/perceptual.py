"""Perceptual distance between images (LPIPS).

Zhang et al. 2018, The unreasonable effectiveness of deep features as a perceptual metric, CVPR, equation 1, kept
as a map: each layer's distances are up-sampled to the image instead of averaged. The trained heads are the files
of version 0.1 that torchmetrics carries.
"""

from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from brainuad.errors import InputError
from brainuad.networks.pretrained import load_features, random_features, tapped
from brainuad.networks.settings import PerceptualSettings

# The layers after which features are compared (the last ReLU of each stage).
TAPS = {"squeeze": (1, 4, 7, 9, 10, 11, 12), "alex": (1, 4, 7, 9, 11), "vgg": (3, 8, 15, 22, 29)}
CHANNELS = {
    "squeeze": (64, 128, 256, 384, 384, 512, 512),
    "alex": (64, 192, 384, 256, 256),
    "vgg": (64, 128, 256, 512, 512),
}
# ImageNet's mean and standard deviation for images in [-1, 1], as the authors rounded them.
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)


class PerceptualDistance(nn.Module):
    """d(a, b) = sum over layers l of w_l . (phi_l(a) - phi_l(b))^2, phi_l of unit length at every position."""

    shift: Tensor
    scale: Tensor

    def __init__(self, settings: PerceptualSettings) -> None:
        super().__init__()
        self.settings = settings
        self.taps = TAPS[settings.network]
        self.ready = settings.weights == "random"
        self.register_buffer("shift", torch.tensor(SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(SCALE).view(1, 3, 1, 1))
        self.features = random_features(settings.network)
        for number, channels in enumerate(CHANNELS[settings.network]):
            # Equal heads: the mean over layers of the squared distance between unit vectors.
            equal = torch.full((1, channels, 1, 1), 1 / len(self.taps))
            self.register_buffer(f"head{number}", equal)

    def load_pretrained(self, folder: Path) -> None:
        """Loads the features' weights from `folder` and the heads from torchmetrics, unless they are random."""
        if self.settings.weights == "random":
            return
        self.features = load_features(folder, self.settings.network).to(self.shift.device)
        for number, weights in enumerate(published_heads(self.settings.network)):
            getattr(self, f"head{number}").copy_(weights)
        self.ready = True

    def distance(self, a: Tensor, b: Tensor) -> Tensor:
        """The map (batch, 1, x, y) >= 0 for images (batch, 1 or 3, x, y) in [0, 1]; symmetric in `a` and `b`.

        Values outside [0, 1] are not clipped. The module moves to the device of `a`.
        """
        assert self.ready, "load_pretrained comes before distance"
        self.to(a.device)
        size = a.shape[2:]
        total = torch.zeros_like(a[:, :1])
        layers = zip(self._unit_features(a), self._unit_features(b), strict=True)
        for number, (phi_a, phi_b) in enumerate(layers):
            head = getattr(self, f"head{number}")
            weighted = F.conv2d((phi_a - phi_b).square(), head)
            total = total + F.interpolate(weighted, size=size, mode="bilinear", align_corners=False)
        return total

    def _unit_features(self, x: Tensor) -> list[Tensor]:
        if x.ndim != 4 or x.shape[1] not in (1, 3):
            raise InputError(
                f"perceptual distance: images of shape (batch, 1 or 3, x, y) were expected, not {tuple(x.shape)}. "
                "Give one modality at a time."
            )
        scaled = (2 * x.expand(-1, 3, -1, -1) - 1 - self.shift) / self.scale
        return [unit_length(phi) for phi in tapped(self.features, self.taps, scaled)]


def unit_length(phi: Tensor) -> Tensor:
    """The feature vectors (batch, channel, x, y) divided by their length over the channels."""
    return phi / (phi.square().sum(dim=1, keepdim=True) + 1e-8).sqrt()


def published_heads(network: str) -> list[Tensor]:
    """The trained weights of each layer's channels (1, channel, 1, 1), all at least 0."""
    # Found without the import of torchmetrics, which takes seconds.
    spec = find_spec("torchmetrics")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "functional" / "image" / "lpips_models" / f"{network}.pth"
    content = torch.load(path, map_location="cpu", weights_only=True)
    return [content[f"lin{number}.model.1.weight"] for number in range(len(TAPS[network]))]

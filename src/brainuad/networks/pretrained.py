"""Networks trained on ImageNet: their feature layers in plain torch, and their published weights as files.

SqueezeNet 1.1 (Iandola 2016), AlexNet (Krizhevsky 2014) and VGG16 (Simonyan and Zisserman 2015) under
torchvision's parameter names, so that torchvision's files fit and torchvision itself is not needed. Nothing is
downloaded unless `download_weights` is called.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.error import URLError

import torch
from torch import Tensor, nn

from brainuad.errors import InputError
from brainuad.randomness import torch_generator

Network = Literal["squeeze", "alex", "vgg"]


@dataclass(frozen=True)
class Published:
    """The file of one network as torchvision publishes it; its name ends in the first digits of its SHA-256."""

    title: str
    pattern: str
    address: str
    size_mb: float

    @property
    def file(self) -> str:
        """The published file name."""
        return self.address.rsplit("/", 1)[1]

    @property
    def hash_prefix(self) -> str:
        """The first eight digits of the file's SHA-256."""
        return self.file.rsplit("-", 1)[1].removesuffix(".pth")


ADDRESS = "https://download.pytorch.org/models/"
PUBLISHED: dict[str, Published] = {
    "squeeze": Published("SqueezeNet 1.1", "squeezenet1_1*.pth", f"{ADDRESS}squeezenet1_1-b8a52dc0.pth", 4.7),
    "alex": Published("AlexNet", "alexnet*.pth", f"{ADDRESS}alexnet-owt-7be5be79.pth", 233.1),
    "vgg": Published("VGG16", "vgg16*.pth", f"{ADDRESS}vgg16-397923af.pth", 527.8),
}

VGG16_PLAN = (1, 1, "M", 2, 2, "M", 4, 4, 4, "M", 8, 8, 8, "M", 8, 8, 8, "M")


class Fire(nn.Module):
    """SqueezeNet's block: a 1 x 1 convolution to few channels, then 1 x 1 and 3 x 3 side by side."""

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.squeeze_activation = nn.ReLU()
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand1x1_activation = nn.ReLU()
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)
        self.expand3x3_activation = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 2 * expanded, height, width)."""
        x = self.squeeze_activation(self.squeeze(x))
        narrow = self.expand1x1_activation(self.expand1x1(x))
        wide = self.expand3x3_activation(self.expand3x3(x))
        return torch.cat([narrow, wide], dim=1)


def squeezenet_features() -> nn.Sequential:
    """The feature layers of SqueezeNet 1.1."""

    def pool() -> nn.MaxPool2d:
        return nn.MaxPool2d(3, stride=2, ceil_mode=True)

    return nn.Sequential(
        *(nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(), pool()),
        *(Fire(64, 16, 64), Fire(128, 16, 64), pool()),
        *(Fire(128, 32, 128), Fire(256, 32, 128), pool()),
        *(Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256)),
    )


def alexnet_features() -> nn.Sequential:
    """The feature layers of AlexNet, in its version of one column."""
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, stride=2)),
    )


def vgg16_features(width: int = 64) -> nn.Sequential:
    """The feature layers of VGG16; `width` is 64 for the published network."""
    layers: list[nn.Module] = []
    channels = 3
    for step in VGG16_PLAN:
        if isinstance(step, int):
            layers += [nn.Conv2d(channels, step * width, 3, padding=1), nn.ReLU()]
            channels = step * width
        else:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


FEATURES = {"squeeze": squeezenet_features, "alex": alexnet_features, "vgg": vgg16_features}


def tapped(layers: nn.Sequential, taps: Sequence[int], x: Tensor) -> list[Tensor]:
    """What leaves the layers with the numbers `taps` (ascending) when `x` goes in; later layers are not run."""
    outputs = []
    for number, layer in enumerate(list(layers)[: taps[-1] + 1]):
        x = layer(x)
        if number in taps:
            outputs.append(x)
    return outputs


def unset_features(network: str, width: int = 64) -> nn.Sequential:
    """Frozen feature layers whose weights are all not-a-number; torch's random generator is not touched."""
    with torch.device("meta"):
        layers = vgg16_features(width) if network == "vgg" else FEATURES[network]()
    layers.to_empty(device="cpu").requires_grad_(False).eval()
    for parameter in layers.parameters():
        parameter.fill_(torch.nan)
    return layers


def random_features(network: str, seed: int = 0, width: int = 64) -> nn.Sequential:
    """Frozen feature layers with weights (He 2015) that are a function of `seed` alone."""
    layers = unset_features(network, width)
    generator = torch_generator(seed, "random features", network)
    for module in layers.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    return layers


def load_features(folder: Path, network: str) -> nn.Sequential:
    """Frozen feature layers with the trained weights from `folder`, in float32."""
    layers = unset_features(network)
    _, weights = _checked_weights(folder, network)
    layers.load_state_dict({name: value.float() for name, value in weights.items()})
    return layers


def weights_file(folder: Path, network: str) -> Path:
    """The file in `folder` that should hold this network's weights; only its presence is checked."""
    published = PUBLISHED[network]
    found = sorted(Path(folder).glob(published.pattern))
    if not found:
        raise InputError(
            f"{folder}: no weights of {published.title} ({published.pattern}). {_advice(network)}"
        )
    exact = [path for path in found if path.name == published.file]
    if len(found) > 1 and not exact:
        names = ", ".join(path.name for path in found)
        raise InputError(
            f"{folder}: several files for {published.title} ({names}). Keep one. {_advice(network)}"
        )
    return (exact or found)[0]


def find_weights(folder: Path, network: str) -> Path:
    """The file in `folder` with this network's weights, after its content has been checked."""
    return _checked_weights(folder, network)[0]


def download_weights(folder: Path, network: str) -> Path:
    """Downloads the published file into `folder`, checks its hash, and returns its path; one in place is kept."""
    published = PUBLISHED[network]
    path = Path(folder) / published.file
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # Writes under another name, checks the hash, then renames.
            torch.hub.download_url_to_file(published.address, str(path), published.hash_prefix)
        except (OSError, URLError, RuntimeError) as error:
            raise InputError(
                f"{published.address}: the download into {folder} failed ({error}). Try again, or fetch the file "
                f"by other means; its SHA-256 begins with {published.hash_prefix}."
            ) from error
    return find_weights(folder, network)


def _checked_weights(folder: Path, network: str) -> tuple[Path, dict[str, Tensor]]:
    path = weights_file(folder, network)
    _check_hash(path, network)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"{path}: damaged, or not a file of weights ({type(error).__name__}). {_advice(network)}"
        ) from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no table of weights. {_advice(network)}")
    prefix = "features."
    weights = {str(k).removeprefix(prefix): v for k, v in content.items() if str(k).startswith(prefix)}
    expected = unset_features(network).state_dict()
    differing = [
        f"{prefix}{name}"
        for name in sorted(expected.keys() | weights.keys())
        if name not in weights
        or name not in expected
        or getattr(weights[name], "shape", None) != expected[name].shape
    ]
    if differing:
        raise InputError(
            f"{path}: not the weights of {PUBLISHED[network].title}: {', '.join(differing[:3])} "
            f"{'and more ' if len(differing) > 3 else ''}missing, unknown or of another shape. {_advice(network)}"
        )
    return path, weights


def _check_hash(path: Path, network: str) -> None:
    """A name such as vgg16-397923af.pth promises the first digits of the file's SHA-256."""
    promised = re.search(r"-([0-9a-f]{8,})\.pth$", path.name)
    if promised is None:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(promised[1]):
        raise InputError(
            f"{path}: damaged, because its SHA-256 begins with {found[: len(promised[1])]} and not with "
            f"{promised[1]}. Delete it. {_advice(network)}"
        )


def _advice(network: str) -> str:
    published = PUBLISHED[network]
    return (
        f"Expected {published.file} from {published.address} ({published.size_mb:g} MB, SHA-256 begins with "
        f"{published.hash_prefix}): run `brainuad download-weights {network}`, or put the file there, or name the "
        "folder that holds it with perceptual_weights in config.yaml. The setting `weights: random` needs no file, "
        "for trials only."
    )

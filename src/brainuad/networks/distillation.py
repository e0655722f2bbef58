"""Teacher and cloner of multiresolution knowledge distillation (MKD).

Salehi et al. 2021, Multiresolution knowledge distillation for anomaly detection, CVPR, section 3. The cloner is
the released code's smaller one ("B"): as deep as VGG16 and as wide only where features are compared.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor, nn

from brainuad.networks.pretrained import load_features, random_features, tapped, unset_features
from brainuad.networks.settings import DistillationSettings

# The 13 outputs of each network: after every ReLU that no pooling follows, and after every pooling.
TEACHER_TAPS = (1, 4, 6, 9, 11, 13, 16, 18, 20, 23, 25, 27, 30)
CLONER_TAPS = (2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 32, 35, 38)
# VGG16's blocks: width in multiples of the first block's, and number of convolutions before the pooling.
BLOCKS = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))


class TeacherAndCloner(nn.Module):
    """A frozen teacher and a trainable cloner that see the same image (batch, 3, x, y)."""

    def __init__(self, settings: DistillationSettings) -> None:
        super().__init__()
        self.settings = settings
        if settings.weights == "random":
            self.teacher = random_features("vgg", width=settings.teacher_width)
        else:
            # Until its weights are loaded, no number comes out of it.
            self.teacher = unset_features("vgg")
        self.cloner = cloner_layers(settings.teacher_width, settings.cloner_width)

    def load_pretrained(self, folder: Path) -> None:
        """Takes the teacher's weights from `folder`, unless they are random."""
        if self.settings.weights == "pretrained":
            self.teacher = load_features(folder, "vgg")

    def forward(self, v: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """The 13 outputs of the teacher and those of the cloner."""
        return tapped(self.teacher, TEACHER_TAPS, v), tapped(self.cloner, CLONER_TAPS, v)


def cloner_layers(teacher_width: int, cloner_width: int) -> nn.Sequential:
    """The cloner: 3 x 3 convolutions without bias, normalised except before a pooling.

    The last convolution of each block but the first has the teacher's width, the others `cloner_width`.
    """
    layers: list[nn.Module] = []
    channels = 3
    for block, (multiple, convolutions) in enumerate(BLOCKS):
        for number in range(convolutions):
            last = number == convolutions - 1
            width = multiple * teacher_width if last and block > 0 else cloner_width
            convolution = nn.Conv2d(channels, width, 3, padding=1, bias=False)
            nn.init.xavier_uniform_(convolution.weight)
            layers += [convolution] if last else [convolution, nn.BatchNorm2d(width)]
            layers.append(nn.ReLU())
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


@contextmanager
def guided_relus(layers: nn.Module) -> Iterator[None]:
    """Images that pass `layers` within have guided gradients (Springenberg 2015).

    A ReLU then lets a gradient back only where its input and the gradient are both positive.
    """

    def guide(relu: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if inputs[0].requires_grad:
            inputs[0].register_hook(lambda gradient: gradient.clamp(min=0))

    relus = [module for module in layers.modules() if isinstance(module, nn.ReLU)]
    handles = [relu.register_forward_pre_hook(guide) for relu in relus]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()

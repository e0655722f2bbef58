"""How similar a pseudo-healthy image is to the image it was made from.

The whole image: mean squared error, SSIM (Wang 2004; Bercea 2023, AutoDDPM, Table 1) and LPIPS (Zhang 2018). Inside
a planted anomaly, against the image before it was planted: squared error and LPIPS (Bercea 2023, RA, Table 1).
"""

import math
from pathlib import Path

import numpy as np
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from brainuad.inference.similarity_settings import SimilaritySettings
from brainuad.networks.perceptual import PerceptualDistance
from brainuad.networks.settings import PerceptualSettings

COLUMNS = ("mse", "ssim", "lpips", "mse_lesion", "lpips_lesion")
# Side of SSIM's window, which scikit-image and the authors use.
WINDOW = 7
BATCH = 64


def build_perceptual(settings: SimilaritySettings, weights_folder: Path) -> PerceptualDistance | None:
    """The perceptual distance that is asked for, with its weights; None if none is."""
    if settings.lpips == "none":
        return None
    chosen = PerceptualSettings(network=settings.lpips, weights=settings.weights)
    perceptual = PerceptualDistance(chosen)
    perceptual.load_pretrained(weights_folder)
    return perceptual


def similarity(
    rec: Tensor, x: Tensor, perceptual: PerceptualDistance | None = None
) -> dict[str, float | None]:
    """`mse`, `ssim` and `lpips` between the pseudo-healthy `rec` and its input `x`, (slice, channel, x, y).

    Every pixel counts, background included. LPIPS is None without `perceptual`; SSIM of slices below 3 pixels too.
    """
    return {
        "mse": finite(float((rec - x).square().mean())),
        "ssim": mean_ssim(rec.cpu().numpy(), x.cpu().numpy()),
        "lpips": None if perceptual is None else finite(float(perceptual_map(rec, x, perceptual).mean())),
    }


def lesion_similarity(
    rec: Tensor, clean: Tensor, lesion: Tensor, perceptual: PerceptualDistance | None = None
) -> dict[str, float | None]:
    """`mse_lesion` and `lpips_lesion`: means inside the mask m = `lesion` (slice, x, y), None if it is empty.

    sum((rec - clean)^2 m) / sum(m) and sum(S(rec, clean) m) / sum(m), with the map S of LPIPS, which is made of the
    whole slices; both are averaged over the channels.
    """
    if not bool(lesion.any()):
        return {"mse_lesion": None, "lpips_lesion": None}
    # Slices without a lesion do not count, and need not be looked at.
    touched = lesion.any(dim=(1, 2))
    rec, clean, lesion = rec[touched], clean[touched], lesion[touched]
    squared = (rec - clean).square().mean(dim=1)  # (slice, x, y)
    found = {"mse_lesion": finite(float(squared[lesion].mean())), "lpips_lesion": None}
    if perceptual is not None:
        found["lpips_lesion"] = finite(float(perceptual_map(rec, clean, perceptual)[lesion].mean()))
    return found


def mean_ssim(rec: np.ndarray, x: np.ndarray) -> float | None:
    """SSIM of images (slice, channel, x, y) for values in [0, 1], averaged over slices and channels.

    A slice that is smaller than the window takes the largest odd window that fits; below 3 pixels there is none.
    """
    window = min(WINDOW, *x.shape[2:])
    window -= 1 - window % 2
    if window < 3:
        return None
    size = x.shape[2:]
    pairs = zip(rec.reshape(-1, *size), x.reshape(-1, *size), strict=True)
    return finite(
        float(np.mean([structural_similarity(*pair, win_size=window, data_range=1) for pair in pairs]))
    )


@torch.no_grad()
def perceptual_map(a: Tensor, b: Tensor, perceptual: PerceptualDistance) -> Tensor:
    """LPIPS at each pixel (slice, x, y) of images (slice, channel, x, y), which are clipped to [0, 1].

    Each channel is a grey image of its own, and their maps are averaged.
    """
    slices, channels = a.shape[:2]
    grey_a, grey_b = (images.clamp(0, 1).flatten(0, 1)[:, None] for images in (a, b))
    pairs = zip(grey_a.split(BATCH), grey_b.split(BATCH), strict=True)
    distance = torch.cat([perceptual.distance(*pair) for pair in pairs])
    return distance[:, 0].unflatten(0, (slices, channels)).mean(dim=1)


def finite(value: float) -> float | None:
    """The value, or None if it is infinite or not a number."""
    return value if math.isfinite(value) else None

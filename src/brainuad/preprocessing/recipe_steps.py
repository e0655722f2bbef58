"""The steps of a recipe, applied to one subject: images, masks and affine move together.

Sources: Kascenas 2023, section 4.1 (percentile, slices, bilinear 128); Behrendt 2023, section 3.1 (crop,
rescale, halve); Frotscher 2023, section 4.1 (percentile, 128; histograms matched to one subject; FLAIR equalised
before it is resized).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import SimpleITK as sitk

from brainuad.errors import ScanError
from brainuad.preprocessing.bias import correct_brain_bias
from brainuad.preprocessing.equalise import equalise
from brainuad.preprocessing.histogram import Reference, match_histograms
from brainuad.preprocessing.recipes import (
    BiasCorrect,
    CropOrPad,
    CropToBrain,
    KeepEqualised,
    KeepSlices,
    MatchHistogram,
    Normalise,
    PadToSquare,
    Resample,
    ResizeInPlane,
    Smooth,
)
from brainuad.preprocessing.settings import N4Settings


@dataclass(frozen=True)
class Scan:
    """One subject on one grid: images (channel, x, y, z) float32, masks (x, y, z) bool, affine 4 × 4.

    `bias_corrected` says whether preprocessing has run N4 already, `modalities` names the channels. `equalised`
    (x, y, z) is the copy of a modality that a step has equalised; `lesion_slices` (z,) says which slices showed a
    lesion before they were resized.
    """

    images: np.ndarray
    brain: np.ndarray
    lesion: np.ndarray
    affine: np.ndarray
    bias_corrected: bool = False
    modalities: tuple[str, ...] = ()
    equalised: np.ndarray | None = None
    lesion_slices: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along x, y and z."""
        return self.brain.shape  # type: ignore[return-value]

    @property
    def spacing_mm(self) -> np.ndarray:
        """Voxel size along x, y and z."""
        return np.linalg.norm(self.affine[:3, :3], axis=0)


def apply_steps(scan: Scan, steps: Sequence[Any], references: Mapping[str, Reference] = {}) -> Scan:
    """The scan after every step of a recipe; a scan that a step cannot treat is a `ScanError`.

    `references` are the subjects of other data sets whose histograms are matched, by data set; their channels are
    those of the scan.
    """
    for step in steps:
        if isinstance(step, MatchHistogram):
            matched = match_histograms(scan.images, references[step.dataset].images, step)
            scan = replace(scan, images=matched)
        else:
            scan = _STEPS[type(step)](scan, step)
    return scan


def _window(scan: Scan, start: np.ndarray, size: np.ndarray) -> Scan:
    """The box of `size` voxels whose first voxel is `start`; what lies outside the scan is 0."""
    stop = start + size
    low, high = np.maximum(start, 0), np.minimum(stop, scan.shape)
    if (low >= high).any():
        raise ScanError(f"the crop leaves nothing of a volume of {scan.shape} voxels")
    inside = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    padding = [(int(a), int(b)) for a, b in zip(low - start, stop - high, strict=True)]
    slices = scan.lesion_slices
    return replace(
        _moved(scan, lambda images: np.pad(images[:, *inside], [(0, 0), *padding])),
        lesion_slices=None if slices is None else np.pad(slices[inside[2]], padding[2]),
        brain=np.pad(scan.brain[inside], padding),
        lesion=np.pad(scan.lesion[inside], padding),
        affine=_on_new_grid(scan.affine, scale=np.ones(3), offset=start),
    )


def lesion_slices(scan: Scan) -> np.ndarray:
    """Which axial slices show a lesion, (z,) bool: before they were resized, where they were."""
    return np.asarray(scan.lesion.any(axis=(0, 1))) if scan.lesion_slices is None else scan.lesion_slices


def _moved(scan: Scan, change: Callable[[np.ndarray], np.ndarray]) -> Scan:
    """The scan with its images, and an equalised copy as one more of them, after a change of (channel, x, y, z)."""
    kept = None if scan.equalised is None else change(scan.equalised[None])[0]
    return replace(scan, images=change(scan.images), equalised=kept)


def _on_new_grid(affine: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """The affine of a grid whose voxel i lies at voxel `scale * i + offset` of the old one."""
    step = np.eye(4)
    step[:3, :3] = np.diag(scale)
    step[:3, 3] = offset
    return affine @ step


def _crop_to_brain(scan: Scan, step: CropToBrain) -> Scan:
    if not scan.brain.any():
        raise ScanError("the brain mask is empty")
    corners = [np.flatnonzero(scan.brain.any(axis=axes))[[0, -1]] for axes in ((1, 2), (0, 2), (0, 1))]
    first, last = np.transpose(corners)
    start = np.maximum(first - step.margin, 0)
    stop = np.minimum(last + 1 + step.margin, scan.shape)
    return _window(scan, start, stop - start)


def _crop_or_pad(scan: Scan, step: CropOrPad) -> Scan:
    unit = scan.spacing_mm if step.unit == "mm" else np.ones(3)
    size = [
        have if want is None else max(round(want / one), 1)
        for want, have, one in zip(step.size, scan.shape, unit, strict=True)
    ]
    difference = np.subtract(size, scan.shape)
    before = np.sign(difference) * ((np.abs(difference) + 1) // 2)
    return _window(scan, -before, np.array(size))


def _normalise(scan: Scan, step: Normalise) -> Scan:
    region = scan.brain if step.region == "brain" else np.ones(scan.shape, dtype=bool)
    images = np.empty_like(scan.images)
    for channel, image in enumerate(scan.images):
        low, high = _limits(image[region & (image > 0)] if step.region == "positive" else image[region], step)
        if not high > low:
            raise ScanError(f"image {channel + 1} has no contrast to normalise in the region '{step.region}'")
        images[channel] = (image - low) / (high - low)
    return replace(scan, images=images.clip(0, 1) if step.clip else images)


def _limits(values: np.ndarray, step: Normalise) -> tuple[float, float]:
    """The intensities that become 0 and 1."""
    if step.method == "window":
        return step.lower or 0.0, step.upper
    if not values.size:
        raise ScanError(f"no voxel in the region '{step.region}'")
    low = 0.0 if step.lower is None else float(np.percentile(values, step.lower))
    return low, float(np.percentile(values, step.upper))


def _resample(scan: Scan, step: Resample) -> Scan:
    spacing = np.array(step.spacing_mm) if step.spacing_mm else scan.spacing_mm * step.factor
    scale = spacing / scan.spacing_mm
    size = np.ceil(np.array(scan.shape) / scale - 1e-3).astype(int)
    offset = (scale - 1) / 2
    reference = (size.tolist(), scale.tolist(), offset.tolist())
    kind = sitk.sitkBSpline if step.interpolation == "b-spline" else sitk.sitkLinear
    return replace(
        _moved(scan, lambda images: np.stack([_on_grid(image, reference, kind) for image in images])),
        lesion_slices=None,  # they are judged on the new slices
        brain=_on_grid(scan.brain.astype(np.uint8), reference, sitk.sitkNearestNeighbor) > 0,
        lesion=_on_grid(scan.lesion.astype(np.uint8), reference, sitk.sitkNearestNeighbor) > 0,
        affine=_on_new_grid(scan.affine, scale, offset),
    )


def _on_grid(volume: np.ndarray, reference: tuple[list, list, list], interpolation: int) -> np.ndarray:
    """The volume (x, y, z), whose voxels are the unit, on a grid of (size, spacing, origin)."""
    size, spacing, origin = reference
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.T))
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize(size)
    resampler.SetOutputSpacing(spacing)
    resampler.SetOutputOrigin(origin)
    resampler.SetInterpolator(interpolation)
    resampler.UseNearestNeighborExtrapolatorOn()  # half a voxel of the border lies outside the old centres
    return sitk.GetArrayFromImage(resampler.Execute(image)).T


def _resize_in_plane(scan: Scan, step: ResizeInPlane) -> Scan:
    import torch
    from torch.nn.functional import interpolate

    def resize(volumes: np.ndarray, **options: Any) -> np.ndarray:
        slices = torch.from_numpy(np.ascontiguousarray(volumes.transpose(3, 0, 1, 2)))  # (z, channel, x, y)
        resized = interpolate(slices, size=(step.size, step.size), **options)
        return resized.numpy().transpose(1, 2, 3, 0)

    masks = np.stack([scan.brain, scan.lesion]).astype(np.float32)
    brain, lesion = resize(masks, mode="nearest-exact" if step.masks == "nearest" else "bilinear")
    scale = np.array([scan.shape[0] / step.size, scan.shape[1] / step.size, 1.0])
    return replace(
        _moved(scan, lambda images: resize(images, mode="bilinear", antialias=step.antialias)),
        lesion_slices=lesion_slices(scan),
        brain=brain > 0.5,
        lesion=lesion > (0 if step.masks == "linear-gt0" else 0.5),
        affine=_on_new_grid(scan.affine, scale, (scale - 1) / 2),
    )


def _keep_slices(scan: Scan, step: KeepSlices) -> Scan:
    depth = scan.shape[2]
    if step.above is not None:
        kept = np.flatnonzero(scan.images.mean(axis=0).sum(axis=(0, 1), dtype=np.float64) > step.above)
        first, last = (kept[0], kept[-1]) if kept.size else (0, -1)
    elif step.trim is not None:
        first, last = step.trim[0], depth - 1 - step.trim[1]
    elif step.middle:
        first = last = depth // 2
    else:
        first, last = step.first or 0, depth - 1 if step.last is None else min(step.last, depth - 1)
    if first > last:
        raise ScanError(f"no axial slice of {depth} is left")
    start, size = np.array([0, 0, first]), np.array([*scan.shape[:2], last - first + 1])
    return _window(scan, start, size)


def _pad_to_square(scan: Scan, step: PadToSquare) -> Scan:
    missing = [max(scan.shape[:2]) - size for size in scan.shape[:2]]
    padding = [((count + 1) // 2, count // 2) for count in missing] + [(0, 0)]
    start = np.array([-before for before, _ in padding])

    def padded(images: np.ndarray) -> np.ndarray:
        return np.stack([np.pad(image, padding, constant_values=image.min()) for image in images])

    return replace(
        _moved(scan, padded),
        brain=np.pad(scan.brain, padding),
        lesion=np.pad(scan.lesion, padding),
        affine=_on_new_grid(scan.affine, scale=np.ones(3), offset=start),
    )


def _smooth(scan: Scan, step: Smooth) -> Scan:
    def smooth(image: np.ndarray) -> np.ndarray:
        volume = sitk.GetImageFromArray(np.ascontiguousarray(image.T))
        volume.SetSpacing(scan.spacing_mm.tolist())
        flow = sitk.CurvatureFlow(volume, timeStep=step.time_step, numberOfIterations=step.iterations)
        return sitk.GetArrayFromImage(flow).T

    return replace(scan, images=np.stack([smooth(image) for image in scan.images]))


def _bias_correct(scan: Scan, step: BiasCorrect) -> Scan:
    if scan.bias_corrected:
        return scan
    settings = N4Settings(**step.model_dump(exclude={"step"}))

    def as_volume(array: np.ndarray) -> sitk.Image:
        volume = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
        volume.SetSpacing(scan.spacing_mm.tolist())
        return volume

    brain = as_volume(scan.brain.astype(np.uint8))

    def correct(image: np.ndarray) -> np.ndarray:
        return sitk.GetArrayFromImage(correct_brain_bias(as_volume(image), brain, settings)).T

    return replace(scan, images=np.stack([correct(image) for image in scan.images]), bias_corrected=True)


def _keep_equalised(scan: Scan, step: KeepEqualised) -> Scan:
    volume = scan.images[scan.modalities.index(step.modality)]
    inside = volume > 0 if step.region == "positive" else scan.brain
    return replace(scan, equalised=equalise(volume, inside, step.bins))


_STEPS: dict[type, Callable[[Scan, Any], Scan]] = {
    CropToBrain: _crop_to_brain,
    CropOrPad: _crop_or_pad,
    Normalise: _normalise,
    Resample: _resample,
    ResizeInPlane: _resize_in_plane,
    KeepSlices: _keep_slices,
    PadToSquare: _pad_to_square,
    Smooth: _smooth,
    BiasCorrect: _bias_correct,
    KeepEqualised: _keep_equalised,
}

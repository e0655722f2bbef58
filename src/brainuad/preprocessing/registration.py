"""Rigid and affine registration by mutual information (Mattes 2003), the same result on every machine load.

Transforms lead from points of the fixed image to points of the moving one, as SimpleITK has it. The metric
looks at a regular share of the voxels with a fixed seed and in one thread, so no sum depends on the number of
threads and a second run gives the same bits.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import SimpleITK as sitk

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.geometry import bounding_box, cut, isotropic, itk_threads, voxels_by_axis

BINS = 32
# Registration needs no finer voxels than these; they only cost time.
WORKING_MM = 2.0
ITERATIONS = 200
# Longest and shortest step; longer affine steps leap over the optimum.
RIGID_STEP_MM = 2.0
AFFINE_STEP_MM = 0.5
SHORTEST_STEP_MM = 0.02
SAMPLING_SEED = 1
# Words of ITK where there is not enough memory: a fault of the machine and not of the scan.
NO_MEMORY = ("allocate memory", "bad_alloc")
# Turns of the head (nod, tilt to the shoulder, to the side) from which the search for the atlas starts.
NODS_DEG = ((-25.0, 0.0, 0.0), (0.0, 0.0, 0.0), (25.0, 0.0, 0.0))
# Nobody holds the head of a patient in CT straight.
TURNS_DEG = tuple(product((-25.0, 0.0, 25.0), (-20.0, 0.0, 20.0), (-25.0, 0.0, 25.0)))
# The masks of two brains are compared on cubes of this size, after smoothing.
MASK_MM = 5.0
MASK_SMOOTHING_MM = 6.0
# So many of the best starts are followed.
FOLLOWED = 2
# The metric looks at the brain and this much around it.
MARGIN_MM = 6.0
# Gradients below the first end a search by default; with bone, whose metric is flat, that is too early.
USUAL_GRADIENT = 1e-4
SMALL_GRADIENT = 1e-8


@dataclass(frozen=True)
class Level:
    """One resolution: factor over `WORKING_MM`, smoothing in mm, share of the voxels that the metric uses."""

    shrink: int
    smoothing_mm: float
    share: float


RIGID_LEVELS = (Level(4, 4.0, 1.0), Level(2, 2.0, 0.5))
FINEST = Level(1, 0.0, 0.1)
AFFINE_LEVELS = (Level(2, 2.0, 0.5), FINEST)
# Two modalities of one head: no affine step follows, so the rigid one goes to full resolution.
COREGISTRATION_LEVELS = (*RIGID_LEVELS, FINEST)
# CT is noisy and its brain has little contrast: more smoothing, more voxels and fewer bins than for MRI.
HEAD_LEVELS = (Level(4, 4.0, 1.0), Level(2, 3.0, 1.0), Level(1, 2.0, 0.5))
HEAD_BINS = 16
COARSE_LOOK = Level(1, 0.0, 0.05)


@dataclass(frozen=True)
class Registered:
    """The transform from fixed to moving points, and the mutual information it reaches (nats, >= 0)."""

    transform: sitk.AffineTransform
    mutual_information: float


def register_to_atlas(
    atlas: sitk.Image, atlas_mask: sitk.Image, brain: sitk.Image, brain_mask: sitk.Image, kind: str
) -> Registered:
    """The transform (`rigid` or `affine`) from the atlas brain to a subject's brain.

    It starts from the centres of both masks and a few nods of the head, takes the best, and refines it first
    rigidly, then affinely.
    """
    centre, target = _centre(atlas_mask), _centre(brain_mask)
    starts = [_euler(centre, target - centre, turn) for turn in NODS_DEG]
    with itk_threads(1):
        pair = _Pair.of(atlas, atlas_mask, brain)
        rigid = pair.optimise(pair.best(starts), RIGID_LEVELS if kind == "affine" else COREGISTRATION_LEVELS)
        return rigid if kind == "rigid" else pair.optimise(_around(centre, rigid.transform), AFFINE_LEVELS)


def register_head(
    target: sitk.Image, atlas_mask: sitk.Image, head: sitk.Image, brain_mask: sitk.Image, kind: str
) -> Registered:
    """The transform (`rigid` or `affine`) from the head of an atlas (`target`) to that of a CT.

    The masks of both brains find the pose from many turns of the head; mutual information, in which the inner edge of
    the skull counts most, refines it.
    """
    centre = _centre(atlas_mask)
    starts = [_euler(centre, _centre(brain_mask) - centre, turn) for turn in TURNS_DEG]
    with itk_threads(1):
        pair = _Pair.of(target, atlas_mask, head)
        pair = replace(pair, bins=HEAD_BINS, smallest_gradient=SMALL_GRADIENT)
        rigid = pair.optimise(_align_masks(atlas_mask, brain_mask, starts), HEAD_LEVELS)
        return rigid if kind == "rigid" else pair.optimise(_around(centre, rigid.transform), HEAD_LEVELS[1:])


def register_rigidly(fixed: sitk.Image, region: sitk.Image | None, moving: sitk.Image) -> Registered:
    """The rigid transform from one modality to another of the same subject.

    The metric covers `region` of the fixed image, or all of it. It starts from the scanner's coordinates or,
    where that fits better, from the centres of both images.
    """
    everything = _everywhere(fixed)
    centre = _centre(region or everything)
    shift = _centre(_everywhere(moving)) - _centre(everything)
    starts = [_euler(centre, np.zeros(3)), _euler(centre, shift)]
    with itk_threads(1):
        pair = _Pair.of(fixed, region or everything, moving)
        return pair.optimise(pair.best(starts), COREGISTRATION_LEVELS)


def mutual_information(
    fixed: sitk.Image, region: sitk.Image, moving: sitk.Image, transform: sitk.Transform
) -> float:
    """The mutual information (nats, >= 0) of two images in a region under a transform; 0 without overlap."""
    with itk_threads(1):
        return max(0.0, -_Pair.of(fixed, region, moving).cost(transform, FINEST))


def then(first: sitk.AffineTransform, second: sitk.AffineTransform) -> sitk.AffineTransform:
    """The single transform that maps a point by `first` and the result by `second`."""
    return affine_from_matrix(matrix_of(second) @ matrix_of(first))


def matrix_of(transform: sitk.Transform) -> np.ndarray:
    """The 4 x 4 matrix of a linear transform (in SimpleITK's world: left, back, top)."""
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    matrix = np.eye(4)
    for axis in range(3):
        matrix[:3, axis] = np.array(transform.TransformPoint(np.eye(3)[axis].tolist())) - origin
    matrix[:3, 3] = origin
    return matrix


def affine_from_matrix(matrix: np.ndarray) -> sitk.AffineTransform:
    """The SimpleITK transform of a 4 x 4 matrix."""
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetTranslation(matrix[:3, 3].tolist())
    return transform


@dataclass(frozen=True)
class _Pair:
    """Two images made ready for the metric: coarse, and the fixed one cut to its region."""

    fixed: sitk.Image
    region: sitk.Image
    moving: sitk.Image
    bins: int = BINS
    smallest_gradient: float = USUAL_GRADIENT

    @staticmethod
    def of(fixed: sitk.Image, region: sitk.Image, moving: sitk.Image) -> "_Pair":
        box = bounding_box(region, 2 * MARGIN_MM)
        coarse = isotropic(cut(fixed, box), WORKING_MM)
        coarse_region = sitk.Resample(region, coarse, sitk.Transform(), sitk.sitkNearestNeighbor)
        radius = round(MARGIN_MM / WORKING_MM)
        return _Pair(coarse, sitk.BinaryDilate(coarse_region, [radius] * 3), isotropic(moving, WORKING_MM))

    def best(self, starts: Iterable[sitk.Transform]) -> sitk.Transform:
        """The start with the highest mutual information; the first of equals."""
        return min(starts, key=lambda start: self.cost(start, COARSE_LOOK))

    def cost(self, transform: sitk.Transform, level: Level) -> float:
        """The negative mutual information under a transform."""
        try:
            return float(self._method(transform, (level,)).MetricEvaluate(self.fixed, self.moving))
        except RuntimeError:
            # The images do not overlap here.
            return float("inf")

    def optimise(self, start: sitk.Transform, levels: tuple[Level, ...]) -> Registered:
        """The transform to which `start` leads; images that do not overlap are a `ScanError`."""
        # The optimiser changes the transform in place; a copy keeps `start` as it is.
        transform = type(start)(start)
        method = self._method(transform, levels)
        try:
            method.Execute(self.fixed, self.moving)
        except RuntimeError as error:
            if any(word in str(error) for word in NO_MEMORY):
                raise InputError(
                    "registration: not enough memory. Give the job more (mem_mb), and run again."
                ) from error
            raise ScanError("registration failed: the images do not overlap") from error
        return Registered(affine_from_matrix(matrix_of(transform)), max(0.0, -float(method.GetMetricValue())))

    def _method(self, start: sitk.Transform, levels: tuple[Level, ...]) -> sitk.ImageRegistrationMethod:
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(self.bins)
        method.SetMetricSamplingStrategy(method.REGULAR)
        method.SetMetricSamplingPercentagePerLevel([level.share for level in levels], SAMPLING_SEED)
        method.SetMetricFixedMask(self.region)
        method.SetInterpolator(sitk.sitkLinear)
        affine = isinstance(start, sitk.AffineTransform)
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=AFFINE_STEP_MM if affine else RIGID_STEP_MM,
            minStep=SHORTEST_STEP_MM,
            numberOfIterations=ITERATIONS,
            relaxationFactor=0.5,
            gradientMagnitudeTolerance=self.smallest_gradient,
        )
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetShrinkFactorsPerLevel([level.shrink for level in levels])
        method.SetSmoothingSigmasPerLevel([level.smoothing_mm for level in levels])
        method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
        method.SetInitialTransform(start, inPlace=True)
        return method


def _align_masks(
    fixed: sitk.Image, moving: sitk.Image, starts: Iterable[sitk.Euler3DTransform]
) -> sitk.Euler3DTransform:
    """The rigid transform under which two masks overlap best, from the best of several starts."""
    coarse = [
        sitk.SmoothingRecursiveGaussian(
            isotropic(sitk.Cast(mask, sitk.sitkFloat32), MASK_MM), MASK_SMOOTHING_MM
        )
        for mask in (fixed, moving)
    ]

    def search(start: sitk.Euler3DTransform) -> sitk.ImageRegistrationMethod:
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMeanSquares()
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(
            RIGID_STEP_MM, SHORTEST_STEP_MM, ITERATIONS, gradientMagnitudeTolerance=SMALL_GRADIENT
        )
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetInitialTransform(start, inPlace=True)
        return method

    results = []
    for start in sorted(starts, key=lambda start: search(start).MetricEvaluate(*coarse))[:FOLLOWED]:
        method = search(start)
        method.Execute(*coarse)
        results.append((method.GetMetricValue(), start))
    return min(results, key=lambda result: result[0])[1]


def _centre(mask: sitk.Image) -> np.ndarray:
    centre = [float(counts @ np.arange(len(counts)) / counts.sum()) for counts in voxels_by_axis(mask)]
    return np.array(mask.TransformContinuousIndexToPhysicalPoint(centre))


def _everywhere(image: sitk.Image) -> sitk.Image:
    return sitk.Cast(image * 0 + 1, sitk.sitkUInt8)


def _around(centre: np.ndarray, transform: sitk.Transform) -> sitk.AffineTransform:
    """The same linear transform with its turns and scales about a centre, which the optimiser needs."""
    matrix = matrix_of(transform)
    centred = sitk.AffineTransform(3)
    centred.SetCenter(centre.tolist())
    centred.SetMatrix(matrix[:3, :3].ravel().tolist())
    centred.SetTranslation((matrix[:3, :3] @ centre + matrix[:3, 3] - centre).tolist())
    return centred


def _euler(
    centre: np.ndarray, shift: np.ndarray, turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> sitk.Euler3DTransform:
    transform = sitk.Euler3DTransform()
    transform.SetCenter(centre.tolist())
    transform.SetTranslation(shift.tolist())
    transform.SetRotation(*(float(np.deg2rad(angle)) for angle in turn_deg))
    return transform

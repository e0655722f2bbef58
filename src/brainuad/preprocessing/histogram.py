"""Histogram matching: gives scans of another data set the intensities of one subject that the model may know.

Frotscher 2023 matches every modality of the Shifts data to one subject of BraTS 2021 with SimpleITK, after
registration and before normalisation (Nyul 2000, 10.1109/42.836373).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.derivatives import derivative_path
from brainuad.preprocessing.recipes import MatchHistogram, Recipe
from brainuad.preprocessing.scan import array_from_image, read_scan
from brainuad.storage import read_table

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reference:
    """The subject whose intensities are taken over, and its images (channel, x, y, z) float32."""

    subject: str
    images: np.ndarray


def match_histograms(images: np.ndarray, reference: np.ndarray, step: MatchHistogram) -> np.ndarray:
    """Images (channel, x, y, z) float32 whose histograms are those of the reference's channels.

    Above the mean of each image, quantiles become the quantiles of the reference; below it, where most voxels
    are background, the map is linear and the minimum becomes the reference's minimum.
    """
    return np.stack([_match(*channels, step) for channels in zip(images, reference, strict=True)])


def _match(image: np.ndarray, reference: np.ndarray, step: MatchHistogram) -> np.ndarray:
    if not image.max() > image.min():
        raise ScanError("an image has no contrast, so its histogram cannot be matched")
    matched = sitk.HistogramMatching(
        _as_image(image),
        _as_image(reference),
        numberOfHistogramLevels=step.levels,
        numberOfMatchPoints=step.points,
    )
    return array_from_image(matched).astype(np.float32)


def _as_image(array: np.ndarray) -> sitk.Image:
    return sitk.GetImageFromArray(np.ascontiguousarray(array.T, dtype=np.float64))


def load_references(recipe: Recipe, derivatives: Mapping[str, Path]) -> dict[str, Reference]:
    """The references that a recipe matches to, by data set; `derivatives` maps data sets to their folders."""
    references = {}
    for step in recipe.steps:
        if isinstance(step, MatchHistogram):
            if step.dataset not in derivatives:
                raise InputError(
                    f"match_histogram: the derivatives of {step.dataset!r} are not given. Preprocess it first, and "
                    f"name its folder under `references`."
                )
            references[step.dataset] = load_reference(step, derivatives[step.dataset], recipe.modalities)
    return references


def load_reference(step: MatchHistogram, derivatives_folder: Path, modalities: Sequence[str]) -> Reference:
    """The reference subject of a step, its channels in the order of `modalities`.

    Without a subject in the step it is the first usable one of the quality table that has all of them.
    """
    subject = _choose_subject(step, derivatives_folder, modalities)
    if missing := _missing(derivatives_folder, subject, modalities):
        raise InputError(
            f"match_histogram: subject {subject} of {step.dataset} has no derivative of {', '.join(missing)} in "
            f"{derivatives_folder}. Choose another subject in the recipe, or preprocess these modalities."
        )
    try:
        images = [read_scan(derivative_path(derivatives_folder, subject, m), m) for m in modalities]
    except ScanError as error:
        raise InputError(
            f"match_histogram: subject {subject} of {step.dataset}: {error}. Preprocess it again."
        ) from error
    log.info("histograms are matched to a subject of %s", step.dataset)
    return Reference(subject, np.stack([array_from_image(image) for image in images]))


def _choose_subject(step: MatchHistogram, folder: Path, modalities: Sequence[str]) -> str:
    quality = read_table(folder / "quality.tsv", needs=("subject", "status"))
    usable = quality.loc[quality["status"] == "ok", "subject"].tolist()
    if step.subject is not None:
        if step.subject not in usable:
            raise InputError(
                f"match_histogram: subject {step.subject} of {step.dataset} is not usable; it is not among the "
                f"{len(usable)} with status ok in {folder / 'quality.tsv'}. Modalities wanted: {', '.join(modalities)}."
            )
        return step.subject
    complete = (subject for subject in usable if not _missing(folder, subject, modalities))
    subject: str | None = next(complete, None)
    if subject is None:
        raise InputError(
            f"match_histogram: none of {len(usable)} usable subjects of {step.dataset} has all of "
            f"{', '.join(modalities)} in {folder}. Look at its quality.tsv."
        )
    return subject


def _missing(folder: Path, subject: str, modalities: Sequence[str]) -> list[str]:
    return [m for m in modalities if not derivative_path(folder, subject, m).exists()]

"""One simulated subject: who, which head, lesions and images. A function of (seed, data set, subject)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import cc3d
import nibabel as nib
import numpy as np

from brainuad.atlas import ATLAS_AFFINE, ATLAS_SHAPE
from brainuad.phantom.geometry import Grid, atlas_grid, draw_pose, face, mni_grid, scanner_grid
from brainuad.phantom.head import Head, Model, Slab, make_head, sample_head
from brainuad.phantom.layout import Image, Layout, Scanner, SubjectFacts, part_of, subject_name
from brainuad.phantom.plaques import Plaques, draw_plaques
from brainuad.phantom.scan import Quality, scan
from brainuad.phantom.settings import PhantomSettings
from brainuad.phantom.stroke import Stroke, draw_stroke
from brainuad.phantom.tissues import draw_tissues
from brainuad.phantom.tumour import Tumour, draw_tumour
from brainuad.phantom.warp import Warp, draw_warp
from brainuad.randomness import numpy_generator

TISSUE_VARIATION = 0.03
SIZE_SD = {
    "own": 0.04,
    "shared": 0.04,
    "atlas": 0.01,
    "mni": 0.01,
}  # a registration to the atlas has fitted the size
SHIFT_MM = 4.0
BETWEEN_IMAGES_DEG, BETWEEN_IMAGES_MM = 0.8, 1.0
REGISTRATION_DEG, REGISTRATION_MM = 0.7, 0.7
# Standard deviations of the blur: in the plane of a slice, the range across it, and of a later resampling.
IN_PLANE_MM, THROUGH_PLANE_MM, RESAMPLING_MM = 0.4, (0.5, 1.0), 0.55
FLAW_SPREAD = 0.2

Lesions = Tumour | Plaques | Stroke


@dataclass(frozen=True)
class Subject:
    """What stays the same in all images of one subject."""

    dataset: str
    layout: Layout
    facts: SubjectFacts
    settings: PhantomSettings
    seed: int

    def draws(self, *purpose: str) -> np.random.Generator:
        """The generator of one purpose for this subject."""
        return numpy_generator(self.seed, "phantom", self.dataset, self.facts.subject, *purpose)

    @property
    def scanner(self) -> Scanner:
        """The scanner of the subject's site."""
        return next(scanner for scanner in self.layout.scanners if scanner.site == self.facts.site)


def draw_facts(dataset: str, layout: Layout, number: int, seed: int) -> SubjectFacts:
    """Who the subject with that published number is."""
    subject = subject_name(layout, number)
    rng = numpy_generator(seed, "phantom", dataset, subject, "facts")
    ages = layout.ages
    age = float(np.round(np.clip(rng.normal(ages.mean, ages.sd), ages.youngest, ages.oldest), 2))
    part, sites = part_of(layout, number), [scanner.site for scanner in layout.scanners]
    drawn = sites[rng.integers(len(sites))]
    # Where the partitions are sites, the partition says which.
    site = part if part in sites else drawn
    scan_number = int(rng.integers(800, 2500))
    sex: Literal["F", "M"] = "F" if rng.random() < 0.5 else "M"
    return SubjectFacts(subject, number, site, scan_number, age, sex, part)


def simulate_subject(subject: Subject, model: Model) -> Iterator[tuple[str, nib.Nifti1Image]]:
    """The published volumes of one subject with their roles: modalities, `lesion`, `brain_mask`."""
    head, lesions = _draw_head(subject, model)
    slab: Slab | None = None
    for image in subject.layout.images:
        grid = _grid(subject, image, head)
        if slab is None or subject.layout.alignment == "own":
            slab = sample_head(head, grid, near_brain=subject.layout.brain_only)
            brain = _volume(slab.brain > 0.5, slab, grid)
            yield "brain_mask", _published(brain.astype(np.uint8), grid)
            if lesions is not None:
                shares = lesions.fractions(slab)
                slab = _with_lesions(slab, shares)
                yield "lesion", _published(_draw_outline(lesions, shares, slab, grid), grid)
        voxels = _scan(subject, image, slab, grid)
        if subject.layout.brain_only:
            voxels = voxels * brain
        elif subject.scanner.defaced:
            voxels = np.where(face(grid) & (brain == 0), 0, voxels)
        yield image.modality, _published(np.clip(np.rint(voxels), 0, 32767).astype(np.int16), grid)


def _draw_head(subject: Subject, model: Model) -> tuple[Head, Lesions | None]:
    settings, layout, age = subject.settings, subject.layout, subject.facts.age
    warp = draw_warp(model.guide, age, settings.deformation, SIZE_SD[layout.alignment], subject.draws("warp"))
    lesions = _draw_lesions(subject, model, warp)
    if lesions is not None:
        warp = lesions.push(warp)
    return make_head(model, warp, age, subject.draws("head")), lesions


def _draw_lesions(subject: Subject, model: Model, warp: Warp) -> Lesions | None:
    rng = subject.draws("lesions")
    match subject.layout.lesions:
        case "tumour":
            return draw_tumour(model, warp, subject.settings.tumour_radius_mm, rng)
        case "plaques":
            return draw_plaques(model, warp, subject.settings.plaques, rng)
        case "stroke":
            return draw_stroke(model, warp, rng)
        case "none":
            return None


def _grid(subject: Subject, image: Image, head: Head) -> Grid:
    settings, alignment, centre = subject.settings, subject.layout.alignment, head.model.guide.centre
    if alignment == "atlas":
        return atlas_grid(draw_pose(subject.draws("pose"), REGISTRATION_DEG, REGISTRATION_MM), centre)
    if alignment == "mni":
        return mni_grid(draw_pose(subject.draws("pose"), REGISTRATION_DEG, REGISTRATION_MM), centre)
    pose = draw_pose(subject.draws("pose"), settings.rotation_deg, SHIFT_MM)
    if alignment == "own":
        pose = pose.then(
            draw_pose(subject.draws("pose", image.modality), BETWEEN_IMAGES_DEG, BETWEEN_IMAGES_MM)
        )
    return scanner_grid(image, settings.spacing_mm, pose, centre)


def _scan(subject: Subject, image: Image, slab: Slab, grid: Grid) -> np.ndarray:
    """Stored brightness (x, y, z) float32 of one image."""
    scanner, rng = subject.scanner, subject.draws("scan", image.modality)
    tissues = draw_tissues(scanner.field_tesla, TISSUE_VARIATION, subject.draws("tissues"))
    flaws = np.exp(rng.normal(0, FLAW_SPREAD, 2))
    blur = [IN_PLANE_MM] * 3
    blur[grid.stored_axis(image.slice_axis)] = rng.uniform(*THROUGH_PLANE_MM)
    quality = Quality(
        blur_mm=(blur[0], blur[1], blur[2]),
        noise=scanner.noise * subject.settings.noise * flaws[0],
        bias=scanner.bias * subject.settings.bias * flaws[1],
        resampling_mm=0.0 if subject.layout.alignment == "own" else RESAMPLING_MM,
    )
    return scan(slab, grid, tissues, scanner.sequences[image.modality], quality, rng)


def _with_lesions(slab: Slab, shares: dict[str, np.ndarray]) -> Slab:
    remaining = 1 - np.sum(list(shares.values()), axis=0)
    healthy = {tissue: share * remaining for tissue, share in slab.fractions.items()}
    return replace(slab, fractions=healthy | shares, texture=slab.texture * remaining)


def _draw_outline(lesions: Lesions, shares: dict[str, np.ndarray], slab: Slab, grid: Grid) -> np.ndarray:
    """The label map (x, y, z) uint8 of a rater, who leaves out specks."""
    stacked = np.stack(list(shares.values()))
    values = np.array([lesions.labels[tissue] for tissue in shares], dtype=np.uint8)
    values = np.where(stacked.sum(axis=0) > 0.5, values[stacked.argmax(axis=0)], 0).astype(np.uint8)
    labels = _volume(values, slab, grid)
    voxel_mm3 = abs(np.linalg.det(grid.affine[:3, :3]))
    return np.where(cc3d.dust(labels > 0, threshold=lesions.smallest_mm3 / voxel_mm3), labels, 0).astype(
        np.uint8
    )


def _volume(values: np.ndarray, slab: Slab, grid: Grid) -> np.ndarray:
    volume = np.zeros(grid.shape, dtype=values.dtype)
    volume.ravel()[slab.index] = values
    return volume


def _published(voxels: np.ndarray, grid: Grid) -> nib.Nifti1Image:
    if grid.place is not None:
        whole = np.zeros(ATLAS_SHAPE, dtype=voxels.dtype)
        whole[grid.place] = voxels
        voxels, affine = whole, ATLAS_AFFINE
    else:
        affine = grid.affine
    image = nib.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm")
    return image

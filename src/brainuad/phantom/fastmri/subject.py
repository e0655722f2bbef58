"""One simulated fastMRI scan: a head with at most one kind of finding, in thick slices, with its annotations."""

from dataclasses import dataclass

import numpy as np
from scipy import fft

from brainuad.phantom.fastmri.canvas import Canvas
from brainuad.phantom.fastmri.local import LOCAL
from brainuad.phantom.fastmri.slices import MIDDLE, SLICES, SUBSLICES, Site, slice_grid
from brainuad.phantom.fastmri.whole import ARTEFACTS, SMALL_VESSEL, WHOLE, no_plan
from brainuad.phantom.geometry import draw_pose
from brainuad.phantom.head import Model, make_head, sample_head
from brainuad.phantom.scan import BRIGHTNESS, Quality, scan
from brainuad.phantom.subject import FLAW_SPREAD, SIZE_SD, TISSUE_VARIATION, Subject
from brainuad.phantom.tissues import draw_tissues
from brainuad.phantom.warp import draw_warp

PIXELS = 320
ROTATION_SHARE, SHIFT_MM = (
    0.5,
    2.0,
)  # slices are planned on the head, so it lies straighter than the pose setting
ON_MIDDLE_SHARE = 0.85
STORED_BRIGHTNESS = 1.5e-4  # mean of the head, as in the published reconstructions
IN_PLANE_BLUR_MM = 0.35
VARIANT_EVERY = 10
# The labels of patients, who are every second subject, in turn.
TURNS = (
    *(
        "Edema",
        "Mass",
        "Motion artifact",
        "Enlarged ventricles",
        "Posttreatment change",
        "Nonspecific lesion",
    ),
    *(SMALL_VESSEL, "Resection cavity", "Craniotomy", "Possible artifact", "Dural thickening"),
    *("Nonspecific white matter lesion", "Extra-axial collection", "Encephalomalacia"),
    *(
        "Paranasal sinus opacification",
        "Intraventricular substance",
        "Colpocephaly",
        "Absent septum pellucidum",
    ),
)

Annotation = dict[str, str | int]


@dataclass(frozen=True)
class Simulated:
    """Images by modality, (x, y, z) float32 on an upright grid, and the annotations without the file name."""

    images: dict[str, np.ndarray]
    annotations: list[Annotation]


def label_of(index: int) -> str:
    """The FastMRI+ label of a simulated subject: every second one is healthy."""
    if index % 2:
        return TURNS[index // 2 % len(TURNS)]
    return "Normal variant" if index // 2 % VARIANT_EVERY == VARIANT_EVERY - 1 else "Normal for age"


def simulate_slices(subject: Subject, model: Model, modalities: tuple[str, ...]) -> Simulated:
    """The scans of a subject in some modalities, a function of (seed, data set, subject)."""
    settings, age = subject.settings, subject.facts.age
    label = label_of(subject.facts.number - subject.layout.first_number)
    warp = draw_warp(model.guide, age, settings.deformation, SIZE_SD["own"], subject.draws("warp"))
    pose = draw_pose(subject.draws("pose"), ROTATION_SHARE * settings.rotation_deg, SHIFT_MM)
    grid = slice_grid(settings.spacing_mm, pose, model.guide.centre)
    rng = subject.draws("finding")
    away = rng.choice([-4, -3, 3, 4]) if rng.random() > ON_MIDDLE_SHARE else 0
    plan = (LOCAL | WHOLE).get(label, no_plan)(Site(model, warp, grid, MIDDLE + int(away), rng))
    head = make_head(model, plan.shape(warp, model.guide), age, subject.draws("head"))
    canvas = Canvas(head, grid, sample_head(head, grid), rng)
    plan.paint(canvas)
    images = {modality: _image(subject, canvas, modality, label) for modality in modalities}
    boxes: list[Annotation] = [{"study_level": "No", **box} for box in canvas.boxes(PIXELS)]
    return Simulated(
        images, boxes if label in LOCAL else [{"study_level": "Yes", "slice": 0, "label": label}]
    )


def _image(subject: Subject, canvas: Canvas, modality: str, label: str) -> np.ndarray:
    scanner, rng = subject.scanner, subject.draws("scan", modality)
    tissues = draw_tissues(scanner.field_tesla, TISSUE_VARIATION, subject.draws("tissues"))
    flaws = np.exp(rng.normal(0, FLAW_SPREAD, 2))
    bias = scanner.bias * subject.settings.bias * flaws[1]
    quality = Quality((IN_PLANE_BLUR_MM, IN_PLANE_BLUR_MM, 0.0), noise=0.0, bias=bias)
    planes = scan(canvas.slab, canvas.grid, tissues, scanner.sequences[modality], quality, rng)
    slices = planes.reshape(*planes.shape[:2], SLICES, SUBSLICES).mean(axis=3)
    noise = scanner.noise * subject.settings.noise * flaws[0]
    return _acquire(slices / BRIGHTNESS, noise, label, rng) * np.float32(STORED_BRIGHTNESS)


def _acquire(slices: np.ndarray, noise: float, label: str, rng: np.random.Generator) -> np.ndarray:
    """The magnitude image (x, y, slice) of `PIXELS` pixels a side from as many Fourier coefficients as pixels given."""
    noisy = slices + noise * (rng.standard_normal(slices.shape) + 1j * rng.standard_normal(slices.shape))
    kspace = fft.fftshift(fft.fft2(noisy, axes=(0, 1)), axes=(0, 1))
    if label in ARTEFACTS:
        kspace = ARTEFACTS[label](kspace, rng)
    kspace = _resized(kspace, PIXELS)
    # The centres of the first pixels of both grids are not at one place.
    turns = (np.arange(PIXELS) - PIXELS // 2) * (1 / PIXELS - 1 / slices.shape[0]) / 2
    shift = np.exp(2j * np.pi * turns)
    kspace = kspace * shift[:, None, None] * shift[None, :, None]
    image = fft.ifft2(fft.ifftshift(kspace, axes=(0, 1)), axes=(0, 1))
    return np.abs(image).astype(np.float32) * np.float32((PIXELS / slices.shape[0]) ** 2)


def _resized(kspace: np.ndarray, size: int) -> np.ndarray:
    """The k-space with zeros around it, or cut, so that it is `size` wide; frequency 0 stays at index size // 2."""
    have = kspace.shape[0]
    if have >= size:
        first = have // 2 - size // 2
        return kspace[first : first + size, first : first + size]
    before = size // 2 - have // 2
    after = size - have - before
    return np.pad(kspace, ((before, after), (before, after), (0, 0)))

"""One simulated head CT: slices in Hounsfield units, where they lie, and the mask of its acute findings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from brainuad.phantom.ct import physics
from brainuad.phantom.ct.canvas import AIR_HU, Canvas
from brainuad.phantom.ct.findings import Person, draw_canvas
from brainuad.phantom.ct.protocol import Planes, Protocol, draw_head_pose, lay_planes, slice_planes
from brainuad.phantom.reports.facts import Finding
from brainuad.phantom.settings import PhantomSettings

# An artefact that a report names: movement, or streaks of so many times the usual strength.
STRONG_STREAKS = 9.0
MOVED_SHARE = 0.6


@dataclass(frozen=True)
class Slices:
    """Slices (across, down, slice) float32 in HU; `places` (slice,) are their middles, counted in planes."""

    values: np.ndarray
    planes: Planes
    places: np.ndarray
    thick_mm: np.ndarray

    @property
    def positions(self) -> np.ndarray:
        """The centres of the first pixels in mm, LPS (slice, 3)."""
        along = self.planes.table_mm * self.planes.axes[2]
        return np.asarray(self.planes.origin + self.places[:, None] * along)


@dataclass(frozen=True)
class CtScan:
    """A scan. `thin` are its planes as slices of their own, where an export has them.

    `mask` (x, y, z) uint8 has a value for each finding that a rater outlines; `mask_affine` (RAS+) has right angles.
    """

    slices: Slices
    thin: Slices | None
    mask: np.ndarray | None
    mask_affine: np.ndarray


def simulate_ct(
    person: Person,
    findings: Sequence[Finding],
    protocol: Protocol,
    settings: PhantomSettings,
    rng: np.random.Generator,
) -> CtScan:
    """The scan of a person with these findings; `rng` draws the pose and the flaws of the scan."""
    pose = draw_head_pose(settings.rotation_deg, rng)
    planes = lay_planes(protocol, settings.spacing_mm)
    canvas = draw_canvas(person, findings, planes.grid(pose, person.model.guide.centre))
    volume = physics.add_rest(canvas.volume(canvas.hu, AIR_HU), planes.pixel_mm)
    volume = physics.blurred(volume, planes.pixel_mm)
    flaws = _draw_flaws(findings, protocol, settings, rng)
    parts = slice_planes(protocol, planes.count)
    thin = None
    if protocol.thin_series:
        thin = _sliced(volume, planes, [(number, 1) for number in range(planes.count)], flaws, rng)
    mask, affine = _outline(canvas, planes)
    return CtScan(_sliced(volume, planes, parts, flaws, rng), thin, mask, affine)


def _draw_flaws(
    findings: Sequence[Finding], protocol: Protocol, settings: PhantomSettings, rng: np.random.Generator
) -> physics.Flaws:
    noise = protocol.maker.noise_hu * settings.noise * float(np.exp(rng.normal(0, 0.15)))
    usual = float(np.exp(rng.normal(0, 0.3)))
    if not any(finding.kind == "artefact" for finding in findings):
        return physics.Flaws(noise, usual, moved=False)
    moved = bool(rng.random() < MOVED_SHARE)
    return physics.Flaws(noise, usual if moved else STRONG_STREAKS * usual, moved)


def _sliced(
    volume: np.ndarray,
    planes: Planes,
    parts: list[tuple[int, int]],
    flaws: physics.Flaws,
    rng: np.random.Generator,
) -> Slices:
    """The slices that are means of so many planes from a first one, each with the noise of its thickness."""
    values = np.stack([volume[..., first : first + count].mean(axis=2) for first, count in parts], axis=2)
    places = np.array([first + (count - 1) / 2 for first, count in parts])
    counts = np.array([count for _, count in parts], dtype=np.float32)
    clean = physics.scanned(values, planes.pixel_mm, flaws, rng)
    thinner = np.sqrt(counts.max() / counts) - 1
    if thinner.any():
        extra = rng.standard_normal(values.shape, dtype=np.float32) * np.float32(0.7 * flaws.noise_hu)
        clean = clean + extra * thinner.astype(np.float32)
    return Slices(clean, planes, places, counts * np.float32(planes.distance_mm))


def _outline(canvas: Canvas, planes: Planes) -> tuple[np.ndarray | None, np.ndarray]:
    """The mask on a grid whose axes are at right angles, and its affine; None if nothing is outlined."""
    upright, affine = _upright(planes)
    if not canvas.marks:
        return None, affine
    shares = np.stack([_on(canvas.volume(share), upright) for share in canvas.marks.values()])
    values = np.array(list(canvas.marks), dtype=np.uint8)[shares.argmax(axis=0)]
    whole = shares.max(axis=0)
    # A finding that fills no voxel by half is outlined where it fills most.
    return np.where(whole >= min(0.5, 0.8 * float(whole.max())), values, 0).astype(np.uint8), affine


def _upright(planes: Planes) -> tuple[np.ndarray, np.ndarray]:
    """How voxels of a box round all planes lead to those of the planes (4, 4), and the box's affine (RAS+).

    Its third axis is the normal of the planes. Two planes make one voxel.
    """
    directions = np.stack([planes.axes[0], planes.axes[1], planes.normal], axis=1)
    spacing = np.array([planes.pixel_mm, planes.pixel_mm, 2 * planes.distance_mm])
    lean = planes.table_mm * (planes.count - 1) * float(planes.axes[2] @ planes.axes[1])
    box = np.eye(4)
    box[:3, :3] = directions * spacing
    box[:3, 3] = planes.origin + planes.axes[1] * min(lean, 0.0) + planes.normal * planes.distance_mm / 2
    return np.linalg.inv(planes.to_world) @ box, np.diag([-1.0, -1.0, 1.0, 1.0]) @ box


def _on(volume: np.ndarray, to_planes: np.ndarray) -> np.ndarray:
    """A volume of the planes on the upright box: the mean of the two planes of each voxel."""
    # The box is taller in the direction in which the planes lean.
    lean = abs(round((volume.shape[2] - 1) * to_planes[1, 2] / 2))
    shape = (volume.shape[0], volume.shape[1] + lean, volume.shape[2] // 2)
    half = to_planes[:3, 2] / 4
    both = [
        ndimage.affine_transform(volume, to_planes[:3, :3], to_planes[:3, 3] + sign * half, shape, order=1)
        for sign in (-1, 1)
    ]
    return np.asarray((both[0] + both[1]) / 2)

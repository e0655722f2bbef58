"""The SRI24 head (Rohlfing 2010), segmented once into tissue fractions.

Inside the brain mask the T1 intensity gives the fractions: two ramps, fluid to grey and grey to white matter,
so that the atlas's own partial volume and texture stay. Outside it the atlas is an average of 24 heads in
which skull and scalp are smeared; over the calvarium the depth between brain and skin therefore gives the
layers, elsewhere (face, skull base, neck) the intensity does.
"""

import numpy as np
from scipy import ndimage

from brainuad.phantom.tissues import HEAD_TISSUES, TEXTURE_RANGE
from brainuad.randomness import numpy_generator

Fractions = dict[str, np.ndarray]

# Atlas brain: intensity at half fluid and half grey matter, at half grey and half white; widths of the ramps.
FLUID_GREY, FLUID_GREY_WIDTH = 365.0, 150.0
GREY_WHITE, GREY_WHITE_WIDTH = 620.0, 120.0
# Atlas head: the skin's intensity; outside the calvarium the ramps from dark to soft tissue and on to fat.
HEAD_SURFACE = 430.0
DARK_SOFT = (380.0, 620.0)
SOFT_FAT = (850.0, 1350.0)
# Brain-to-skin distance up to which layers rule, and from which intensity rules.
CALVARIUM_MM = (19.0, 26.0)
FLUID_MM, SKIN_MM = 1.2, 1.8
SKULL_DEPTH, MARROW_DEPTH = 0.52, (0.2, 0.36)
EYES, EYE_RADIUS_MM = ((90.0, 52.0, 49.0), (150.0, 52.0, 49.0)), 11.5
# The atlas fades below FIRST_SLICE and ends at 0; the neck repeats that slice.
NECK_MM, FIRST_SLICE, AIR_MM = 40, 6, 20
NECK_TEXTURE, NECK_TEXTURE_MM = 230.0, 4.0
CORD_MM, CANAL_MM = 5.5, 9.0
SIDE_MARGIN = 24
# Superior sagittal sinus: a band along the midline between the brain and the vault.
MIDLINE, SINUS_WIDTH_MM = 119.5, 7.0
AIR_CAVITY_MM = 5.0


def segment_sri24(head: np.ndarray, brain: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The maps of an `Anatomy`, (channel, x, y, z) uint8 on the anatomy grid, from the atlas volumes."""
    head, brain, mask = (_with_neck(volume) for volume in (head, brain, mask))
    inside = mask > 0
    inside[:, :, : NECK_MM + FIRST_SLICE] = False
    brain = brain.astype(np.float32)
    inner, outer = _inside_skull(brain), _outside_skull(head, inside)
    fractions = {
        tissue: np.where(inside, inner.get(tissue, 0), outer.get(tissue, 0)).astype(np.float32)
        for tissue in HEAD_TISSUES
    }
    texture = _white_texture(brain, fractions["white"])
    channels = [*fractions.values(), texture, inside.astype(np.float32)]
    return np.stack([np.rint(255 * channel).astype(np.uint8) for channel in channels])


def _with_neck(volume: np.ndarray) -> np.ndarray:
    volume = volume[SIDE_MARGIN:-SIDE_MARGIN, :, FIRST_SLICE:]
    volume = np.pad(volume, ((0, 0), (0, 0), (NECK_MM + FIRST_SLICE, 0)), mode="edge")
    return np.pad(volume, ((0, 0), (0, 0), (0, AIR_MM)))


def _ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((values - low) / (high - low), 0, 1)


def _inside_skull(brain: np.ndarray) -> Fractions:
    tissue = _ramp(brain, FLUID_GREY - FLUID_GREY_WIDTH / 2, FLUID_GREY + FLUID_GREY_WIDTH / 2)
    white = _ramp(brain, GREY_WHITE - GREY_WHITE_WIDTH / 2, GREY_WHITE + GREY_WHITE_WIDTH / 2)
    return {"csf": 1 - tissue, "grey": tissue - white, "white": white}


def _white_texture(brain: np.ndarray, white: np.ndarray) -> np.ndarray:
    pure = (white > 0.98).astype(np.float32)
    weight = ndimage.gaussian_filter(pure, 8) + 1e-6
    local_mean = ndimage.gaussian_filter(brain * pure, 8) / weight
    texture = np.where(pure > 0, brain / np.maximum(local_mean, 1) - 1, 0)
    return (128 + 127 * np.clip(texture / TEXTURE_RANGE, -1, 1)) / 255


def _outside_skull(head: np.ndarray, inside: np.ndarray) -> Fractions:
    smooth = ndimage.gaussian_filter(head.astype(np.float32), 0.7)
    hull = _hull(ndimage.gaussian_filter(smooth, 1.5) > HEAD_SURFACE) | inside
    to_brain = ndimage.distance_transform_edt(~inside).astype(np.float32)
    to_skin = ndimage.distance_transform_edt(hull).astype(np.float32)
    layered, seen = _calvarium(to_brain, to_skin), _face(smooth + _neck_texture(smooth.shape), to_skin)
    layers = 1 - _ramp(to_brain + to_skin, *CALVARIUM_MM)
    names = layered.keys() | seen.keys()
    mixed = {name: layers * layered.get(name, 0) + (1 - layers) * seen.get(name, 0) for name in names}
    _add_vessels(mixed, to_brain)
    _add_eyes(mixed)
    _add_cord(mixed, inside)
    return {name: np.where(hull, fraction, 0) for name, fraction in mixed.items()}


def _hull(bright: np.ndarray) -> np.ndarray:
    labels, _ = ndimage.label(bright)
    bright = labels == np.bincount(labels.ravel())[1:].argmax() + 1
    closed = ndimage.binary_closing(np.pad(bright, 8, mode="edge"), iterations=8)[8:-8, 8:-8, 8:-8]
    return np.stack([ndimage.binary_fill_holes(closed[:, :, z]) for z in range(closed.shape[2])], axis=2)


def _calvarium(to_brain: np.ndarray, to_skin: np.ndarray) -> Fractions:
    depth = to_brain / np.maximum(to_brain + to_skin, 1)
    fluid = 1 - _ramp(to_brain, FLUID_MM - 0.5, FLUID_MM + 0.5)
    bone = (1 - fluid) * (1 - _ramp(depth, SKULL_DEPTH - 0.05, SKULL_DEPTH + 0.05))
    marrow = bone * _ramp(depth, MARROW_DEPTH[0] - 0.05, MARROW_DEPTH[0] + 0.05)
    marrow = marrow * (1 - _ramp(depth, MARROW_DEPTH[1] - 0.05, MARROW_DEPTH[1] + 0.05))
    scalp = 1 - fluid - bone
    skin = scalp * (1 - _ramp(to_skin, SKIN_MM - 0.5, SKIN_MM + 0.5))
    return {"csf": fluid, "bone": bone - marrow, "marrow": marrow, "fat": scalp - skin, "muscle": skin}


def _face(smooth: np.ndarray, to_skin: np.ndarray) -> Fractions:
    skin = 1 - _ramp(to_skin, SKIN_MM - 0.5, SKIN_MM + 0.5)
    soft, fat = _ramp(smooth, *DARK_SOFT), _ramp(smooth, *SOFT_FAT)
    cavity = ndimage.distance_transform_edt(soft < 0.5) > AIR_CAVITY_MM  # nose, sinuses, mastoid cells
    bone = (1 - skin) * np.where(cavity, 0, 1 - soft)
    return {"bone": bone, "fat": (1 - skin) * fat, "muscle": skin + (1 - skin) * (soft - fat)}


def _neck_texture(shape: tuple[int, ...]) -> np.ndarray:
    noise = numpy_generator(0, "sri24", "neck").standard_normal(shape, dtype=np.float32)
    noise = ndimage.gaussian_filter(noise, NECK_TEXTURE_MM)
    depth = _ramp(-np.arange(shape[2], dtype=np.float32), -NECK_MM - FIRST_SLICE, -NECK_MM + 10)
    return NECK_TEXTURE * (1 + noise / noise.std()) * depth


def _add_vessels(fractions: Fractions, to_brain: np.ndarray) -> None:
    x, y, z = np.ogrid[tuple(slice(0, size) for size in to_brain.shape)]
    midline = np.abs(x + SIDE_MARGIN - MIDLINE) < SINUS_WIDTH_MM / 2
    vault = (z > NECK_MM + 95) | ((y > 150) & (z > NECK_MM + 50))
    sinus = midline & vault & (to_brain > 0) & (to_brain < SINUS_WIDTH_MM)
    sinus = ndimage.gaussian_filter(sinus.astype(np.float32), 0.7)
    for name in fractions:
        fractions[name] = fractions[name] * (1 - sinus)
    fractions["vessel"] = sinus


def _add_eyes(fractions: Fractions) -> None:
    x, y, z = np.ogrid[tuple(slice(0, size) for size in fractions["fat"].shape)]
    for centre in EYES:
        cx, cy, cz = centre[0] - SIDE_MARGIN, centre[1], centre[2] + NECK_MM
        distance = np.sqrt((x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2)
        wall = 1 - _ramp(distance, EYE_RADIUS_MM + 0.5, EYE_RADIUS_MM + 1.5)
        globe = 1 - _ramp(distance, EYE_RADIUS_MM - 0.5, EYE_RADIUS_MM + 0.5)
        for name in fractions:
            fractions[name] = fractions[name] * (1 - wall)
        fractions["muscle"] = fractions["muscle"] + wall - globe
        fractions["vitreous"] = fractions.get("vitreous", 0) + globe


def _add_cord(fractions: Fractions, inside: np.ndarray) -> None:
    lowest = int(np.flatnonzero(inside.any(axis=(0, 1)))[0])
    cx, cy = (float(c.mean()) for c in np.nonzero(inside[:, :, lowest]))
    x, y = np.ogrid[: inside.shape[0], : inside.shape[1]]
    distance = np.hypot(x - cx, y - cy)[:, :, None]
    below = (np.arange(inside.shape[2]) < lowest)[None, None, :]
    canal = below * (1 - _ramp(distance, CANAL_MM - 0.5, CANAL_MM + 0.5))
    cord = below * (1 - _ramp(distance, CORD_MM - 0.5, CORD_MM + 0.5))
    for name in fractions:
        fractions[name] = fractions[name] * (1 - canal)
    fractions["csf"] = fractions["csf"] + canal - cord
    fractions["white"] = cord

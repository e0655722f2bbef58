"""Tissues of the simulated head and what a scanner sees of them.

Relaxation times in ms at 1.5 T and proton densities relative to water, rounded from the literature
(Stanisz 2005, Bojorquez 2017, Collins 1998); fat carries the longer T2 that it shows in fast spin echo.
"""

from dataclasses import dataclass

import numpy as np

from brainuad.phantom.layout import Sequence

# In the order of the anatomy's channels.
HEAD_TISSUES = ("csf", "grey", "white", "fat", "muscle", "bone", "marrow", "vitreous", "vessel")
LESION_TISSUES = ("necrosis", "oedema", "enhancing", "plaque", "cavity", "gliosis")
TISSUES = HEAD_TISSUES + LESION_TISSUES
# An anatomy's texture is stored as 128 + 127 t / TEXTURE_RANGE, t the relative change of the T1 signal.
TEXTURE_RANGE = 0.2


@dataclass(frozen=True)
class Tissue:
    """T1 and T2 in ms, proton density, and T1 in ms after a contrast agent."""

    t1_ms: float
    t2_ms: float
    density: float
    t1_contrast_ms: float


PROPERTIES = {
    "csf": Tissue(4200, 1600, 1.00, 4200),
    "grey": Tissue(1060, 98, 0.83, 1010),
    "white": Tissue(640, 77, 0.71, 625),
    "fat": Tissue(300, 140, 0.60, 300),
    "muscle": Tissue(930, 45, 0.78, 700),
    "bone": Tissue(600, 2, 0.06, 600),
    "marrow": Tissue(450, 60, 0.45, 430),
    "vitreous": Tissue(3400, 900, 1.00, 3400),
    "vessel": Tissue(1400, 25, 0.60, 300),
    "necrosis": Tissue(2300, 320, 0.95, 2200),
    "oedema": Tissue(1450, 165, 0.88, 1430),
    "enhancing": Tissue(1250, 125, 0.86, 360),
    "plaque": Tissue(1350, 170, 0.87, 1250),
    "cavity": Tissue(3400, 900, 0.97, 3400),
    "gliosis": Tissue(1500, 150, 0.86, 1450),
}

FIELD_SCALE_T1 = {1.5: 1.0, 3.0: 1.22}
FLUIDS = ("csf", "vitreous")  # their T1 hardly depends on the field


def draw_tissues(field_tesla: float, variation: float, rng: np.random.Generator) -> dict[str, Tissue]:
    """One subject's tissue properties at a field strength.

    Relaxation times differ from the table by a factor of standard deviation `variation`, densities by half of it.
    """
    drawn = {}
    for name in TISSUES:
        tissue = PROPERTIES[name]
        t1, t2, density = 1 + variation * np.array([1, 1, 0.5]) * rng.standard_normal(3)
        t1 *= 1.0 if name in FLUIDS else FIELD_SCALE_T1[field_tesla]
        drawn[name] = Tissue(
            tissue.t1_ms * t1, tissue.t2_ms * t2, tissue.density * density, tissue.t1_contrast_ms * t1
        )
    return drawn


def signal(tissue: Tissue, sequence: Sequence) -> float:
    """Signed signal of one tissue under a sequence, before magnitude and coil gain.

    spin echo           PD (1 - exp(-TR/T1)) exp(-TE/T2)
    gradient echo       PD sin a (1 - E1) / (1 - cos a E1) exp(-TE/T2),  E1 = exp(-TR/T1)
    inversion recovery  PD (1 - 2 exp(-TI/T1) + exp(-TR/T1)) exp(-TE/T2)
    """
    t1 = tissue.t1_contrast_ms if sequence.contrast_agent else tissue.t1_ms
    e1 = np.exp(-sequence.tr_ms / t1)
    decay = tissue.density * np.exp(-sequence.te_ms / tissue.t2_ms)
    if sequence.kind == "spin-echo":
        return float(decay * (1 - e1))
    if sequence.kind == "gradient-echo":
        flip = np.deg2rad(sequence.flip_deg)
        return float(decay * np.sin(flip) * (1 - e1) / (1 - np.cos(flip) * e1))
    return float(decay * (1 - 2 * np.exp(-sequence.ti_ms / t1) + e1))

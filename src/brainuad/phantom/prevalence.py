"""How usual findings are in an emergency head CT service for strokes, how large they are, and how they age.

The shares are plausible, not published: four scans of ten are normal for age.
"""

# Why people come, and the share of each reason at a first visit.
REASONS = {
    "stroke": 0.52,
    "trauma": 0.15,
    "headache": 0.12,
    "confusion": 0.1,
    "seizure": 0.05,
    "collapse": 0.06,
}

ACUTE: dict[str, dict[str, float]] = {
    "stroke": {
        "early_infarct": 0.26,
        "intracerebral": 0.1,
        "subarachnoid": 0.02,
        "chronic_subdural": 0.02,
        "glioma": 0.015,
        "metastases": 0.01,
    },
    "trauma": {
        "subdural": 0.09,
        "extradural": 0.02,
        "contusion": 0.08,
        "fracture": 0.1,
        "subarachnoid": 0.05,
    },
    "headache": {
        "subarachnoid": 0.08,
        "glioma": 0.03,
        "metastases": 0.03,
        "hydrocephalus": 0.04,
        "aneurysm": 0.03,
        "abscess": 0.01,
        "dense_vessel": 0.01,
    },
    "confusion": {"chronic_subdural": 0.07, "metastases": 0.03, "encephalitis": 0.03, "hydrocephalus": 0.03},
    "seizure": {"glioma": 0.06, "metastases": 0.05, "abscess": 0.02, "cavernoma": 0.03, "gliosis": 0.05},
    "collapse": {"hypoxic": 0.05, "subarachnoid": 0.04, "intracerebral": 0.05},
    "progress": {"intracerebral": 0.03, "early_infarct": 0.05},
}

# What comes with a finding, and how often.
WITH: dict[str, dict[str, float]] = {
    "early_infarct": {"dense_vessel": 0.2},
    "intracerebral": {"intraventricular": 0.3},
    "subarachnoid": {"aneurysm": 0.25, "hydrocephalus": 0.2, "intraventricular": 0.15},
    "extradural": {"fracture": 0.6},
    "fracture": {"pneumocephalus": 0.2},
}

# Independent of the reason: the share at 40 years and at 90 years, straight between them and beyond.
BACKGROUND: dict[str, tuple[float, float]] = {
    "old_infarct": (0.02, 0.2),
    "lacune": (0.02, 0.22),
    "traumatic_scar": (0.01, 0.015),
    "gliosis": (0.01, 0.025),
    "meningioma": (0.005, 0.02),
    "lesion": (0.01, 0.02),
    "aneurysm": (0.004, 0.01),
    "cavernoma": (0.005, 0.005),
    "cyst": (0.015, 0.01),
    "congenital": (0.012, 0.003),
    "surgery": (0.015, 0.03),
    "hygroma": (0.002, 0.015),
    "artefact": (0.05, 0.08),
    "atrophy": (0.03, 0.85),
    "small_vessel": (0.02, 0.8),
    "calcification": (0.05, 0.45),
}

# Smallest and largest size in mm; the effects, and their shares at the largest size.
SIZES: dict[str, tuple[int, int]] = {
    "subdural": (3, 24),
    "chronic_subdural": (5, 28),
    "hygroma": (3, 9),
    "extradural": (4, 30),
    "intracerebral": (8, 70),
    "early_infarct": (15, 110),
    "glioma": (12, 70),
    "metastases": (6, 40),
    "abscess": (10, 45),
    "meningioma": (6, 50),
    "aneurysm": (3, 14),
    "cyst": (8, 60),
    "lesion": (4, 25),
}
BLEED = {"mass effect": 0.9, "midline shift": 0.8, "effacement": 0.7, "compression": 0.4, "herniation": 0.25}
MASS = {"oedema": 0.9, "mass effect": 0.8, "midline shift": 0.4, "effacement": 0.4, "compression": 0.3}
EFFECTS: dict[str, dict[str, float]] = {
    "subdural": BLEED,
    "chronic_subdural": BLEED,
    "extradural": BLEED,
    "intracerebral": {**BLEED, "oedema": 0.6},
    "contusion": {"oedema": 0.3, "swelling": 0.15},
    "early_infarct": {"effacement": 0.7, "swelling": 0.5, "mass effect": 0.5, "midline shift": 0.2},
    "hypoxic": {"herniation": 0.3},
    "glioma": MASS,
    "metastases": MASS,
    "abscess": MASS,
    "encephalitis": {"swelling": 0.4},
    "old_infarct": {"gliosis": 0.3, "dilation": 0.25},
    "meningioma": {"calcification": 0.3, "mass effect": 0.2, "oedema": 0.1},
}

# After so many days a finding has become another one, or is gone.
AGEING: dict[str, tuple[int, str]] = {
    "subdural": (21, "chronic_subdural"),
    "chronic_subdural": (120, ""),
    "hygroma": (90, ""),
    "extradural": (10, "surgery"),
    "intracerebral": (60, "gliosis"),
    "contusion": (60, "traumatic_scar"),
    "subarachnoid": (21, ""),
    "intraventricular": (21, ""),
    "early_infarct": (30, "old_infarct"),
    "dense_vessel": (3, ""),
    "hypoxic": (60, "atrophy"),
    "abscess": (90, "surgery"),
    "encephalitis": (90, "traumatic_scar"),
    "hydrocephalus": (14, "surgery"),
    "fracture": (180, ""),
    "pneumocephalus": (10, ""),
    "artefact": (0, ""),
}

"""Where findings lie in the SRI24 head: the words of a report as places of the anatomy grid (mm; left, back, top).

A place is given for the left side, by its distance from the midline and two coordinates of the grid.
Anatomies from label maps are moved to the atlas brain, so the places hold for them within a few millimetres.
"""

MIDLINE = 95.0
CENTRE = (95.0, 134.0, 117.0)

Point = tuple[float, float, float]

SITES: dict[str, Point] = {
    "frontal lobe": (26, 78, 132),
    "parietal lobe": (32, 162, 146),
    "temporal lobe": (44, 124, 90),
    "occipital lobe": (22, 188, 114),
    "cerebellar hemisphere": (25, 172, 70),
    "cerebellum": (25, 172, 70),
    "posterior fossa": (22, 190, 66),
    "frontal pole": (20, 58, 112),
    "temporal pole": (38, 92, 80),
    "middle cranial fossa": (38, 90, 80),
    "medial temporal lobe": (28, 120, 88),
    "inferior frontal lobe": (30, 72, 106),
    "insula": (36, 112, 111),
    "frontal operculum": (46, 92, 120),
    "Sylvian fissure": (48, 112, 110),
    "Sylvian fissures": (46, 108, 108),
    "interhemispheric fissure": (0, 70, 128),
    "basal cisterns": (0, 118, 91),
    "parietal sulci": (38, 150, 160),
    "basal ganglia": (24, 114, 110),
    "lentiform nucleus": (23, 115, 110),
    "caudate head": (13, 101, 119),
    "internal capsule": (18, 121, 112),
    "external capsule": (30, 117, 111),
    "thalamus": (11, 134, 113),
    "corona radiata": (25, 122, 138),
    "middle cerebral artery territory": (44, 116, 121),
    "posterior cerebral artery territory": (22, 186, 110),
    "sphenoid wing": (34, 84, 92),
    "parafalcine region": (7, 80, 150),
    "tentorium": (34, 174, 90),
    "frontal sinus": (8, 50, 110),
    "skull base": (20, 62, 100),
    "middle cerebral artery bifurcation": (30, 103, 93),
    "posterior communicating artery": (11, 116, 90),
    "internal carotid artery": (8, 108, 89),
}

# Seen from the middle of the brain: degrees from the front towards the side, and upwards.
DIRECTIONS: dict[str, tuple[float, float]] = {
    "frontal convexity": (38, 28),
    "frontoparietal convexity": (65, 30),
    "cerebral convexity": (85, 30),
    "temporoparietal convexity": (100, 14),
    "temporal bone": (82, -4),
    "parietal bone": (112, 32),
    "frontal bone": (32, 24),
    "occipital bone": (152, 4),
    "orbital roof": (22, 2),
}

# Courses of vessels, as places along them.
VESSELS: dict[str, tuple[Point, ...]] = {
    "middle cerebral artery": ((8, 107, 92), (20, 103, 93), (32, 102, 95)),
    "M2 branch": ((33, 103, 96), (38, 107, 103), (40, 114, 110)),
    "internal carotid artery": ((8, 106, 82), (8, 108, 90)),
    "vertebral artery": ((9, 124, 58), (5, 118, 70)),
    "transverse sinus": ((10, 206, 84), (32, 196, 82), (50, 176, 80)),
}

PINEAL: Point = (0, 147, 107)
CHOROID: Point = (24, 158, 113)
PALLIDUM: Point = (19, 117, 108)
# The lateral ventricle: front, body and back; and the third ventricle.
VENTRICLE: tuple[Point, ...] = ((8, 98, 121), (12, 125, 130), (22, 156, 115))
THIRD_VENTRICLE: Point = (0, 128, 108)
UNCUS: Point = (21, 116, 88)
CISTERN: Point = (0, 116, 91)

"""Phrases for effects of a finding on the brain, for what is absent and for what cannot be excluded."""

# What a finding does to the brain beside it; the words follow "There is associated …".
EFFECTS: dict[str, tuple[str, ...]] = {
    "mass effect": ("[~mass effect|mass effect]", "local [~mass effect|mass effect]"),
    "midline shift": (
        "[~midline shift|midline shift] to the {other}",
        "{shift} mm of [~midline shift|midline shift]",
    ),
    "effacement": (
        "[~effacement|sulcal effacement]",
        "[~effacement|effacement of the {side} lateral ventricle]",
    ),
    "compression": (
        "[~compression|compression of the {side} lateral ventricle]",
        "[~compression|compression of the brainstem]",
    ),
    "herniation": ("[~herniation|uncal herniation]", "[~herniation|subfalcine herniation]"),
    "oedema": ("surrounding [~oedema|oedema]", "[~oedema|vasogenic oedema]"),
    "swelling": ("[~swelling|swelling] of the adjacent brain", "hemispheric [~swelling|swelling]"),
    "dilation": (
        "[~dilation|dilatation of the {side} lateral ventricle]",
        "[~dilation|ventricular dilatation]",
    ),
    "gliosis": ("surrounding [~gliosis|gliosis]",),
    "calcification": ("internal [~calcification|calcification]",),
}

# Nouns of a list that begins with "No" or ends with "cannot be excluded"; the second value says how usual it is.
ABSENT: dict[str, tuple[tuple[str, ...], float]] = {
    "hemorrhage": (
        ("acute [~hemorrhage|haemorrhage]", "[~hemorrhage|intracranial haemorrhage]", "[~hemorrhage|bleed]"),
        30,
    ),
    "ischemia": (
        ("acute [~ischemia|infarct]", "acute [~ischemia|territorial infarct]", "[~ischemia|ischaemia]"),
        20,
    ),
    "mass effect": (("[~mass effect|mass effect]",), 14),
    "midline shift": (("[~midline shift|midline shift]", "[~midline shift|shift of the midline]"), 14),
    "lesion": (("[~lesion|mass lesion]", "[~lesion|space occupying lesion]", "[~lesion|focal lesion]"), 14),
    "collection": (("[~collection|extra-axial collection]", "[~collection|subdural collection]"), 14),
    "hydrocephalus": (("[~hydrocephalus|hydrocephalus]",), 12),
    "fracture": (("[~fracture|skull fracture]", "[~fracture|fracture]"), 8),
    "oedema": (("[~oedema|cerebral oedema]", "[~oedema|oedema]"), 3),
    "herniation": (("[~herniation|herniation]", "[~herniation|tonsillar herniation]"), 3),
    "tumor": (("[~tumor|tumour]", "[~tumor|metastases]"), 3),
    "swelling": (("[~swelling|brain swelling]",), 2),
    "effacement": (("[~effacement|sulcal effacement]",), 2),
    "hyperdensity": (("[~hyperdensity|hyperdense vessel]", "[~hyperdensity|abnormal high density]"), 2),
    "hypodensity": (("[~hypodensity|abnormal low density]", "[~hypodensity|focal hypodensity]"), 2),
    "aneurysm": (("[~aneurysm|aneurysm]",), 1.5),
    "infection": (("intracranial [~infection|infection]",), 1),
    "pneumocephalus": (("[~pneumocephalus|pneumocephalus]",), 1),
    "vessel occlusion": (("[~vessel occlusion|large vessel occlusion]", "[~vessel occlusion|thrombus]"), 1),
    "loss of differentiation": (("[~loss of differentiation|loss of grey-white differentiation]",), 2),
    "cerebral small vessel disease": (("[~cerebral small vessel disease|small vessel disease]",), 1),
    "compression": (("[~compression|ventricular compression]", "[~compression|brainstem compression]"), 0.7),
    "atrophy": (("significant [~atrophy|atrophy]",), 0.7),
    "dilation": (("[~dilation|ventricular dilatation]",), 2),
    "calcification": (("abnormal [~calcification|calcification]",), 0.6),
    "abscess": (("[~abscess|abscess]",), 0.6),
    "malacic changes": (("[~malacic changes|encephalomalacia]",), 0.5),
    "gliosis": (("[~gliosis|gliosis]",), 0.4),
    "cyst": (("[~cyst|intracranial cyst]",), 0.4),
    "cavernoma": (("[~cavernoma|cavernoma]",), 0.3),
    "congenital abnormality": (("[~congenital abnormality|congenital abnormality]",), 0.3),
    "evidence of surgery/intervention": (("[~evidence of surgery/intervention|previous surgery]",), 0.4),
    "artefact": (("significant [~artefact|artefact]",), 0.4),
}

# What is normal, said without a negation.
NORMAL: dict[str, tuple[str, ...]] = {
    "dilation": (
        "The ventricles are [-dilation|normal in size].",
        "[-dilation|Normal size of the ventricular system].",
        "Ventricular calibre is [-dilation|within normal limits].",
    ),
    "effacement": (
        "The basal cisterns are [-effacement|patent].",
        "Sulci and cisterns are [-effacement|preserved].",
    ),
    "midline shift": (
        "[-midline shift|Midline structures are central].",
        "The midline is [-midline shift|undisplaced].",
    ),
    "loss of differentiation": (
        "[-loss of differentiation|Grey-white matter differentiation is maintained].",
        "Normal [-loss of differentiation|grey/white differentiation].",
    ),
    "fracture": ("The skull vault is [-fracture|intact].", "Bones: [-fracture|intact]."),
}

DENIALS = (
    "No {list}.",
    "There is no {list}.",
    "No evidence of {list}.",
    "No {list} identified.",
    "No {list} is seen.",
)
HEDGES = (
    "Possible {noun}.",
    "There may be {noun}.",
    "Appearances are suspicious for {noun}.",
    "{noun} cannot be excluded.",
    "Findings may represent {noun}.",
    "Query {noun}.",
    "Subtle change, probably {noun}.",
    "Suspected {noun}.",
)
DOUBTS = ("{noun} cannot be excluded.", "Query {noun}.", "Possible {noun}.", "Difficult to exclude {noun}.")
DIFFERENTIALS = (
    "Differential includes {first} and {second}.",
    "{first} versus {second}.",
    "Either {first} or {second}.",
)

# What is confused with what; both are uncertain in the differential.
CONFUSED: dict[str, tuple[str, ...]] = {
    "early_infarct": ("tumor", "artefact"),
    "lacune": ("cerebral small vessel disease", "gliosis"),
    "glioma": ("abscess", "ischemia"),
    "abscess": ("tumor",),
    "metastases": ("abscess", "hemorrhage", "cavernoma"),
    "contusion": ("calcification", "artefact"),
    "lesion": ("ischemia", "tumor", "cyst"),
    "gliosis": ("ischemia", "malacic changes"),
    "fracture": ("congenital abnormality",),
    "cavernoma": ("hemorrhage", "tumor", "calcification"),
    "dense_vessel": ("calcification", "aneurysm"),
    "hydrocephalus": ("atrophy",),
}

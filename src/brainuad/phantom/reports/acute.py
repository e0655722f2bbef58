"""Phrases for what brings a patient to an emergency head CT. See `markup` for the marks."""

from brainuad.phantom.reports.wording import Wording

CONVEXITIES = (
    "frontal convexity",
    "frontoparietal convexity",
    "cerebral convexity",
    "temporoparietal convexity",
)
TERRITORIES = ("middle cerebral artery territory", "posterior cerebral artery territory", "frontal operculum")
CORTEX = ("frontal lobe", "parietal lobe", "temporal lobe", "occipital lobe", "cerebellar hemisphere")
DEEP = ("basal ganglia", "thalamus", "external capsule", *CORTEX)

ACUTE: dict[str, Wording] = {
    "subdural": Wording(
        ("hemorrhage", "hyperdensity"),
        (
            "There is an acute {side} [+hemorrhage|subdural haematoma] over the {site}, {size} mm in maximum depth.",
            "Crescentic [+hyperdensity|hyperdense] extra-axial [+hemorrhage|blood] along the {side} {site} "
            "measuring {size} mm.",
            "Acute [+hemorrhage|SDH] on the {side}, up to {size} mm deep.",
        ),
        ("{side} [~hemorrhage|subdural haematoma]", "acute [~hemorrhage|subdural haemorrhage] on the {side}"),
        CONVEXITIES,
    ),
    "chronic_subdural": Wording(
        ("hemorrhage", "collection", "hypodensity"),
        (
            "[+hypodensity|Low density] {side} subdural [+collection|collection] over the {site} in keeping with a "
            "chronic [+hemorrhage|subdural haematoma].",
            "There is a {size} mm {side} chronic [+hemorrhage|subdural haematoma].",
            "A [+hypodensity|hypodense] extra-axial [+collection|collection] overlies the {side} {site}, consistent "
            "with an old [+hemorrhage|subdural bleed].",
        ),
        (
            "{side} chronic [~hemorrhage|subdural haematoma]",
            "subdural [~collection|collection] on the {side}",
        ),
        CONVEXITIES,
    ),
    "hygroma": Wording(
        ("collection",),
        (
            "A thin {side} subdural [+collection|collection] of CSF density is seen over the {site}.",
            "[+collection|Subdural hygroma] on the {side}, {size} mm in depth.",
        ),
        ("shallow {side} [~collection|extra-axial collection]", "{side} [~collection|subdural hygroma]"),
        CONVEXITIES,
    ),
    "extradural": Wording(
        ("hemorrhage", "hyperdensity"),
        (
            "Biconvex [+hyperdensity|high density] [+hemorrhage|extradural haematoma] deep to the {side} {site}, "
            "{size} mm thick.",
            "There is a {side} [+hemorrhage|extradural haematoma] measuring {size} mm.",
        ),
        ("{side} [~hemorrhage|extradural haematoma]",),
        ("temporal bone", "parietal bone", "frontal bone"),
    ),
    "intracerebral": Wording(
        ("hemorrhage", "hyperdensity"),
        (
            "There is a {size} mm acute [+hemorrhage|intracerebral haemorrhage] in the {side} {site}.",
            "[+hyperdensity|Hyperdense] [+hemorrhage|haematoma] centred on the {side} {site} measuring {size} mm.",
            "Acute [+hemorrhage|parenchymal bleed] within the {side} {site}.",
        ),
        (
            "acute [~hemorrhage|intracerebral haemorrhage] in the {side} {site}",
            "{side} {site} [~hemorrhage|bleed]",
        ),
        DEEP,
    ),
    "contusion": Wording(
        ("hemorrhage", "hyperdensity"),
        (
            "[+hemorrhage|Haemorrhagic contusions] are present in the {side} {site}.",
            "Small [+hyperdensity|high density] focus in the {side} {site} consistent with a "
            "[+hemorrhage|haemorrhagic contusion].",
        ),
        ("[~hemorrhage|haemorrhagic contusion] of the {side} {site}",),
        ("frontal lobe", "temporal lobe", "temporal pole"),
    ),
    "subarachnoid": Wording(
        ("hemorrhage", "hyperdensity"),
        (
            "Diffuse [+hemorrhage|subarachnoid haemorrhage] is present within the {site}.",
            "[+hyperdensity|Increased density] in the {site} in keeping with [+hemorrhage|subarachnoid blood].",
            "There is acute [+hemorrhage|SAH], most marked in the {site}.",
        ),
        ("[~hemorrhage|subarachnoid haemorrhage]", "acute [~hemorrhage|subarachnoid blood]"),
        ("basal cisterns", "Sylvian fissures", "interhemispheric fissure", "parietal sulci"),
    ),
    "intraventricular": Wording(
        ("hemorrhage", "hyperdensity"),
        (
            "[+hemorrhage|Intraventricular haemorrhage] layers in the occipital horns.",
            "[+hyperdensity|Hyperdense] [+hemorrhage|blood] is seen in the {side} lateral ventricle.",
        ),
        ("[~hemorrhage|intraventricular blood]",),
    ),
    "early_infarct": Wording(
        ("ischemia", "hypodensity", "loss of differentiation"),
        (
            "[+hypodensity|Low attenuation] with [+loss of differentiation|loss of grey-white differentiation] in the "
            "{side} {site}, in keeping with an acute [+ischemia|infarct].",
            "There is an acute [+ischemia|infarct] in the {side} {site}.",
            "Established [+hypodensity|hypodensity] throughout the {side} {site} consistent with recent "
            "[+ischemia|ischaemia].",
            "[+loss of differentiation|Grey-white differentiation is lost] in the {side} {site} due to evolving "
            "[+ischemia|infarction].",
        ),
        (
            "early [~ischemia|ischaemic change] in the {side} {site}",
            "acute [~ischemia|infarct] in the {side} {site}",
            "recent [~ischemia|infarction]",
        ),
        TERRITORIES,
    ),
    "dense_vessel": Wording(
        ("vessel occlusion", "hyperdensity"),
        (
            "[+hyperdensity|Hyperdense] {side} {site} in keeping with [+vessel occlusion|acute thrombus].",
            "The {side} {site} is [+vessel occlusion|occluded].",
            "Dense vessel sign: [+vessel occlusion|occlusion] of the {side} {site}.",
        ),
        (
            "[~vessel occlusion|thrombus] in the {side} {site}",
            "[~vessel occlusion|occlusion] of the {side} {site}",
        ),
        (
            "middle cerebral artery",
            "internal carotid artery",
            "M2 branch",
            "vertebral artery",
            "transverse sinus",
        ),
    ),
    "hypoxic": Wording(
        ("swelling", "oedema", "loss of differentiation", "effacement"),
        (
            "Diffuse [+swelling|brain swelling] with [+effacement|effacement of the sulci and cisterns] and "
            "[+loss of differentiation|loss of grey-white differentiation].",
            "Global [+oedema|cerebral oedema] with [+effacement|obliterated basal cisterns].",
        ),
        ("diffuse [~oedema|cerebral oedema]", "generalised [~swelling|brain swelling]"),
    ),
    "glioma": Wording(
        ("tumor", "lesion", "hypodensity"),
        (
            "Ill-defined [+hypodensity|low density] [+lesion|lesion] in the {side} {site} measuring {size} mm, "
            "consistent with a [+tumor|primary brain tumour].",
            "There is a {size} mm [+lesion|mass lesion] in the {side} {site}. Appearances are those of a "
            "[+tumor|glioma].",
        ),
        ("primary [~tumor|brain tumour] in the {side} {site}", "[~tumor|high grade glioma]"),
    ),
    "metastases": Wording(
        ("tumor", "lesion", "hyperdensity"),
        (
            "Multiple [+lesion|lesions] in both hemispheres, the largest {size} mm in the {side} {site}, in keeping "
            "with [+tumor|metastases].",
            "[+hyperdensity|Hyperdense] [+lesion|nodules] are seen in the {side} {site} and elsewhere, representing "
            "[+tumor|metastatic deposits].",
        ),
        ("[~tumor|metastases]", "[~tumor|metastatic disease]"),
        CORTEX,
    ),
    "abscess": Wording(
        ("abscess", "infection", "lesion", "hypodensity"),
        (
            "[+hypodensity|Low density] [+lesion|lesion] in the {side} {site} with a thick wall, in keeping with an "
            "[+abscess|abscess].",
            "There is a {size} mm [+abscess|cerebral abscess] in the {side} {site} due to intracranial "
            "[+infection|infection].",
        ),
        ("[~abscess|cerebral abscess] in the {side} {site}", "[~abscess|pyogenic abscess]"),
    ),
    "encephalitis": Wording(
        ("infection", "hypodensity"),
        (
            "[+hypodensity|Hypodensity] of the {side} {site} in keeping with [+infection|encephalitis].",
            "Appearances of intracranial [+infection|infection] involving the {side} {site}.",
        ),
        ("[~infection|encephalitis]", "intracranial [~infection|infection]"),
        ("medial temporal lobe", "insula", "inferior frontal lobe"),
    ),
    "hydrocephalus": Wording(
        ("hydrocephalus", "dilation"),
        (
            "[+dilation|Dilatation] of the lateral and third ventricles consistent with "
            "[+hydrocephalus|hydrocephalus].",
            "There is [+hydrocephalus|communicating hydrocephalus].",
            "[+hydrocephalus|Obstructive hydrocephalus] with [+dilation|enlarged] temporal horns.",
        ),
        ("[~hydrocephalus|hydrocephalus]", "early [~hydrocephalus|hydrocephalus]"),
    ),
    "fracture": Wording(
        ("fracture",),
        (
            "Undisplaced [+fracture|fracture] of the {side} {site}.",
            "There is a depressed [+fracture|skull fracture] involving the {side} {site}.",
        ),
        ("[~fracture|fracture] of the {side} {site}", "{side} [~fracture|skull fracture]"),
        ("temporal bone", "parietal bone", "frontal bone", "occipital bone", "orbital roof"),
    ),
    "pneumocephalus": Wording(
        ("pneumocephalus",),
        (
            "Locules of [+pneumocephalus|intracranial air] are seen on the {side}.",
            "There is [+pneumocephalus|pneumocephalus] adjacent to the {side} {site}.",
        ),
        ("small volume of [~pneumocephalus|pneumocephalus]", "[~pneumocephalus|intracranial gas]"),
        ("frontal sinus", "skull base", "frontal pole"),
    ),
}

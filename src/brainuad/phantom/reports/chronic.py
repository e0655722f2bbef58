"""Phrases for what an emergency head CT shows besides: old disease, incidental findings and signs of age."""

from brainuad.phantom.reports.wording import Wording

TERRITORIES = (
    "middle cerebral artery territory",
    "posterior cerebral artery territory",
    "parietal lobe",
    "cerebellum",
)

CHRONIC: dict[str, Wording] = {
    "old_infarct": Wording(
        ("ischemia", "hypodensity", "malacic changes"),
        (
            "Mature [+ischemia|infarct] in the {side} {site} with [+malacic changes|encephalomalacia].",
            "There is an old [+ischemia|infarct] in the {side} {site}.",
            "Well defined [+hypodensity|low density] in the {side} {site} in keeping with a previous "
            "[+ischemia|infarct].",
            "[+malacic changes|Encephalomalacic change] in the {side} {site} from long-standing "
            "[+ischemia|infarction].",
        ),
        ("old [~ischemia|infarct] in the {side} {site}", "established {side} [~ischemia|infarct]"),
        TERRITORIES,
    ),
    "lacune": Wording(
        ("ischemia", "hypodensity"),
        (
            "Old [+ischemia|lacunar infarct] in the {side} {site}.",
            "Small [+hypodensity|hypodense] focus in the {side} {site} consistent with an established "
            "[+ischemia|lacune].",
        ),
        ("[~ischemia|lacunar infarct] in the {side} {site}",),
        ("thalamus", "lentiform nucleus", "caudate head", "internal capsule", "corona radiata"),
    ),
    "traumatic_scar": Wording(
        ("malacic changes", "hypodensity"),
        (
            "Post-traumatic [+malacic changes|encephalomalacia] of the {side} {site}.",
            "[+malacic changes|Malacic change] in the {side} {site}, long-standing.",
        ),
        ("[~malacic changes|encephalomalacia] of the {side} {site}",),
        ("frontal pole", "temporal pole"),
    ),
    "gliosis": Wording(
        ("gliosis", "hypodensity"),
        (
            "[+hypodensity|Low attenuation] in the {side} {site} representing [+gliosis|gliosis].",
            "There is [+gliosis|gliotic scarring] in the {side} {site}.",
        ),
        ("[~gliosis|gliosis] in the {side} {site}", "focal [~gliosis|gliotic change]"),
    ),
    "meningioma": Wording(
        ("tumor", "lesion", "hyperdensity"),
        (
            "Extra-axial [+hyperdensity|hyperdense] [+lesion|lesion] adjacent to the {side} {site}, in keeping with a "
            "[+tumor|meningioma].",
            "Incidental {size} mm [+tumor|meningioma] along the {side} {site}.",
        ),
        ("[~tumor|meningioma] along the {side} {site}",),
        ("frontal convexity", "sphenoid wing", "parafalcine region", "tentorium"),
    ),
    "lesion": Wording(
        ("lesion", "hypodensity"),
        (
            "Indeterminate [+hypodensity|hypodense] [+lesion|lesion] in the {side} {site}.",
            "There is a non-specific {size} mm [+lesion|lesion] in the {side} {site}.",
        ),
        ("small [~lesion|lesion] in the {side} {site}", "underlying [~lesion|focal lesion]"),
    ),
    "aneurysm": Wording(
        ("aneurysm",),
        (
            "There is a {size} mm [+aneurysm|aneurysm] of the {side} {site}.",
            "[+aneurysm|Saccular aneurysm] arising from the {side} {site}.",
        ),
        ("[~aneurysm|aneurysm] of the {side} {site}", "[~aneurysm|berry aneurysm]"),
        ("middle cerebral artery bifurcation", "posterior communicating artery", "internal carotid artery"),
    ),
    "cavernoma": Wording(
        ("cavernoma", "hyperdensity"),
        (
            "[+hyperdensity|Hyperdense] focus in the {side} {site} consistent with a [+cavernoma|cavernoma].",
            "Incidental [+cavernoma|cavernous malformation] in the {side} {site}.",
        ),
        ("[~cavernoma|cavernoma] in the {side} {site}",),
    ),
    "cyst": Wording(
        ("cyst",),
        (
            "Incidental [+cyst|arachnoid cyst] in the {side} {site}, {size} mm.",
            "There is a [+cyst|cyst] of CSF density in the {side} {site}.",
        ),
        ("[~cyst|arachnoid cyst] in the {side} {site}",),
        ("middle cranial fossa", "posterior fossa", "Sylvian fissure"),
    ),
    "congenital": Wording(
        ("congenital abnormality",),
        (
            "[+congenital abnormality|Agenesis of the corpus callosum] is noted.",
            "[+congenital abnormality|Chiari malformation] with low lying tonsils.",
            "There is a [+congenital abnormality|congenital malformation] of the {side} {site}.",
        ),
        (
            "[~congenital abnormality|congenital abnormality]",
            "[~congenital abnormality|developmental anomaly]",
        ),
    ),
    "surgery": Wording(
        ("evidence of surgery/intervention",),
        (
            "Previous {side} [+evidence of surgery/intervention|craniotomy].",
            "[+evidence of surgery/intervention|Burr holes] are present in the {side} {site}.",
            "A [+evidence of surgery/intervention|ventriculoperitoneal shunt] enters from the {side}.",
            "[+evidence of surgery/intervention|Post-surgical change] in the {side} {site}.",
        ),
        ("[~evidence of surgery/intervention|previous surgery] to the {side} {site}",),
        ("frontal bone", "parietal bone"),
    ),
    "artefact": Wording(
        ("artefact",),
        (
            "The images are degraded by [+artefact|movement artefact].",
            "[+artefact|Beam hardening artefact] obscures the posterior fossa.",
            "Limited study due to [+artefact|streak artefact].",
        ),
        ("[~artefact|artefact]", "[~artefact|partial volume artefact]"),
    ),
    "atrophy": Wording(
        ("atrophy",),
        (
            "Generalised [+atrophy|cerebral atrophy].",
            "Mild [+atrophy|involutional change] in keeping with age.",
            "The sulci are prominent in keeping with age-related [+atrophy|volume loss].",
            "There is moderate [+atrophy|cortical atrophy].",
        ),
        ("[~atrophy|atrophy]", "mild [~atrophy|volume loss]"),
    ),
    "small_vessel": Wording(
        ("cerebral small vessel disease", "hypodensity"),
        (
            "Periventricular [+hypodensity|low attenuation] in keeping with "
            "[+cerebral small vessel disease|small vessel disease].",
            "Moderate [+cerebral small vessel disease|small vessel ischaemic change].",
            "Patchy white matter [+hypodensity|hypodensity] consistent with chronic "
            "[+cerebral small vessel disease|microvascular disease].",
            "There is [+cerebral small vessel disease|leukoaraiosis].",
        ),
        ("[~cerebral small vessel disease|small vessel disease]",),
    ),
    "calcification": Wording(
        ("calcification",),
        (
            "[+calcification|Vascular calcification] noted.",
            "Physiological [+calcification|calcification] of the basal ganglia.",
            "The vertebral arteries are [+calcification|calcified].",
        ),
        ("[~calcification|calcification] of the basal ganglia", "dural [~calcification|calcification]"),
    ),
}

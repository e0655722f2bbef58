"""The words by which reports name the 33 labels, as patterns of `spelling.expand`.

American spelling and singular stand for all forms (`spelling.norm`); adjectives need no mention where the noun alone
is enough. Words that stand for two labels are listed under both; a longer phrase hides the shorter ones in it.
"""

from functools import lru_cache

from brainuad.curation.spelling import expand, norm, word_set

DURAL = "(subdural|extradural|epidural|extra-axial|subarachnoid)"
VESSEL = (
    "(vessel|artery|mca|ica|pca|aca|basilar|basilar artery|vein|sinus|venous sinus|dot|m1|m2|clot|thrombus)"
)
GRAY_WHITE = "(gray-white|gray / white|gray and white|cortico-medullary|gray to white)"

TERMS: dict[str, tuple[str, ...]] = {
    "artefact": (
        "artifact|artifactual|beam-hardening|streaking",
        "(motion|movement) (degraded|degradation|blurring|blur)",
        "(degraded|limited) (by|due to) (patient|) (motion|movement)",
        "(patient|head) (motion|movement)",
    ),
    "collection": (
        "collection|hygroma|fluid collection|empyema",
        f"{DURAL} (fluid|effusion|collection|hygroma)",
    ),
    "compression": ("compression|compressed|compressing|compress|compressive",),
    "dilation": (
        "dilation|dilated|dilate|dilating|ventriculomegaly",
        "ventricular (enlargement|prominence|widening|distension)|colpocephaly",
        "enlargement of (the|) (left|right|) (lateral|third|fourth|lateral and third) ventricle",
    ),
    "effacement": ("effacement|effaced|efface|effacing|obliteration|obliterated|obliterating",),
    "herniation": (
        "herniation|herniated|herniating|herniate|coning|tonsillar descent|brain hernia",
        "tonsillar herniation|uncal (shift|displacement)",
    ),
    "hyperdensity": (
        "hyper-dense|hyper-density|hyper-attenuation|hyper-attenuating",
        "(high|higher)-(density|attenuation|attenuating)",
        "(increased|raised|increase in) (density|attenuation|attenuating)",
        f"(hyper-dense|dense) (left|right|lt|rt|) {VESSEL} (sign|)|cord sign|dense (focus|nodule|lesion|area)",
        "hyper - (or|and) hypo-(density|dense|attenuation)",
    ),
    "hypodensity": (
        "hypo-dense|hypo-density|hypo-attenuation|hypo-attenuating|lucency|lucent|hypo-lucency",
        "(low|lower)-(density|attenuation|attenuating)|hyper - (or|and) hypo-(density|dense|attenuation)",
        "(decreased|reduced|diminished|decrease in) (density|attenuation|attenuating)",
    ),
    "loss of differentiation": (
        f"loss of (the|) (normal|) {GRAY_WHITE} (matter|) (differentiation|interface)",
        f"loss of (the|) (normal|) {GRAY_WHITE} (matter|) (distinction|demarcation|junction)",
        f"loss of {GRAY_WHITE} (matter|)|loss of (the|) (normal|) (differentiation|insular ribbon)",
        "(insular ribbon sign|disappearing basal ganglia sign|loss of the insular ribbon sign)",
    ),
    "malacic changes": (
        "encephalo-malacia|encephalo-malacic|malacia|malacic|leuko-malacia|glio-malacia|gliomalacic",
        "cerebro-malacia",
        "porencephaly|porencephalic (change|cavity)|myelo-malacia|encephalomalatic",
    ),
    "mass effect": ("mass-effect|pressure effect|space-occupying effect",),
    "midline shift": (
        "(midline|mid line) (shift|shifting|displacement|deviation)|shift|shifted|mls",
        "(shift|displacement|deviation) (of|in|across|from) (the|) (midline|mid line) (structure|)",
    ),
    "oedema": ("edema|edematous|malignant edema|posterior reversible encephalopathy (syndrome|)",),
    "swelling": ("swelling|swollen",),
    "abscess": ("abscess",),
    "atrophy": (
        "atrophy|atrophic|atrophied|volume loss|parenchymal loss|involution|involutional (change|)",
        "involutionary change",
        "(loss|reduction) (of|in) (the|) (brain|cerebral|parenchymal|cerebellar) volume",
        "(loss|reduction) (of|in) (the|) (hippocampal|cortical|white matter|) volume",
        "(cerebral|brain|cortical) (shrinkage|thinning|atrophy)",
    ),
    "aneurysm": ("aneurysm|aneurysmal|aneurysmal dilation",),
    "calcification": (
        "calcification|calcified|calcific|calcify|calcium (deposit|deposition)|calcifying|calcinosis",
    ),
    "cavernoma": (
        "cavernoma|cavernous (malformation|hemangioma|angioma)|cavernomatous malformation",
        "cavernous vascular malformation",
    ),
    "cerebral small vessel disease": (
        "small-vessel (ischemic|ischemia|vascular) (disease|change|pathology|damage)",
        "small-vessel (white matter|arterial|cerebrovascular|) (disease|change|pathology|damage)",
        "(chronic|cerebral|) small-vessel ischemia|small-vessel ischemic",
        "small-vessel ischemic white matter (disease|change)",
        "csvd|svd|sivd|leuko-araiosis|leukoaraiotic|leuko-encephalopathy|micro-angiopathy",
        "micro-angiopathic (change|disease|)",
        "micro-vascular (ischemic|) (disease|change|ischemia|angiopathy)",
        "micro-angiopathic (ischemic|) (change|disease)",
        "(white matter|periventricular|deep white matter|subcortical) (ischemic|) (disease|change|ischemia)",
        "ischemic (white matter|periventricular|deep white matter|small-vessel) (disease|change)|fazekas",
        "ischemic change (in|of|within) the (periventricular|deep|subcortical|) white matter",
        "(lacunar|arteriosclerotic|hypertensive) encephalopathy|binswanger (disease|)",
        "small-vessel (angiopathy|lesion)",
    ),
    "congenital abnormality": (
        "(absent|absence of the|no|missing) corpus callosum|corpus callosum is (absent|missing)|colpocephaly",
        "(premature|early) (fusion|closure) of (the|) (sagittal|coronal|metopic|lambdoid|) suture",
        "congenital|chiari|agenesis|dysgenesis|hypoplasia|hypoplastic|aplasia|dandy-walker",
        "cavum (septum|vergae|veli)",
        "heterotopia|schizencephaly|holoprosencephaly|polymicrogyria|lissencephaly|pachygyria",
        "cortical dysplasia|dysplasia",
        "encephalocele|meningocele|craniosynostosis",
        "developmental (anomaly|abnormality|venous anomaly|variant)|dva",
        "(mega cisterna magna|arterio-venous malformation|avm|vascular malformation|septo-optic dysplasia)",
        "tonsillar ectopia|low-lying (cerebellar|) tonsil|tuberous sclerosis|sturge-weber",
        "hemimegalencephaly|malformation|(av|arterio-venous|arterio venous|dural) fistula|davf|avf",
    ),
    "cyst": ("cyst|cystic",),
    "evidence of surgery/intervention": (
        "craniotomy|craniectomy|hemi-craniectomy|cranioplasty|burr-hole|post-operative|post-surgical|surgery|neurosurgery",
        "post-op|surgical|surgically",
        "shunt|ventriculo-peritoneal|evd|drain|ventricular (catheter|drain)|catheter|ventriculostomy|coil",
        "coiled|coiling",
        "clip|clipped|clipping|stent|stented|embolization|embolized|icp (monitor|bolt|probe)",
        "pressure (bolt|monitor|probe)",
        "bolt|electrode|stimulator|dbs|resection|resected|debulking|debulked|evacuation|evacuated",
        "operation|thrombectomy",
        "mastoidectomy|implant|prosthesis|vp shunt|intervention|bone flap|surgical clip|titanium mesh",
        "reservoir|decompressive",
    ),
    "fracture": (
        "fracture|fractured|fx|# (left|right|l|r|lt|rt|of|in|frontal|parietal|temporal|occipital|nasal|orbital)",
        "(cortical|bony) (break|breach|step)|(break|breach) (in|of) (the|) (vault|skull|cortex|calvarium|bone)",
        "(skull|bone|bony|zygoma|calvarial|vault|base of skull) #",
        "# (skull|zygoma|mandible|vault|base)",
        "(bony|skull|calvarial|bone|osseous|skeletal) (injury|trauma)|compression fracture",
        "sutural diastasis|diastasis|sutural widening|widened (sagittal|coronal|lambdoid|) suture",
    ),
    "gliosis": (
        "gliosis|gliotic|wallerian degeneration|(hippocampal|mesial temporal) sclerosis|laminar necrosis",
    ),
    "hemorrhage": (
        "hemorrhage|hemorrhagic|hematoma|bleed|bleeding|bled|contusion|contusional|contused|rebleed",
        "re-bleed|rebleeding",
        "ich|sdh|edh|sah|ivh|iph|sich|tsah|asdh|csdh|asah|hemosiderin",
        "hemorrhagic (transformation|conversion|contusion)",
        "(subdural|extradural|epidural|subarachnoid) blood",
        "(extra-axial|intracranial|intraventricular|acute|fresh) blood",
        "(blood product|microhemorrhage|micro-hemorrhage|micro-bleed|hemorrhagic (infarct|infarction))",
        "subdural|extradural|epidural|subarachnoid|hemoventricle",
        "blood (in|within|layering|along|over|density)|blood",
    ),
    "hydrocephalus": (
        "hydrocephalus|hydroceph|nph|ventriculomegaly due to obstruction|hydrocephalic",
        "triventricular|trans-ependymal|transependymal",
    ),
    "ischemia": (
        "ischemia|ischemic|infarct|infarction|infarcted|infarctive|infarcting|stroke|cva|lacune|lacunar",
        "penumbra|lacunar (infarct|infarction|stroke|event)|ischemic (infarct|infarction|stroke)",
        "cerebro-vascular accident|hypoperfusion|hemorrhagic (infarct|infarction)",
        "ischemic (change|event|insult|disease)|(hemisphere|territory|vascular) insult",
        "(hypoxic|anoxic) or toxic injury|toxic or (hypoxic|anoxic) injury",
        "aspects (score|) (of|is|:|) (0|1|2|3|4|5|6|7|8|9)",
        "(hypoxic-ischemic|hypoxic) (injury|change|encephalopathy|brain injury)|hypoxic ischemic",
        "malignant (mca|middle cerebral artery|) (infarct|infarction)",
    ),
    "infection": (
        "infection|infective|infectious|infected|meningitis|encephalitis|cerebritis|ventriculitis|empyema",
        "mastoiditis",
        "sinusitis|osteomyelitis|toxoplasmosis|neuro-cysticercosis|tuberculoma|otomastoiditis|septic",
        "meningo-encephalitis",
        "(encephalitic|meningitic) (process|change)|subdural empyema|cysticercosis",
    ),
    "tumor": (
        "tumor|tumoral|neoplasm|neoplastic|neoplasia|metastasis|metastatic|met|glioma|glioblastoma|gbm",
        "astrocytoma|malignancy",
        "oligo-dendroglioma|meningioma|schwannoma|lymphoma|adenoma|macro-adenoma|micro-adenoma",
        "craniopharyngioma|malignant|(inverted|inverting) papilloma",
        "ependymoma|medulloblastoma|hemangioblastoma|(brain|intracranial) cancer|lipoma|dermoid|epidermoid",
        "osteoma|hemangiopericytoma|sarcoma",
        "secondary deposit|metastatic deposit|neurocytoma|ganglioglioma|papilloma|plasmacytoma",
        "carcinomatosis|leptomeningeal (disease|deposit|spread|involvement)",
        "(lytic|bone|bony|osseous|skull|dural|meningeal|brain|cerebral|cerebellar|intracranial|myeloma) deposit",
        "chordoma|neuroma|(cerebral|brain|intracranial) secondary",
    ),
    "vessel occlusion": (
        "occlusion|occluded|occlusive|occluding|thrombus|thrombosis|thrombosed|thrombotic|embolus|embolism",
        "clot|lvo|cvst|cvt|(severe|critical|tight|high-grade|high grade|moderate) stenosis",
        f"(hyper-dense|dense|hyper-attenuating) {VESSEL} (sign|)|filling defect|(empty|dense) delta sign",
        "cut-off|dot sign|(fail|fails|failed|failure) to (opacify|fill with contrast)|non-opacification",
        "(no|absent|absence of|loss of|lack of) (normal|contrast|) (flow|flow void|opacification)",
    ),
    "lesion": (
        "lesion|sol|space-occupying (lesion|process|pathology|abnormality)|mass (lesion|)|mass like lesion",
        "(demyelinating|demyelination|white matter|periventricular) plaque|(plaque|focus) of demyelination",
        "(lepto-meningeal|leptomeningeal|pachymeningeal|meningeal|dural|ring|gyriform) enhancement",
        "(pachymeningeal|meningeal|dural) thickening (and enhancement|)|enhancing (tissue|focus|component)",
        "(intracranial|metallic|metal|retained) foreign body|paget (disease|)|bulky pituitary (gland|)",
        "fullness of (the|) (left|right|) (cavernous sinus|pituitary fossa)|pituitary enlargement",
        "nodule|nodular lesion|dense (nodule|lesion)|lytic (area|focus|change|destruction|process)",
    ),
    "pneumocephalus": (
        "pneumo-cephalus|pneumo-cephaly|intracranial (air|gas|free air)|(air|gas) (locule|bubble|pocket)",
        "locule of (air|gas)",
        "(subdural|extradural|epidural|extra-axial|intraventricular|subarachnoid) (air|gas)|free (air|gas)",
        "aerocele|air|gas",
        "(bubble|pocket) of (air|gas|free air)|tension pneumocephalus",
    ),
}
# Phrases in which a word above names nothing.
OTHER_MEANINGS = (
    "no (abnormal|pathological|) (lepto-meningeal|leptomeningeal|pachymeningeal|meningeal|dural|ring) enhancement",
    "blood (vessel|pressure|supply|flow|test|glucose|sugar|pool|cell|culture|work|thinner|thinning|patch|gas)",
    "blood (brain|- brain) barrier|blood (stained|count|result|film)|bone mass|muscle mass|full blood count",
    "air (cell|space|way|fluid|entry)|air - (cell|fluid|space)|(room|on) air|airway|gas (exchange|induction)",
    "no flow - limiting|no flow (limiting|void abnormality|related)|flow void abnormality",
    "known (primary|systemic|extracranial|metastatic|) malignancy",
    "known metastatic (breast|lung|prostate|renal|bowel|colorectal|colon|ovarian|thyroid|skin) "
    "(cancer|carcinoma|primary|disease)",
    "soft tissue mass density",
    f"{DURAL} (space|compartment)|subarachnoid (cistern|csf)",
    "stroke (protocol|team|pathway|service|window|call|unit|mimic|nurse|registrar|consultant|physician|doctor)",
    "stroke (specialist|specialist nurse|neurologist|sho|fellow|clinic|ward|medicine)|surgical emphysema",
    "compression stocking|dis(c|k) herniation|fluid shift|night shift|middle ear effusion|pleural effusion",
    "surgical (opinion|referral|review|team|advice|input|consult|consultation|discussion)",
    "neurosurgery (team|referral|opinion)",
    "(discussed with|referral to|refer to) (the|) neurosurgery (team|)",
    "(referred to|opinion from|transfer to|transferred to) (the|) neurosurgery (team|)",
    "malignant (hypertension|otitis)|dental (implant|prosthesis|crown)|for data collection",
    "clinical intervention",
    "spinal cord compression",
    "(shift|displacement) work|urgent (neurosurgical|surgical) intervention",
    "(for|need|require) (surgical|) intervention",
    "image compression|pseudo-subarachnoid (hemorrhage|)",
)
# Words that mean a hemorrhage unless something else in such a space follows within a few words.
SPACES = frozenset(("subdural", "extradural", "epidural", "subarachnoid"))
IN_A_SPACE = word_set(
    "collection hygroma effusion space fluid empyema abscess air gas drain catheter cyst tumor mass "
    "cistern csf "
    "compartment thickening lesion calcification hemorrhage hematoma bleed metastasis infection extension"
)
# What a scan is looked at in: "brain, subdural and bone windows" names no subdural.
WINDOWS = word_set("window windowing setting algorithm kernel")
WINDOWED = word_set("subdural stroke blood brain bone bony soft tissue lung , / & and")
# Vague words: without a negation they leave open which of the labels is meant.
VAGUE: dict[str, tuple[str, ...]] = {
    "hypodensity": (
        "abnormal (parenchymal|brain|) (density|attenuation)|(density|attenuation) (abnormality|change)",
    ),
    "hyperdensity": (
        "abnormal (parenchymal|brain|) (density|attenuation)|(density|attenuation) (abnormality|change)",
    ),
    "fracture": ("(bone|bony|osseous|skull|calvarial) (abnormality|lesion|defect)",),
}


@lru_cache(maxsize=256)
def labels_named(word: str) -> frozenset[str]:
    """The labels that a word names by itself; `word` is a norm."""
    return frozenset(
        label
        for label, patterns in TERMS.items()
        if any(norm(phrase) == word for pattern in patterns for phrase in expand(pattern))
    )

"""The words of the synthetic reports: how each label is called, where things lie, what else a report says.

The knowledge that Schrempf 2021 takes from a dictionary of synonyms is written out here, in British spelling.
A name begins with "a" where it can be counted and ends with "+" where it is a plural.
"""

Labels = tuple[str, ...]


def _parts(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split(";"))


NAMES: dict[str, tuple[str, ...]] = {
    label: _parts(text)
    for label, text in {
        "artefact": """a movement artefact; motion artefact; beam hardening artefact; streak artefact;
            artefacts+; image degradation by movement; dental artefact; metallic artefact; motion degradation""",
        "collection": """a subdural collection; an extra-axial collection; an extradural collection;
            a fluid collection; intracranial collections+; a subdural hygroma; extra-axial fluid;
            a subgaleal collection; an epidural collection; a subdural effusion""",
        "compression": """compression of the lateral ventricle; ventricular compression; brainstem compression;
            compression of the fourth ventricle; compression of the adjacent parenchyma; cord compression;
            compression of the third ventricle; local compression""",
        "dilation": """ventricular dilatation; ventricular dilation; ventriculomegaly; ventricular enlargement;
            dilated ventricles+; enlargement of the ventricles; dilatation of the temporal horns;
            dilated temporal horns+; prominence of the ventricular system; enlarged ventricles+""",
        "effacement": """sulcal effacement; effacement of the sulci; effacement of the basal cisterns;
            effaced sulci+; effacement of the lateral ventricle; cisternal effacement; effacement; loss of sulci;
            effacement of the fourth ventricle; obliteration of the basal cisterns""",
        "herniation": """uncal herniation; tonsillar herniation; subfalcine herniation; brain herniation;
            transtentorial herniation; coning; herniation; descent of the cerebellar tonsils;
            herniation through the foramen magnum; a herniated uncus""",
        "hyperdensity": """a hyperdensity; a hyperdense focus; high attenuation; a hyperattenuating focus;
            increased density; high density material; increased attenuation; a hyperdense area; hyperdense foci+;
            a dense focus; an area of high density; hyperattenuation""",
        "hypodensity": """a hypodensity; low attenuation; a hypodense area; white matter hypodensity;
            periventricular low attenuation; a low density area; reduced attenuation; hypodensities+;
            hypoattenuation; low density change; a hypoattenuating focus; decreased attenuation; lucency;
            low attenuation foci+; an area of low attenuation""",
        "loss of differentiation": """loss of grey-white differentiation; loss of grey white matter
            differentiation; loss of the insular ribbon; blurring of the grey-white interface;
            reduced grey-white matter differentiation; loss of cortical differentiation;
            loss of definition of the lentiform nucleus; obscuration of the basal ganglia; loss of differentiation;
            poor differentiation between grey and white matter""",
        "malacic changes": """encephalomalacia; malacic change; an area of encephalomalacia; malacic changes+;
            cystic encephalomalacia; encephalomalacic change; porencephaly; leukomalacia; myelomalacia;
            malacia; post-traumatic encephalomalacia""",
        "mass effect": """mass effect; local mass effect; regional mass effect; mass-effect; a mass effect;
            space-occupying effect; positive mass effect""",
        "midline shift": """midline shift; shift of the midline; displacement of midline structures;
            a shift of the midline structures; midline deviation; a midline shift; shift of the septum pellucidum;
            deviation of the midline; MLS""",
        "oedema": """oedema; cerebral oedema; vasogenic oedema; cytotoxic oedema; perilesional oedema;
            surrounding oedema; brain oedema; peritumoural oedema; interstitial oedema; perihaematomal oedema""",
        "swelling": """brain swelling; cerebral swelling; soft tissue swelling; swelling; gyral swelling;
            scalp swelling; cortical swelling; parenchymal swelling; periorbital swelling; swollen gyri+""",
        "abscess": """an abscess; a cerebral abscess; abscesses+; a brain abscess; abscess formation;
            an intracranial abscess; a pyogenic abscess""",
        "atrophy": """atrophy; cerebral atrophy; generalised atrophy; volume loss; involutional change;
            cortical atrophy; parenchymal volume loss; brain atrophy; cerebellar atrophy; hippocampal atrophy;
            generalised involutional changes+; global volume loss; involution; cerebral volume loss; brain shrinkage""",
        "aneurysm": """an aneurysm; an intracranial aneurysm; a berry aneurysm; aneurysms+; a saccular aneurysm;
            an aneurysm of the anterior communicating artery; a basilar tip aneurysm; a fusiform aneurysm""",
        "calcification": """calcification; vascular calcification; basal ganglia calcification; a calcified focus;
            physiological calcification; calcifications+; calcific foci+; calcified vessels+; mural calcification;
            falcine calcification; calcification of the carotid siphons; calcified plaque; a calcific density""",
        "cavernoma": """a cavernoma; a cavernous angioma; cavernomas+; a cavernous malformation;
            a cavernous haemangioma""",
        "cerebral small vessel disease": """small vessel disease; cerebral small vessel disease;
            chronic small vessel change; microvascular disease; small vessel ischaemic change; microangiopathy;
            chronic microvascular ischaemic changes+; leukoaraiosis; microangiopathic change; small vessel changes+;
            periventricular small vessel disease; microvascular change; SVD; arteriolosclerotic change;
            chronic white matter ischaemic change; small vessel ischaemia; deep white matter ischaemia""",
        "congenital abnormality": """a congenital abnormality; a Chiari malformation; a developmental anomaly;
            agenesis of the corpus callosum; a congenital anomaly; cortical dysplasia; a congenital malformation;
            a Dandy-Walker malformation; grey matter heterotopia; a developmental venous anomaly; polymicrogyria;
            dysgenesis of the corpus callosum; a cephalocele; schizencephaly; lissencephaly; holoprosencephaly""",
        "cyst": """an arachnoid cyst; a cyst; a pineal cyst; a colloid cyst; a choroid fissure cyst; cysts+;
            a retrocerebellar cyst; an epidermoid cyst; a Rathke cleft cyst; a dermoid cyst; a simple cyst""",
        "evidence of surgery/intervention": """a craniotomy; evidence of previous surgery; a burr hole;
            a ventriculoperitoneal shunt; a VP shunt; an external ventricular drain; an aneurysm clip;
            a craniectomy; post-surgical change; postoperative changes+; embolisation coils+; burr holes+;
            a cranioplasty; a surgical drain; an EVD; a shunt catheter; an intracranial pressure monitor;
            post-operative appearances+; a craniotomy defect; a resection cavity; surgical clips+; a stent""",
        "fracture": """a fracture; a skull fracture; a skull base fracture; fractures+; a linear fracture;
            a depressed fracture; a temporal bone fracture; a nasal bone fracture; a calvarial fracture;
            a facial fracture; an orbital floor fracture; bony injury""",
        "gliosis": """gliosis; gliotic change; a gliotic scar; gliotic changes+; an area of gliosis; reactive gliosis;
            post-ischaemic gliosis""",
        "hemorrhage": """haemorrhage; a haemorrhage; a subdural haematoma; subarachnoid haemorrhage; a haematoma;
            an extradural haematoma; intracranial haemorrhage; an intraparenchymal haemorrhage; bleeding;
            intraventricular blood; a bleed; an intracerebral haematoma; subarachnoid blood; SAH; an SDH; ICH;
            haemorrhagic contusions+; an epidural haematoma; an intracranial bleed; blood products+;
            intra-axial haemorrhage; a haemorrhagic contusion; extra-axial blood; blood; an EDH; microbleeds+;
            extra-axial haemorrhage; petechial haemorrhage; haemorrhagic transformation""",
        "hydrocephalus": """hydrocephalus; obstructive hydrocephalus; communicating hydrocephalus;
            normal pressure hydrocephalus; NPH; ventricular obstruction; acute hydrocephalus""",
        "ischemia": """an infarct; infarction; ischaemia; an ischaemic stroke; a lacunar infarct; infarcts+;
            an acute infarct; a cerebellar infarct; ischaemic change; a cortical infarct; territorial infarction;
            a lacune; lacunar infarcts+; an MCA territory infarct; ischaemic injury; a stroke; a CVA; stroke;
            hypoxic ischaemic injury; a watershed infarct; acute ischaemic change; a lacunar stroke; lacunes+""",
        "infection": """infection; meningitis; encephalitis; an empyema; ventriculitis; cerebritis; osteomyelitis;
            meningoencephalitis; intracranial infection; a subdural empyema;
            herpes encephalitis; toxoplasmosis; mastoiditis""",
        "tumor": """a tumour; a meningioma; a glioma; metastases+; a neoplasm; malignancy; a metastasis;
            metastatic disease; glioblastoma; a pituitary adenoma; a vestibular schwannoma; tumours+; lymphoma;
            a brain tumour; an intracranial neoplasm; a metastatic deposit; secondary deposits+; cancer;
            a brain metastasis; an acoustic neuroma; a GBM; a craniopharyngioma; a lipoma""",
        "vessel occlusion": """vessel occlusion; a venous sinus thrombosis; thrombus; an occluded vessel;
            occlusion of the middle cerebral artery; an arterial occlusion; basilar artery thrombosis; CVST;
            a large vessel occlusion; thrombosis of the sagittal sinus; a basilar thrombus; sinus thrombosis;
            thrombus in the MCA; a dural sinus thrombosis; acute thrombus; occlusion of the internal carotid artery""",
        "lesion": """a lesion; a focal lesion; a space-occupying lesion; an SOL; lesions+; a focal brain lesion;
            a bone lesion; a lytic lesion; an intracranial lesion; an intra-axial lesion; a white matter lesion;
            an extra-axial lesion; a parenchymal lesion; focal lesions+; a sclerotic lesion; a mass lesion;
            focal parenchymal lesions+; a space occupying lesion; a mass; an intracranial mass""",
        "pneumocephalus": """pneumocephalus; intracranial air; intracranial gas; a pocket of intracranial air;
            locules of gas+; extra-axial gas; locules of intracranial air+; intraventricular air""",
    }.items()
}

# Names that mean more than one label.
JOINT_NAMES: tuple[tuple[str, Labels], ...] = (
    ("a hypodense lesion", ("hypodensity", "lesion")),
    ("a low density lesion", ("hypodensity", "lesion")),
    ("a hyperdense lesion", ("hyperdensity", "lesion")),
    ("a low density collection", ("hypodensity", "collection")),
    ("a hyperdense collection", ("hyperdensity", "collection")),
    ("a calcified lesion", ("calcification", "lesion")),
    ("a cystic lesion", ("cyst", "lesion")),
    ("a calcified meningioma", ("calcification", "tumor")),
    ("a haemorrhagic infarct", ("hemorrhage", "ischemia")),
    ("haemorrhagic metastases+", ("hemorrhage", "tumor")),
    ("a ruptured aneurysm", ("aneurysm", "hemorrhage")),
    ("a hyperdense MCA sign", ("hyperdensity", "vessel occlusion")),
    ("high attenuation blood", ("hyperdensity", "hemorrhage")),
    ("hypodense white matter from small vessel disease", ("hypodensity", "cerebral small vessel disease")),
    ("a metastatic lesion", ("tumor", "lesion")),
    ("hydrocephalus with dilated ventricles", ("hydrocephalus", "dilation")),
    ("post-surgical pneumocephalus", ("evidence of surgery/intervention", "pneumocephalus")),
    ("oedema and swelling", ("oedema", "swelling")),
    ("encephalomalacia and gliosis", ("malacic changes", "gliosis")),
)

QUALITIES = _parts(
    """small; large; acute; chronic; subtle; mild; moderate; severe; marked; extensive; focal; diffuse; old; tiny;
    longstanding; minor; minimal; subacute; significant; early; established; obvious; generalised; 12 mm; 7 mm;
    slight; prominent; left-sided; right-sided; bilateral; some; widespread; patchy; further; mature"""
)
# What a denial is usually about.
DENIED_QUALITIES = _parts(
    "acute; significant; obvious; large; focal; gross; evident; visible; recent; large territory; overt; associated"
)
PLACES = _parts(
    """in the left frontal lobe; in the right parietal lobe; within the posterior fossa; in the cerebellum;
    overlying the right cerebral convexity; on the left; on the right; in the basal ganglia; bilaterally;
    in the left temporal lobe; in the periventricular white matter; in the right thalamus; in the pons;
    along the falx; in the right MCA territory; of the left hemisphere; in the occipital horns; in the vertex;
    adjacent to the lateral ventricle; in the corona radiata; in both hemispheres; near the skull base;
    at the level of the internal capsule; in the left occipital region; in the suprasellar region"""
)
# What a report says that is about no label.
BLAND = _parts(
    """The paranasal sinuses are clear; There is mucosal thickening in the maxillary sinuses;
    The mastoid air cells are well aerated; The orbits are unremarkable; Normal brain; Normal study;
    No acute intracranial abnormality; No intracranial abnormality is seen; Unremarkable CT of the head;
    The visualised bones are intact; Appearances are within normal limits; Normal appearance of the brain parenchyma;
    Clinical correlation is suggested; The findings were discussed with the referring team;
    Bilateral lens replacements; Partial opacification of the ethmoid air cells; No other abnormality;
    Follow-up is recommended; The pituitary fossa is normal; MRI may be helpful;
    Normal appearance of the posterior fossa; The patient was informed; The airways are patent;
    Age-appropriate appearances; Dictated by the on-call radiologist; Verified electronically;
    The brainstem and cerebellum are unremarkable; Bone windows have been reviewed; No significant finding;
    The globes and optic nerves are normal; Sinus mucosal disease; Deviated nasal septum;
    No cause for the symptoms has been found; The cerebral parenchyma is normal; The skull vault is normal;
    Appearances are stable; No change; The dural venous sinuses are symmetrical; The report was phoned to the ward;
    Wax in the external auditory canals; The vessels are unremarkable; Nil of note; Satisfactory appearances"""
)
TECHNIQUES = _parts(
    """Unenhanced CT of the head; Non-contrast axial images from the skull base to the vertex;
    Volumetric acquisition without intravenous contrast; CT brain without contrast; Multiplanar reconstructions;
    Helical scan with 5 mm slices; Pre-contrast images only; Comparison with the scan of 12/03/2015;
    Comparison: none available; No previous imaging is available; CT angiogram of the circle of Willis"""
)
SYMPTOMS = _parts(
    """headache; confusion; left-sided weakness; fall; GCS 13; seizure; dysphasia; collapse; vomiting;
    right facial droop; dizziness; reduced consciousness; head injury; on warfarin; slurred speech; diplopia"""
)
AMERICAN = (
    ("haem", "hem"), ("oedema", "edema"), ("tumour", "tumor"), ("grey", "gray"), ("ischaem", "ischem"),
    ("artefact", "artifact"), ("centre", "center"), ("dilatation", "dilation"), ("visualised", "visualized"),
    ("generalised", "generalized"), ("embolisation", "embolization"), ("visualise", "visualize"),
)  # fmt: skip
# Words of certainty; the comment shows where they stand.
CUES: dict[str, tuple[str, ...]] = {
    name: _parts(text)
    for name, text in {
        # There is no ...
        "no": """no; no evidence of; no sign of; no signs of; no features of; no CT evidence of; no
            definite evidence of; no convincing; no radiological evidence of; no demonstrable; no
            indication of; no suggestion of; not any; no features to suggest; nothing to suggest; no
            new; no evidence for; no further; no residual; no CT features of; no acute evidence of; no
            suspicious; no findings of; no appreciable""",
        # ... without ...
        "without": """without; without evidence of; with no; with no evidence of; with absence of; in the
            absence of; without any; but no; and no; negative for; free of; with no associated; with no
            sign of; excluding""",
        # ... is absent.
        "absent": """is absent; is not seen; is not present; is not identified; has been excluded; is
            excluded; has been ruled out; can be ruled out; is ruled out; is not demonstrated; is not
            evident; was not found; has resolved; is no longer seen; has cleared; is not visible; can be
            excluded; is not a feature; has completely resolved; is not detected; is no longer present""",
        # Possible ...
        "possible": """possible; possibly; probable; probably; likely; suspected; query; ?; ??; suspicious
            for; perhaps; concerning for; worrying for; suspicion of; questionable; equivocal; presumed;
            suggestive of; may be; could be; might be; possibility of; potential; concern for;
            suggestion of; presumably; most likely; probable early; raising the possibility of; cannot
            exclude; cannot rule out; unable to exclude; apparent; doubtful; difficult to exclude;
            thought to be; in question; not excluding; ?early""",
        # ... cannot be excluded.
        "unsure": """cannot be excluded; cannot be entirely excluded; cannot be ruled out; is possible; is
            not excluded; is likely; is suspected; should be considered; is questioned; is a
            possibility; is probable; is felt likely; would be a consideration; remains possible; is
            difficult to exclude; is in the differential; is favoured; is a differential; must be
            considered; is the most likely diagnosis; is thought to be present; is hard to exclude; has
            not been excluded; may be present; could be present; is not certain""",
        # This may represent ...
        "may": """may represent; could represent; might represent; may reflect; could be; may be; might be
            due to; likely represents; probably represents; is suspicious for; is suggestive of; is
            concerning for; suggests; raises the possibility of; is thought to represent; is probably
            due to; would be compatible with; might be; most likely represents; possibly represents; is
            presumably; is favoured to represent; could reflect; is felt to represent; may be due to;
            may indicate; may relate to; appears to represent; is likely to be""",
        # ... in keeping with ...
        "shows": """consistent with; in keeping with; compatible with; due to; secondary to; causing; with;
            resulting in; with associated; diagnostic of; representing; and; related to; from; as well
            as; typical of; plus; together with; leading to; producing; in addition to; accompanied by;
            with resultant; with further""",
        # There is ...
        "there": """there is; the scan shows; the CT demonstrates; evidence of; there is evidence of; note
            is made of; again seen is; there has been; we see; the patient has; noted is; findings of;
            the images show; incidental; known; background of; interval development of; features of;
            positive for; this is; appearances of; new; presence of; multiple; redemonstration of;
            persistent; stable; unchanged; features are those of""",
        # ... is present.
        "present": """is seen; is noted; is present; is again demonstrated; is identified; is confirmed; is
            evident; is visible; persists; has increased in size; is unchanged; is stable; has decreased
            slightly; is noted again; measures 12 mm; has progressed; has enlarged; is shown; is again
            noted; remains; is similar to before""",
    }.items()
}

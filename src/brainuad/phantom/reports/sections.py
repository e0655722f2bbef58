"""Phrases that say nothing of this image: title, request, history, technique, earlier imaging, closing, addenda."""

TITLES = (
    "CT head without contrast",
    "CT HEAD WITHOUT CONTRAST",
    "CT Head",
    "CT BRAIN PLAIN",
    "Unenhanced CT head",
    "Non-contrast CT brain",
    "Examination: CT head",
    "EXAM: CT HEAD WITHOUT IV CONTRAST",
    "Computed tomography of the head, native",
    "Radiology report - CT skull and brain",
)

# The request of a report names what is asked for, not what is there: its words carry no marks.
REQUESTS: dict[str, tuple[str, ...]] = {
    "stroke": (
        "Sudden onset weakness of the arm and leg, ?stroke.",
        "FAST positive. ?infarct ?haemorrhage",
        "{age} year old {person} with dysphasia and facial droop. History of hypertension and previous TIA.",
        "Possible stroke, within thrombolysis window. Rule out haemorrhage.",
    ),
    "trauma": (
        "Fall from standing height, on warfarin. ?bleed ?fracture",
        "RTC, GCS 13. Exclude intracranial injury.",
        "{age} year old {person}, found on floor. ?subdural",
    ),
    "headache": (
        "Thunderclap headache. ?SAH",
        "Headache and vomiting, family history of aneurysm.",
        "New headache, previous breast cancer. ?metastases",
    ),
    "confusion": (
        "Acute confusion. ?cause",
        "{age} year old {person}, fluctuating consciousness. ?chronic subdural ?hydrocephalus",
        "Delirium and fever, ?encephalitis.",
    ),
    "seizure": (
        "First seizure. ?space occupying lesion",
        "Known epilepsy, prolonged seizure. ?tumour ?abscess",
    ),
    "collapse": ("Collapse with loss of consciousness. ?cause", "Post cardiac arrest. ?hypoxic injury"),
    "progress": (
        "Deteriorating consciousness level. ?progression",
        "24 hours after thrombolysis. ?haemorrhage",
    ),
}
# What a patient had, or what runs in the family, leaves nothing to see in this scan.
HISTORY = (
    "Previous TIA, on clopidogrel.",
    "AF on apixaban, hypertension, type 2 diabetes.",
    "Treated for breast carcinoma ten years ago.",
    "Mother died of a subarachnoid haemorrhage.",
    "Migraine with aura since childhood.",
    "Alcohol excess and frequent falls.",
    "Epilepsy since adolescence, on levetiracetam.",
    "Bronchial carcinoma under treatment, without brain metastases when staged.",
    "Recurrent DVT, INR 3.2.",
    "Meningitis in childhood with full recovery.",
    "Wrist fracture last month.",
    "Chest infection, on antibiotics.",
    "Mild cognitive impairment, lives alone.",
    "Concussion while playing rugby as a student.",
    "Coronary artery bypass 2008, ex-smoker.",
    "Brother had a brain tumour.",
)
REQUEST_HEADINGS = (
    "Clinical details:",
    "Clinical Details -",
    "Clinical information:",
    "Reason for exam:",
    "Hx:",
)
HISTORY_HEADINGS = (
    "Past medical history:",
    "PMH:",
    "Relevant history:",
    "Background:",
)
TECHNIQUES = (
    "Unenhanced CT of the head.",
    "Non-contrast axial CT head, 5 mm reconstructions.",
    "Volumetric CT brain without intravenous contrast.",
    "Axial images from the skull base to the vertex, no contrast given.",
    "Helical acquisition with coronal and sagittal reformats.",
    "Standard head protocol, native phase.",
    "Sequential 4.8 mm slices parallel to the orbitomeatal line.",
)
DOSES = (
    "DLP 812 mGy cm.",
    "CTDIvol 52 mGy, DLP 934 mGy cm.",
    "Dose length product 641 mGy cm.",
)
COMPARED = (
    "Comparison is made with the previous CT of {earlier}.",
    "Compared to the examination dated {earlier}.",
    "Previous imaging of {earlier} reviewed.",
)
UNCHANGED = (
    "No change since {earlier}.",
    "No significant interval change since {earlier}.",
    "Appearances are unchanged from the prior study ({earlier}).",
    "The CT from {earlier} is noted. Stable appearances.",
    "There has been no progression since the scan on {earlier}.",
)
# What stands under a heading of its own.
COMPARISON_HEADING = "Comparison:"
PRIORS = (
    "CT head of {earlier}.",
    "CT brain {earlier}.",
    "Prior CT dated {earlier}.",
)
NO_PRIORS = ("None.", "None available.", "Nil.")
NO_EARLIER = ("No previous imaging available for comparison.", "No prior studies.")
# The conclusion of a report that says no more than that.
STATIC = (
    "Unchanged appearances.",
    "Static appearances.",
    "No interval change.",
    "No new intracranial abnormality.",
    "No acute intracranial abnormality.",
)
NOTHING = (
    "No acute intracranial abnormality.",
    "No acute intracranial pathology.",
    "Normal appearances for age.",
    "No significant abnormality.",
)
CLOSING = (
    "Clinical correlation advised.",
    "Reported by the on call radiologist.",
    "The imaged paranasal sinuses are clear.",
    "Findings discussed with the referring team.",
    "Advise MRI if symptoms persist.",
)
# A later remark in a row of its own, and what it says where nothing was missed.
ADDENDA = (
    "Addendum: {sentence}",
    "ADDENDUM\nIn addition to the original report:\n{sentence}",
    "Addendum to the above: {sentence}",
    "Supplementary report\n{sentence}",
    "Further to the provisional report. {sentence}",
    "Addendum (consultant neuroradiologist): {sentence}",
    "Late entry - {sentence}",
    "Addendum following discussion at the stroke meeting.\n{sentence}",
)
NOTHING_TO_ADD = (
    "no further findings.",
    "agree with the above.",
    "images reviewed, no discrepancy with the provisional report.",
    "the conclusion stands.",
    "reviewed by consultant, nothing to add.",
)
# A later remark at the end of the report itself.
POSTSCRIPTS = (
    "Addendum: {sentence}",
    "ADDENDUM\n{sentence}",
    "Addendum by consultant: {sentence}",
    "PS: {sentence}",
)
REMARKS = (
    "result telephoned to the emergency department.",
    "images reviewed with the stroke consultant, who agrees.",
    "dictation error in the first version corrected.",
    "verified report, no amendment.",
    "images have been sent to the regional centre.",
)
LATE_DENIALS = (
    "on the bone and brain windows there is no {noun}.",
    "having looked again, no {noun}.",
    "asked by the ward: no {noun} on this scan.",
)
EMPTY = ("", "", " ", "-", "Report to follow.", "Not reported.")

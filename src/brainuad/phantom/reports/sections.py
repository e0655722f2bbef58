"""Phrases of the sections that say nothing of this image: the request, the technique, earlier imaging, closing."""

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
TECHNIQUES = (
    "Unenhanced CT of the head.",
    "Non-contrast axial CT head, 5 mm reconstructions.",
    "Volumetric CT brain without intravenous contrast.",
)
COMPARED = (
    "Comparison is made with the previous CT of {earlier}.",
    "Compared to the examination dated {earlier}.",
    "Previous imaging of {earlier} reviewed.",
)
UNCHANGED = (
    "No significant interval change since {earlier}.",
    "Appearances are unchanged from the prior study ({earlier}).",
    "The CT from {earlier} is noted. Stable appearances.",
    "There has been no progression since the scan on {earlier}.",
)
NO_EARLIER = ("No previous imaging available for comparison.", "No prior studies.")
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
ADDENDA = (
    "Addendum: {sentence}",
    "ADDENDUM\nIn addition to the original report:\n{sentence}",
)
EMPTY = ("", "", " ", "-", "Report to follow.", "Not reported.")

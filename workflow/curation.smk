# Which data sets have reports, and what their curation reads.

from brainuad.curation import plan as curation
from brainuad.datasets.selected import used_subjects

CURATED = curation.curated_datasets(PLAN)


def export_tables(wildcards):
    """The tables of scans and reports of an export, or the marker of a phantom."""
    name = wildcards.dataset
    tables = [curation.scans_table(PLAN, name), curation.reports_table(PLAN, name)]
    return phantom_marker(wildcards) or tables


def reports_input(wildcards):
    """The table of the reports of an export alone, or the marker of a phantom: a corrected scan changes no label."""
    return phantom_marker(wildcards) or [reports_table(wildcards)]


def scans_table(wildcards):
    return str(curation.scans_table(PLAN, wildcards.dataset))


def reports_table(wildcards):
    return str(curation.reports_table(PLAN, wildcards.dataset))


def truth_table(wildcards):
    """What was simulated, of a phantom alone."""
    return str(curation.truth_table(PLAN, wildcards.dataset) or "")


def review_table(wildcards):
    return str(curation.review_table(PLAN, wildcards.dataset) or "")


def review_input(wildcards):
    """The decisions of a review, where there are some: the cohort is chosen again after each."""
    return review_table(wildcards) or []


def labelled_reports(wildcards):
    return str(curation.curation_of(PLAN, wildcards.dataset).learned.labelled or "")


def training_input(wildcards):
    """The labelled reports that a labeller is trained on, and their texts."""
    own = labelled_reports(wildcards)
    return [own, *reports_input(wildcards)] if own else []


def labeller_settings(wildcards):
    """The settings of a training as JSON, without more, as a user writes them."""
    return json.dumps(curation.training_settings(PLAN, wildcards.dataset))


def trained_labeller(dataset):
    return str(curation.model_folder(PLAN, dataset) / "labeller.json")


def labels_input(wildcards):
    """What gives the labels beside the reports: a trained labeller, or a table from elsewhere."""
    chosen = curation.curation_of(PLAN, wildcards.dataset)
    if chosen.labeller == "learned":
        return trained_labeller(wildcards.dataset)
    return str(chosen.table) if chosen.labeller == "table" else []


def labelling_settings(wildcards):
    name = wildcards.dataset
    labeller = curation.curation_of(PLAN, name).labeller
    return settings("label", labelling=curation.labelling_request(PLAN, name, labeller))


def other_labellers(wildcards):
    """The trained labeller with which the chosen one is compared."""
    chosen = curation.curation_of(PLAN, wildcards.dataset)
    return (
        trained_labeller(wildcards.dataset)
        if "learned" in chosen.other_labellers
        else []
    )


def comparison_settings(wildcards):
    name = wildcards.dataset
    chosen = curation.curation_of(PLAN, name)
    others = [
        curation.labelling_request(PLAN, name, other)
        for other in chosen.other_labellers
    ]
    return settings("compare_labellers", labeller=chosen.labeller, others=others)


def selection_settings(wildcards):
    return settings(
        "select", selection=curation.selection_request(PLAN, wildcards.dataset)
    )


def review_settings(wildcards):
    chosen = curation.curation_of(PLAN, wildcards.dataset)
    return settings("review", review=chosen.review.model_dump(mode="json"))


def cohort_selection(wildcards):
    """The selection that says who of a data set is healthy."""
    return str(curation.selection_table(PLAN, wildcards.dataset) or "") or []


def selected_subjects(dataset):
    """The subjects that are used: those that the selection by reports leaves, or all."""
    table = curation.selection_table(PLAN, dataset)
    if table is None:
        return PLAN.subjects(dataset)
    if dataset in CURATED:
        table = checkpoints.select_cohort.get(dataset=dataset).output.selection
    chosen = used_subjects(Path(table))
    return [subject for subject in PLAN.subjects(dataset) if subject in chosen]


def curation_files(dataset):
    """Everything that curation writes for a data set."""
    names = ["labels.tsv", "selection.tsv", "flow.tsv", "remarks.tsv", "review.html"]
    if curation.is_compared(PLAN, dataset):
        names.append("agreement.tsv")
    return [f"results/curation/{dataset}/{name}" for name in names]


def flow_tables(dataset):
    """The flow table of a data set that is curated."""
    return [f"results/curation/{dataset}/flow.tsv"] if dataset in CURATED else []


def curation_targets(wildcards):
    return [path for name in CURATED for path in curation_files(name)]


def all_curation(wildcards):
    """What the report shows of the data sets that are used."""
    shown = ("flow.tsv", "remarks.tsv", "agreement.tsv")
    files = [
        path for name in curation.used_curated(PLAN) for path in curation_files(name)
    ]
    return [path for path in files if path.endswith(shown)]

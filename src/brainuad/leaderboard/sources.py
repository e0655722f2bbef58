"""On which other data sets of its study a threshold can be chosen that the scans of a test set cannot give.

Nobody is lent whose scans could be among the tested ones, and nothing that would need a map of its own: lenders are
data sets on which the method is scored anyway.
"""

from brainuad.leaderboard.inputs import Sources
from brainuad.plan import Plan
from brainuad.preprocessing.split_settings import DatasetSplit

# Collections that publish the same people under names that do not say who is who (docs/datasets/shifts.md).
SAME_PEOPLE = (frozenset({"mslub", "ljubljana"}),)
# Slices of patients that a study learns from as healthy ones.
WITHOUT_LESION = ("tumour-free", "tumour-free-unresized")


def threshold_sources(plan: Plan, study: str, method: str, dataset: str) -> Sources:
    """Who lends to a test set of a study, with the maps of a method."""
    content = plan.studies[study]
    mapped = {*mapped_datasets(plan, study, method), *content.leaderboard_datasets}
    base = content.synthetic[dataset].of if dataset in content.synthetic else dataset
    able = [name for name in content.splits if name in mapped and not _same_people(plan, name, base)]
    own = dataset in content.splits and _validates_patients(content.splits[dataset])
    lend = [name for name in able if name != content.healthy_dataset or content.splits[name].patients]
    patients = () if own else tuple(name for name in lend if _validates_patients(content.splits[name]))
    if content.healthy_dataset:
        named = () if content.healthy_dataset == dataset else (content.healthy_dataset,)
        return Sources(patients, named, named=True)
    trained = content.training_data
    healthy = tuple(n for n in trained.datasets if n in able and "validation" in content.splits[n].roles)
    slices = trained.slices if healthy and trained.slices in WITHOUT_LESION else ""
    return Sources(patients, healthy, slices)


def mapped_datasets(plan: Plan, study: str, maps: str) -> set[str]:
    """The data sets on which a method's maps are scored, under its own name or with other post-processing."""
    methods = plan.studies[study].methods
    users = [name for name in plan.compared_methods(study) if (methods[name].maps_of or name) == maps]
    return {dataset for name in users for dataset in plan.method_datasets(study, name)}


def _validates_patients(split: DatasetSplit) -> bool:
    """Whether patients can have the role validation; whether there are any, only the scans can say."""
    if split.lists:
        return "validation" in split.lists
    return (split.patients or split).validation > 0


def _same_people(plan: Plan, name: str, other: str) -> bool:
    """Whether another data set can hold scans of the same people."""
    if name == other:
        return False  # the split keeps the roles of one data set apart
    # By their formats: a user may give a collection another name.
    formats = {plan.dataset(key).name for key in (name, other)}
    together = any(formats <= group for group in SAME_PEOPLE)
    return together or plan.scans_of(name) == plan.scans_of(other)

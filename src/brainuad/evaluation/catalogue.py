"""What a score table can hold: every metric with its protocols, aggregates and strata, before anything is run.

It says what `evaluate_method` writes; tables and figures that ask for anything else are wrong. Light to import.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from brainuad.evaluation.settings import AVERAGE, EvaluationSettings

POOLED, MEAN = "pooled", "mean"  # in the place of a subject: all voxels together, mean over subjects
ANOMALOUS = "anomalous"  # the stratum of similarities of subjects with a lesion
WHOLE_IMAGE = ("l1", "mse", "ssim", "lpips")  # against the input
IN_LESION = ("mse_lesion", "lpips_lesion")  # against the image before a synthetic anomaly was put in
AGE_GROUPS = ("0-20", "20-40", "40-60", "60-80", "80+")  # years
BOTH = frozenset({MEAN, POOLED})
ALL = frozenset({""})
OF_LESIONS = (
    *("dice", "precision", "recall", "lesion_recall", "lesion_precision", "lesion_f1", "box_f1"),
    "false_positive_components",
)
OF_BOXES = ("boxes", "detected", "detected_share", "f1_boxes")
OF_HEALTHY = ("fpr", "healthy_components")
NUMBERS_OF_SUBJECTS = ("subjects_failed", "subjects_without_lesion", "subjects_image_only")


@dataclass(frozen=True)
class Quantity:
    """One number that a score table has: a metric of a data set, its protocol, stratum and aggregate."""

    dataset: str
    metric: str
    protocol: str = ""
    aggregate: str = MEAN
    stratum: str = ""


@dataclass(frozen=True)
class Names:
    """The strata of an entry; further ones are known from the data alone and begin with one of `open`."""

    known: frozenset[str] = ALL
    open: tuple[str, ...] = ()

    def __contains__(self, name: str) -> bool:
        return name in self.known or name.startswith(self.open)


@dataclass(frozen=True)
class Entry:
    """A metric, and the protocols, aggregates and strata that it has in every combination."""

    metric: str
    protocols: frozenset[str]
    aggregates: frozenset[str]
    strata: Names = Names()


@dataclass(frozen=True)
class Scored:
    """What is evaluated: by which settings, on which kind of planted anomalies ("": none), whether with LPIPS.

    `healthy` is the data set that adds healthy subjects, "" where there is no other than the evaluated one.
    `protocols` are those that the evaluation keeps.
    """

    settings: EvaluationSettings
    protocols: tuple[str, ...]
    healthy: str = ""
    planted: str = ""
    lpips: bool = False


def catalogue(scored: Scored) -> list[Entry]:
    """Everything that the score tables of one method on one data set can hold."""
    return [*_maps(scored), *_thresholded(scored), *_subjects(scored), *_images(scored)]


def _entries(
    metrics: Iterable[str], protocols: Iterable[str], aggregates: Iterable[str], strata: Names = Names()
) -> Iterator[Entry]:
    found = frozenset(protocols)
    return (Entry(metric, found, frozenset(aggregates), strata) for metric in metrics if found)


def _by_size_and_condition(scored: Scored) -> frozenset[str]:
    """Spheres alone have a diameter."""
    sizes = ("voxels", "diameter_mm") if scored.planted == "spheres" else ("voxels",)
    strata = {stratum.name for stratum in scored.settings.subject_strata if stratum.by in sizes}
    return ALL | strata | set(scored.settings.conditions)


def _with_attributes(scored: Scored) -> Names:
    """By size, condition and attribute. Sexes and sites are those of the data; age groups are known."""
    settings = scored.settings
    ages = {f"age {group}" for group in AGE_GROUPS} if "age" in settings.attributes else set()
    further = tuple(f"{name} " for name in settings.attributes if name != "age")
    return Names(_by_size_and_condition(scored) | ages, further)


def _maps(scored: Scored) -> Iterator[Entry]:
    """What needs no threshold of a protocol, or the best one on the test data."""
    settings = scored.settings
    groups, sizes = _with_attributes(scored), Names(_by_size_and_condition(scored))
    yield from _entries(["auprc"], [""], [POOLED], sizes)
    yield from _entries(["auprc"], [""], [MEAN], groups)
    yield from _entries(["prevalence"], [""], BOTH)
    oracle = {"oracle"} & set(scored.protocols)
    yield from _entries(["dice"], oracle, [POOLED], sizes)
    yield from _entries(["dice"], oracle, [MEAN], groups)
    yield from _entries(["dice_mean_volumes"], oracle, [MEAN])
    if settings.threshold_grid:
        yield from _entries(["dice_grid"], oracle, [POOLED], sizes)
        yield from _entries(["dice_mean_volumes_grid"], oracle, [MEAN])


def _thresholded(scored: Scored) -> Iterator[Entry]:
    settings = scored.settings
    protocols = set(scored.protocols) - {"oracle"}
    yield from _entries(OF_LESIONS, protocols, BOTH)
    yield from _entries(["dice"], protocols, [MEAN], _with_attributes(scored))
    lesions = frozenset(stratum.name for stratum in settings.lesion_strata)
    yield from _entries(["lesion_recall"], protocols, [POOLED], Names(ALL | lesions))
    healthy = Names(ALL | {scored.healthy})
    yield from _entries(OF_HEALTHY, protocols, [MEAN], healthy)
    if settings.boxes:
        # Without classes every label of a box is one.
        classes = Names(ALL | set(settings.box_classes)) if settings.box_classes else Names(open=("",))
        yield from _entries(OF_BOXES, protocols, [POOLED], classes)
    yield from _entries(["threshold", "threshold_fallback"], protocols - {"yen"}, [POOLED])
    yield from _entries(["threshold_beyond_grid"], protocols & {"healthy-fpr-grid"}, [POOLED])


def _subjects(scored: Scored) -> Iterator[Entry]:
    settings = scored.settings
    conditions = ALL | set(settings.conditions)
    groups = conditions | ({AVERAGE} if settings.conditions else set()) | {scored.healthy}
    yield from _entries(["auroc"], [""], [POOLED], Names(groups))
    yield from _entries(["subjects"], [""], [POOLED], Names(conditions))
    yield from _entries(["subjects_with_lesion"], [""], [POOLED], _with_attributes(scored))
    yield from _entries(NUMBERS_OF_SUBJECTS, [""], [POOLED])
    yield from _entries(["image_score"], [""], [MEAN])
    if scored.healthy:
        yield from _entries(["subjects"], [""], [MEAN], Names(frozenset({scored.healthy})))


def _images(scored: Scored) -> Iterator[Entry]:
    """How close pseudo-healthy images are to what they should be."""

    def measured(metrics: Iterable[str]) -> Iterator[str]:
        return (metric for metric in metrics if scored.lpips or not metric.startswith("lpips"))

    whole = Names(ALL | {ANOMALOUS, scored.healthy})
    yield from _entries(measured(WHOLE_IMAGE), [""], [MEAN], whole)
    if scored.planted:
        yield from _entries(measured(IN_LESION), [""], [MEAN])

"""A study: one paper's protocol, or a user's own, as written in `workflow/studies/NAME.yaml`."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, FiniteFloat, model_validator

from brainuad.evaluation.settings import EvaluationSettings, PostProcessingStep, ThresholdGrid
from brainuad.evaluation.significance_settings import SignificanceSettings
from brainuad.inference.similarity_settings import SimilaritySettings
from brainuad.preprocessing.split_settings import DatasetSplit
from brainuad.reporting.figure_settings import FigureSettings
from brainuad.reporting.settings import AnyTableSettings
from brainuad.settings import EachOnce, Name, Settings
from brainuad.synthetic.settings import SyntheticSettings

# Names of data sets.
Datasets = Annotated[tuple[str, ...], EachOnce]


class TrainingData(Settings):
    """Which slices of which data sets a model learns from; of a model of volumes, which volumes."""

    datasets: Datasets = Field(min_length=1)
    slices: Literal["all", "non-empty", "tumour-free", "tumour-free-unresized", "tumour"] = "non-empty"


class ModelEntry(Settings):
    """A model to train: its kind, and what differs from the paper's settings."""

    kind: str
    settings: dict[str, Any] = Field(default_factory=dict)
    # What differs further at the quick scale, beyond the kind's own quick settings.
    quick: dict[str, Any] = Field(default_factory=dict)
    training_data: TrainingData | None = None
    # Left out with its methods where the program that trains it is not installed.
    optional: bool = False


class MethodEntry(Settings):
    """One row of a table: a scoring rule, the model it uses, and its post-processing."""

    label: str
    rule: str
    model: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    quick: dict[str, Any] = Field(default_factory=dict)
    post_processing: tuple[PostProcessingStep, ...] | None = None
    # The grid of thresholds that the paper searched for this method, where it differs from the study's.
    threshold_grid: ThresholdGrid | None = None
    # Another method of the study whose maps are used again, with other post-processing.
    maps_of: str | None = None
    # Whose maps are evaluated: ablations are read off validation patients.
    role: Literal["validation", "test"] = "test"
    # The data sets that it is scored on, where they are not all of the study's.
    datasets: Datasets | None = Field(None, min_length=1)
    # The method of which this one is a variant, of a sweep or written; only tables and figures that name it show it.
    variant_of: str | None = None


class Runs(Settings):
    """Replicates: seeds train on the same split, folds rotate training and validation subjects."""

    kind: Literal["seed", "fold"] = "seed"
    count: int = Field(1, ge=1)


class EqualPoint(Settings):
    """A value of a sweep at which another method of the study is the same one."""

    value: int | FiniteFloat
    method: str


class Sweep(Settings):
    """One setting of a method over several values; each value is a method of its own (see `sweeps.py`).

    `vary` is the path of the setting, below the method's model (`model.noise.resolution`) or its rule
    (`rule.t_test`). `offset` is added to each value: the figure shows the value, the method gets the sum.
    """

    method: str
    vary: str = Field(pattern=r"^(model|rule)(\.[a-z0-9_]+)+$")
    values: Annotated[tuple[int | FiniteFloat, ...], EachOnce] = Field(min_length=1)
    offset: int | FiniteFloat = 0
    role: Literal["validation", "test"] = "test"
    datasets: Datasets | None = Field(None, min_length=1)
    equal_to: EqualPoint | None = None

    @model_validator(mode="after")
    def _equal_point_is_a_value(self) -> "Sweep":
        if self.equal_to and self.equal_to.value not in self.values:
            raise ValueError(f"equal_to.value: {self.equal_to.value} is not one of `values`")
        return self


class Study(Settings):
    """The protocol of one study."""

    title: str
    reference: str = ""
    seed: int = Field(0, ge=0)
    # What splits are drawn with, if not with `seed`: studies with the same one, the same counts and
    # the same usable subjects share patients.
    split_seed: int | None = Field(None, ge=0)
    runs: Runs = Runs()
    recipe: str
    # The recipe of a data set, where it is another one (of equal channels and slice size).
    recipes: dict[str, str] = Field(default_factory=dict)
    splits: dict[str, DatasetSplit]
    training_data: TrainingData
    test_datasets: Datasets = Field(min_length=1)
    # The data set whose validation subjects give the healthy false-positive threshold.
    healthy_dataset: str | None = None
    # Further data sets on whose test subjects the leaderboard across studies scores the methods.
    leaderboard_datasets: Datasets = ()
    # Test sets made from healthy test subjects of a data set by planting anomalies.
    synthetic: dict[Name, SyntheticSettings] = Field(default_factory=dict)
    # How pseudo-healthy images are compared with the images that they were made from.
    similarity: SimilaritySettings = SimilaritySettings()
    post_processing: tuple[PostProcessingStep, ...] = ()
    evaluation: EvaluationSettings = EvaluationSettings()
    significance: SignificanceSettings = SignificanceSettings()
    models: dict[Name, ModelEntry] = Field(default_factory=dict)
    methods: dict[Name, MethodEntry] = Field(min_length=1)
    sweeps: dict[Name, Sweep] = Field(default_factory=dict)
    tables: dict[Name, AnyTableSettings] = Field(default_factory=dict)
    figures: dict[Name, FigureSettings] = Field(default_factory=dict)

    def recipe_of(self, dataset: str) -> str:
        """The recipe under which a data set is packed."""
        return self.recipes.get(dataset, self.recipe)


def overlay(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """`base` with the keys of `change` laid over it, mappings merged key by key."""
    merged = dict(base)
    for key, value in change.items():
        both = isinstance(merged.get(key), dict) and isinstance(value, dict)
        merged[key] = overlay(merged[key], value) if both else value
    return merged


def at_scale(content: dict[str, Any], scale: str) -> dict[str, Any]:
    """A study's or recipe's mapping at one scale: its own `quick` overlay applied or left out."""
    content = dict(content)
    quick = content.pop("quick", None) or {}
    return overlay(content, quick) if scale == "quick" else content


def resolved(
    settings_class: type[BaseModel], entry: ModelEntry | MethodEntry, quick: dict[str, Any], scale: str
) -> dict[str, Any]:
    """All settings of a model or method at one scale: defaults, the study's own, then the quick ones.

    Models of volumes (`dimension: 3`) have defaults and quick settings of their own.
    """
    given = entry.settings
    if scale == "quick":
        if given.get("dimension") == 3:
            quick = getattr(settings_class, "quick_in_3d", quick)
        given = overlay(overlay(given, quick), entry.quick)
    return settings_class.model_validate(_over_defaults(settings_class, given)).model_dump(mode="json")


def _over_defaults(settings_class: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
    """`given` laid over the class's defaults, so that part of a nested group can be changed alone."""
    required = {name for name, field in settings_class.model_fields.items() if field.is_required()}
    if required - given.keys():
        return given
    # The dimension decides which the defaults are.
    chosen = {name: given[name] for name in required | ({"dimension"} & given.keys())}
    return overlay(settings_class.model_validate(chosen).model_dump(mode="json"), given)

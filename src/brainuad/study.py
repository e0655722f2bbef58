"""A study: one paper's protocol, or a user's own, as written in `workflow/studies/NAME.yaml`."""

from typing import Any, Literal

from pydantic import Field

from brainuad.evaluation.settings import EvaluationSettings, PostProcessingStep, ThresholdGrid
from brainuad.evaluation.significance_settings import SignificanceSettings
from brainuad.preprocessing.split_settings import DatasetSplit
from brainuad.reporting.settings import FigureSettings, TableSettings
from brainuad.settings import Name, Settings


class TrainingData(Settings):
    """Which slices of which data sets a model learns from."""

    datasets: tuple[str, ...] = Field(min_length=1)
    slices: Literal["all", "non-empty", "tumour-free", "tumour"] = "non-empty"


class ModelEntry(Settings):
    """A model to train: its kind, and what differs from the paper's settings."""

    kind: str
    settings: dict[str, Any] = Field(default_factory=dict)
    # What differs further at the quick scale, beyond the kind's own quick settings.
    quick: dict[str, Any] = Field(default_factory=dict)
    training_data: TrainingData | None = None


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


class Runs(Settings):
    """Replicates: seeds train on the same split, folds rotate training and validation subjects."""

    kind: Literal["seed", "fold"] = "seed"
    count: int = Field(1, ge=1)


class Study(Settings):
    """The protocol of one study."""

    title: str
    reference: str = ""
    seed: int = Field(0, ge=0)
    runs: Runs = Runs()
    recipe: str
    splits: dict[str, DatasetSplit]
    training_data: TrainingData
    test_datasets: tuple[str, ...] = Field(min_length=1)
    # The data set whose validation subjects give the healthy false-positive threshold.
    healthy_dataset: str | None = None
    post_processing: tuple[PostProcessingStep, ...] = ()
    evaluation: EvaluationSettings = EvaluationSettings()
    significance: SignificanceSettings = SignificanceSettings()
    models: dict[Name, ModelEntry] = Field(default_factory=dict)
    methods: dict[Name, MethodEntry]
    tables: dict[Name, TableSettings] = Field(default_factory=dict)
    figures: dict[Name, FigureSettings] = Field(default_factory=dict)


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

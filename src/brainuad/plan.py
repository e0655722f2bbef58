"""What `config.yaml` and the study files ask for, resolved and checked: the workflow's only source.

Reading a plan imports the method files (they hold the papers' settings) but no scan, and starts nothing.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from brainuad.config import Config
from brainuad.datasets.base import Dataset
from brainuad.datasets.registry import find_dataset
from brainuad.evaluation.settings import PostProcessingStep
from brainuad.methods.registry import models, scoring_rules
from brainuad.phantom.names import phantom_subjects
from brainuad.preprocessing.recipes import Recipe
from brainuad.preprocessing.settings import PreprocessingSettings
from brainuad.study import MethodEntry, ModelEntry, Study, overlay

# Raised when the mathematics of a stage changes, so that its results are made again.
STAGE_VERSIONS = {"simulate": 1, "preprocess": 1, "pack": 1, "train": 1, "infer": 1, "evaluate": 1}


@dataclass(frozen=True)
class Plan:
    """The resolved configuration: which data sets, recipes, models, methods, tables and figures."""

    config: Config
    studies: dict[str, Study]
    recipes: dict[str, Recipe]

    # Data sets

    def used_datasets(self) -> list[str]:
        """The data sets that the chosen studies need, in order of first use."""
        return list(dict.fromkeys(name for study in self.studies.values() for name in study.splits))

    def dataset(self, name: str) -> Dataset:
        """The adapter of a data set."""
        return find_dataset(name, self.config.datasets[name].format)

    def root(self, name: str) -> Path:
        """The folder of a data set's raw scans."""
        path = self.config.datasets[name].path
        return path if path is not None else Path("results/phantom") / name

    def subjects(self, name: str) -> list[str]:
        """The subjects of a data set, from its file names or from the phantom's settings."""
        if name not in self._subjects:
            self._subjects[name] = self._find_subjects(name)
        return self._subjects[name]

    @cached_property
    def _subjects(self) -> dict[str, list[str]]:
        return {}

    def _find_subjects(self, name: str) -> list[str]:
        if self.config.datasets[name].is_phantom:
            return phantom_subjects(name, self.config.phantom.subjects[name], self.config.seed)
        return self.dataset(name).subjects(self.root(name))

    def preprocessing(self, name: str) -> PreprocessingSettings:
        """The data set's own defaults, under the chosen skull stripper and the user's changes.

        Only the reference and the modalities that a recipe asks for are preprocessed.
        """
        if name not in self._preprocessing:
            self._preprocessing[name] = self._choose_preprocessing(name)
        return self._preprocessing[name]

    @cached_property
    def _preprocessing(self) -> dict[str, PreprocessingSettings]:
        return {}

    def _choose_preprocessing(self, name: str) -> PreprocessingSettings:
        defaults = self.dataset(name).preprocessing
        settings = defaults.model_dump(mode="json")
        if defaults.skull_strip != "none":
            settings["skull_strip"] = self.config.skull_strip
        if needed := self._needed_modalities(name):
            needed.add(defaults.reference)
            for key in ("modalities", "optional_modalities"):
                settings[key] = [modality for modality in settings[key] if modality in needed]
        changes = self.config.datasets[name].preprocessing
        return PreprocessingSettings.model_validate(overlay(settings, changes))

    def _needed_modalities(self, name: str) -> set[str]:
        """The modalities of the recipes under which a data set is packed; none if no study uses it."""
        studies = [study for study in self.studies.values() if name in study.splits]
        return {modality for study in studies for modality in self.recipes[study.recipe].modalities}

    def source(self, name: str, subject: str | None = None) -> Any:
        """What identifies the raw scans of a subject (or of the whole data set): a change reruns its jobs."""
        if self.config.datasets[name].is_phantom:
            phantom = self.config.phantom
            return {"phantom": phantom.settings.model_dump(mode="json"), "seed": self.config.seed}
        if name not in self._files:
            self._files[name] = {row.subject: row.files for row in self.dataset(name).rows(self.root(name))}
        files = self._files[name]
        chosen = sorted(files) if subject is None else [subject]
        return fingerprint(self.root(name), [path for key in chosen for path in files[key].values()])

    @cached_property
    def _files(self) -> dict[str, dict[str, Mapping[str, str]]]:
        return {}

    # Models and methods

    def split_settings(self, study: str) -> dict[str, Any]:
        """The split of a study, as `make_split` takes it, and whether a run is a fold."""
        content = self.studies[study]
        folds = content.runs.count if content.runs.kind == "fold" else 1
        datasets = {name: split.model_dump(mode="json") for name, split in content.splits.items()}
        return {"datasets": datasets, "folds": folds, "seed": content.seed + self.config.seed}

    def run_seed(self, study: str, run: int) -> int:
        """The seed of one run."""
        return self.studies[study].seed + self.config.seed + run

    def training_request(self, study: str, model: str, run: int) -> dict[str, Any]:
        """What one training job is asked for."""
        _, slices = self.training_data(study, model)
        # The papers trained in float32; bf16 rounds the loss that chooses the checkpoint.
        faithful = self.config.precision == "auto" and self.config.scale == "paper"
        return {
            "kind": self.studies[study].models[model].kind,
            "settings": self.model_settings(study, model),
            "slices": slices,
            "seed": self.run_seed(study, run),
            "precision": "32-true" if faithful else self.config.precision,
        }

    def scoring_request(self, study: str, method: str, run: int) -> dict[str, Any]:
        """What one inference job is asked for."""
        return {
            "rule": self.studies[study].methods[method].rule,
            "settings": self.rule_settings(study, method),
            "seed": self.run_seed(study, run),
        }

    def calibration_request(self, study: str, method: str, run: int) -> dict[str, Any]:
        """What the job is asked for that chooses a method's settings on healthy validation scans."""
        model = self.studies[study].methods[method].model
        assert model is not None
        _, slices = self.training_data(study, model)
        return {**self.scoring_request(study, method, run), "slices": slices}

    def needs_calibration(self, study: str, method: str) -> bool:
        """Whether a method's settings are chosen on healthy validation scans before it scores."""
        rule = scoring_rules()[self.studies[study].methods[method].rule]
        settings = rule.settings_class.model_validate(self.rule_settings(study, method))
        return rule.needs_calibration(settings)

    def remark(self, study: str, method: str) -> str:
        """What a reader of a method's results must know, in sentences; mostly nothing."""
        entry = self.studies[study].methods[method]
        rule = scoring_rules()[entry.rule]
        said = list(rule.remarks(rule.settings_class.model_validate(self.rule_settings(study, method))))
        if entry.model is not None:
            model = models()[self.studies[study].models[entry.model].kind]
            chosen = model.settings_class.model_validate(self.model_settings(study, entry.model))
            said += model.remarks(chosen)
        return " ".join(dict.fromkeys(said))

    def pretrained_networks(self, study: str) -> dict[str, list[str]]:
        """The pretrained networks that a study needs, each with the models and methods that use it."""
        content = self.studies[study]
        users: list[tuple[str, Any, Any, dict[str, Any]]] = []
        for key, method in content.methods.items():
            if method.maps_of is not None:
                continue
            rule = scoring_rules()[method.rule]
            users.append((key, rule, rule.settings_class, self.rule_settings(study, key)))
        for key in self.trained_models(study):
            model = models()[content.models[key].kind]
            users.append((key, model, model.settings_class, self.model_settings(study, key)))
        needed: dict[str, list[str]] = {}
        for key, user, settings_class, settings in users:
            for network in user.pretrained_networks(settings_class.model_validate(settings)):
                needed.setdefault(network, []).append(key)
        return needed

    def post_processing(self, study: str, method: str) -> tuple[PostProcessingStep, ...]:
        """The steps from a method's raw map to its scores."""
        content = self.studies[study]
        own = content.methods[method].post_processing
        return content.post_processing if own is None else own

    def evaluation_request(self, study: str, method: str) -> dict[str, Any]:
        """How a method's maps are evaluated."""
        evaluation = self.studies[study].evaluation.model_dump(mode="json")
        steps = [step.model_dump(mode="json") for step in self.post_processing(study, method)]
        if grid := self.studies[study].methods[method].threshold_grid:
            evaluation["threshold_grid"] = grid.model_dump(mode="json")
        return {"evaluation": {**evaluation, "postprocessing": steps}}

    def model_settings(self, study: str, model: str) -> dict[str, Any]:
        """All settings of a model: the paper's, the study's, then the quick ones at the quick scale."""
        entry = self.studies[study].models[model]
        chosen = models()[entry.kind]
        return resolved(chosen.settings_class, entry, chosen.quick, self.config.scale)

    def rule_settings(self, study: str, method: str) -> dict[str, Any]:
        """All settings of a method's scoring rule."""
        entry = self.studies[study].methods[method]
        chosen = scoring_rules()[entry.rule]
        return resolved(chosen.settings_class, entry, chosen.quick, self.config.scale)

    def training_data(self, study: str, model: str) -> tuple[tuple[str, ...], str]:
        """The data sets that a model learns from, and which of their slices."""
        content = self.studies[study]
        chosen = content.models[model].training_data or content.training_data
        return chosen.datasets, chosen.slices

    def runs(self, study: str) -> range:
        """The run numbers of a study."""
        return range(self.studies[study].runs.count)

    def scored_datasets(self, study: str) -> list[str]:
        """The data sets that a study's methods are evaluated on, the healthy one last."""
        content = self.studies[study]
        healthy = [content.healthy_dataset] if content.healthy_dataset else []
        return list(dict.fromkeys([*content.test_datasets, *healthy]))

    def trained_models(self, study: str) -> list[str]:
        """The models that at least one method uses."""
        used = [method.model for method in self.studies[study].methods.values()]
        return [name for name in self.studies[study].models if name in used]

    def phantom_datasets(self) -> list[str]:
        """The used data sets that are simulated."""
        return [name for name in self.used_datasets() if self.config.datasets[name].is_phantom]


def fingerprint(root: Path, files: Iterable[str]) -> str:
    """A hash of names, sizes and modification times; a missing file counts as such."""
    digest = hashlib.blake2b(digest_size=8)
    for relative in files:
        try:
            status = (root / relative).stat()
            digest.update(f"{relative}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        except OSError:
            digest.update(f"{relative}\0missing\n".encode())
    return digest.hexdigest()


def resolved(
    settings_class: type[BaseModel], entry: ModelEntry | MethodEntry, quick: dict[str, Any], scale: str
) -> dict[str, Any]:
    given = entry.settings
    if scale == "quick":
        given = overlay(overlay(given, quick), entry.quick)
    return settings_class.model_validate(_over_defaults(settings_class, given)).model_dump(mode="json")


def _over_defaults(settings_class: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
    """`given` laid over the class's defaults, so that part of a nested group can be changed alone."""
    required = {name for name, field in settings_class.model_fields.items() if field.is_required()}
    if required - given.keys():
        return given
    defaults = settings_class.model_validate({name: given[name] for name in required}).model_dump(mode="json")
    return overlay(defaults, given)

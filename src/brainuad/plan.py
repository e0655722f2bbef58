"""What `config.yaml` and the study files ask for, resolved and checked: the workflow's only source.

Reading a plan imports the method files (they hold the papers' settings) but no scan, and starts nothing.
"""

from pathlib import Path
from typing import Any

from brainuad.evaluation.settings import PostProcessingStep
from brainuad.methods.registry import models, scoring_rules
from brainuad.plan_data import DatasetPlan, fingerprint
from brainuad.reporting.settings import FlowTableSettings
from brainuad.study import resolved


class Plan(DatasetPlan):
    """The resolved configuration: which data sets, recipes, models, methods, tables and figures."""

    def split_settings(self, study: str, run: int) -> dict[str, Any]:
        """The split of a run, as `make_split` takes it; published lists with a fingerprint of their files."""
        content = self.studies[study]
        folds = content.runs.count if content.runs.kind == "fold" else 1
        datasets = {name: split.model_dump(mode="json") for name, split in content.splits.items()}
        synthetic = {name: planted.of for name, planted in content.synthetic.items()}
        seed = content.seed if content.split_seed is None else content.split_seed
        copies = {name: planted.copies for name, planted in content.synthetic.items() if planted.copies > 1}
        settings: dict[str, Any] = {"datasets": datasets, "synthetic": synthetic, "folds": folds}
        settings |= {"copies": copies} if copies else {}
        settings["seed"] = seed + self.config.seed
        fold = run if folds > 1 else 0
        files = [
            str(path)
            for split in content.splits.values()
            for role in split.lists
            for path in split.list_files(role, fold)
        ]
        return settings | ({"lists": fingerprint(Path(), sorted(files))} if files else {})

    def planting_request(self, study: str, name: str) -> dict[str, Any]:
        """What the job is asked for that makes a synthetic test set."""
        content = self.studies[study]
        planted = content.synthetic[name].model_dump(mode="json")
        if planted["copies"] == 1:
            del planted["copies"]  # sets that were made before it could be set stay as they are
        return {"name": name, "seed": content.seed + self.config.seed, "synthetic": planted}

    def run_seed(self, study: str, run: int) -> int:
        """The seed of one run."""
        return self.studies[study].seed + self.config.seed + run

    def training_request(self, study: str, model: str, run: int) -> dict[str, Any]:
        """What one training job is asked for."""
        _, slices = self.training_data(study, model)
        # Behrendt trained in float32 (AutoDDPM's authors did not); bf16 rounds the loss that chooses the checkpoint.
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
            "similarity": self.studies[study].similarity.model_dump(mode="json"),
            "roles": self._scored_roles(study, method),
        }

    def _scored_roles(self, study: str, method: str) -> list[str]:
        """Whose maps are made: ablations on validation patients need no others."""
        return (
            ["validation"]
            if self.studies[study].methods[method].role == "validation"
            else ["validation", "test"]
        )

    def calibration_request(self, study: str, method: str, run: int) -> dict[str, Any]:
        """What the job is asked for that chooses a method's settings on healthy validation scans."""
        model = self.studies[study].methods[method].model
        assert model is not None
        _, slices = self.training_data(study, model)
        request = self.scoring_request(study, method, run)
        for key in ("similarity", "roles"):
            del request[key]
        return {**request, "slices": slices}

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

    def table_remarks(self, study: str, table: str) -> dict[str, str]:
        """The remarks that belong under a table, by method."""
        content, chosen = self.studies[study], self.studies[study].tables[table]
        if isinstance(chosen, FlowTableSettings):
            return {}
        compared = any("lpips" in column.metric for column in chosen.columns)
        further = content.similarity.remarks if compared else ()
        remarks = {
            key: " ".join(filter(None, (self.remark(study, key), *further))) for key in content.methods
        }
        return {key: remark for key, remark in remarks.items() if remark}

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
        for network in content.similarity.pretrained_networks:
            needed[network] = ["similarity"]
        for key, user, settings_class, settings in users:
            base = content.methods[key].variant_of if key in content.methods else None
            for network in user.pretrained_networks(settings_class.model_validate(settings)):
                if base not in needed.get(network, []):  # a variant needs what its method needs
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
        role = self.studies[study].methods[method].role
        return {"evaluation": {**evaluation, "role": role, "postprocessing": steps}}

    def method_datasets(self, study: str, method: str) -> list[str]:
        """The data sets that a method is evaluated on."""
        own = self.studies[study].methods[method].datasets
        return self.scored_datasets(study) if own is None else list(own)

    def compared_methods(self, study: str) -> list[str]:
        """The methods that are compared with each other: no variants, no ablations on validation."""
        methods = self.studies[study].methods.items()
        return [key for key, method in methods if method.variant_of is None and method.role == "test"]

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
        return list(dict.fromkeys([*content.test_datasets, *content.synthetic, *healthy]))

    def trained_models(self, study: str) -> list[str]:
        """The models that at least one method uses."""
        used = [method.model for method in self.studies[study].methods.values()]
        return [name for name in self.studies[study].models if name in used]

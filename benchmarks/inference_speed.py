"""Seconds per volume of every method at the size of its paper, and the ratio to the DAE's single pass.

Where a study has no DAE, the ratio is that to its first method.

Run by hand: `python benchmarks/inference_speed.py [--study every-method] [--device cuda] [--slices 8] [--steps 10]`.
Weights are random, those of pretrained networks too, and settings that a method would calibrate are fixed: neither
changes the time. All methods of a study score the same random volume in one process. `--slices` scores fewer slices
and scales the time up. `--steps` shortens methods that go step by step and scales their time up by the number of
images that pass the network, which a tiny network counts at the full number of steps. nnU-Net is timed where it is
installed: it plans for random volumes, takes one iteration for each fold and predicts one whole volume.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

from brainuad.errors import InputError
from brainuad.external.model import ExternalModel, ExternalTraining, VolumeName
from brainuad.methods.base import ImageShape, Model, Scan
from brainuad.methods.registry import model_class, scoring_rule_class
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from brainuad.preprocessing.recipes import Recipe
from brainuad.randomness import Draws, numpy_generator
from brainuad.storage import write_json, write_table

REPOSITORY = Path(__file__).parents[1]
# Size of the arrays of each study at paper scale, and slices of a volume; every method once at that of BraTS.
SIZES = {
    "every-method": ((128, 128), 155),
    "behrendt2023": ((96, 96), 50),
    "kascenas2023": ((128, 128), 155),
    "frotscher2023": ((128, 128), 155),
    "supervised": ((128, 128), 155),
}
FIXED = {"tv_weight": 1.0, "mask_threshold": 0.13}
# What nnU-Net plans for: 240 mm in 128 pixels, slices of 1 mm; five volumes to train with and one to validate.
SPACING_MM = (1.875, 1.875, 1.0)
VOLUMES = 6
# One step for each fold.
SHORTEST = {"epochs": 1, "iterations_per_epoch": 1, "validation_iterations": 1, "save_every": 1}


@dataclass(frozen=True)
class Measurement:
    """Seconds of one scoring, and how many images passed its network (0 without one)."""

    seconds: float
    passes: int


@dataclass(frozen=True)
class Work:
    """One method on one random volume."""

    plan: Plan
    study: str
    method: str
    shape: ImageShape
    scan: Scan

    @property
    def external(self) -> type[ExternalModel] | None:
        """The kind of its model if a program of its own runs that."""
        content = self.plan.studies[self.study]
        name = content.methods[self.method].model
        kind = None if name is None else model_class(content.models[name].kind)
        return kind if kind is not None and issubclass(kind, ExternalModel) else None

    def missing(self) -> str:
        """Why the method cannot be timed here; empty where it can."""
        try:
            if self.external is not None:
                self.external.check_installed()
        except InputError as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def external_seconds(self) -> float:
        """Seconds of a volume whose model a program of its own runs, with the start of that program."""
        assert self.external is not None
        name = self.plan.studies[self.study].methods[self.method].model
        settings = self.plan.model_settings(self.study, str(name))
        settings |= {key: value for key, value in SHORTEST.items() if key in settings}
        with tempfile.TemporaryDirectory(prefix="speed-") as folder:
            arrays, depth = Path(folder) / "random" / "arrays", len(self.scan.images)
            *training, last = write_random_arrays(arrays, self.shape, depth)
            task = ExternalTraining(
                training=tuple(training),
                validation=(last,),
                seed=0,
                folder=Path(folder) / "state",
                device=self.scan.images.device.type,
                threads=torch.get_num_threads(),
            )
            model = self.external(self.external.settings_class.model_validate(settings), self.shape)
            model.train_external(task)
            return self.measure(model, self.scan, None).seconds

    def rule_settings(self, steps: int | None) -> dict[str, Any]:
        """The paper's settings; with `steps`, of so many steps."""
        settings = self.plan.rule_settings(self.study, self.method)
        settings |= {key: value for key, value in FIXED.items() if key in settings}
        use_random_weights(settings)
        if steps is not None and "steps" in settings:
            settings["steps"] = steps
            settings |= {key: 1 for key in ("repeats", "resamples") if key in settings}
        return settings

    def model(self, scale: str) -> Model | None:
        """The method's model with random weights, at the size of a scale."""
        content = self.plan.studies[self.study]
        name = content.methods[self.method].model
        if name is None:
            return None
        plan = Plan(
            self.plan.config.model_copy(update={"scale": scale}), self.plan.studies, self.plan.recipes
        )
        chosen = model_class(content.models[name].kind)
        settings = plan.model_settings(self.study, name)
        use_random_weights(settings)
        model = chosen(chosen.settings_class.model_validate(settings), self.shape).eval()
        device = self.scan.images.device
        return model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def measure(self, model: Model | None, scan: Scan, steps: int | None) -> Measurement:
        """One scoring of `scan` after one slice has warmed up."""
        rule_class = scoring_rule_class(self.plan.studies[self.study].methods[self.method].rule)
        settings = rule_class.settings_class.model_validate(self.rule_settings(steps))
        rule = rule_class(settings, model, self.shape)
        passes = [0]
        network = getattr(model, "network", None)
        if network is not None:
            network.register_forward_hook(
                lambda _, inputs, __: passes.__setitem__(0, passes[0] + len(inputs[0]))
            )
        started = time.perf_counter()
        rule.score(scan, Draws(0, device=str(scan.images.device)))
        if scan.images.is_cuda:
            torch.cuda.synchronize()
        return Measurement(time.perf_counter() - started, passes[0])

    def seconds(self, steps: int | None) -> float:
        """Seconds of the volume, scaled up where steps were left out."""
        model = self.model("paper")
        equalised = self.scan.equalised
        first = Scan(
            "warm-up",
            self.scan.images[:1],
            self.scan.brain[:1],
            None if equalised is None else equalised[:1],
        )
        self.measure(model, first, 2 if steps is not None else None)
        short = self.measure(model, self.scan, steps)
        if steps is None or "steps" not in self.rule_settings(steps):
            return short.seconds
        full = self.measure(self.model("quick"), first, None)
        least = self.measure(self.model("quick"), first, steps)
        return short.seconds * full.passes / least.passes


def use_random_weights(settings: dict[str, Any]) -> None:
    """Random weights for every pretrained network that the settings of a model or a rule name."""
    for group in settings.values():
        if isinstance(group, dict) and "weights" in group:
            group["weights"] = "random"


def random_scan(recipe: Recipe, size: tuple[int, int], device: str, slices: int) -> Scan:
    """A volume with what the recipe's arrays hold, all brain; an equalised copy too if the recipe keeps one."""
    images = torch.rand(slices, len(recipe.modalities), *size, device=device)
    brain = torch.ones(slices, 1, *size, dtype=torch.bool, device=device)
    equalised = torch.rand(slices, *size, device=device) if recipe.equalised else None
    return Scan("random", images, brain, equalised)


def write_random_arrays(folder: Path, shape: ImageShape, depth: int) -> tuple[VolumeName, ...]:
    """Packed arrays of volumes with a lesion in their middle, for a program that trains on them."""
    folder.mkdir(parents=True)
    names = [f"random{number}" for number in range(VOLUMES)]
    generator = numpy_generator(0, "random volumes")
    channels, (x, y) = len(shape.channels), shape.size
    lesion = np.zeros((depth, x, y), dtype=bool)
    lesion[depth // 4 : -(depth // 4), x // 4 : -(x // 4), y // 4 : -(y // 4)] = True
    images = generator.random((VOLUMES * depth, channels, x, y), dtype=np.float32)
    np.save(folder / "images.npy", images.astype(np.float16))
    np.save(folder / "lesion.npy", np.tile(lesion, (VOLUMES, 1, 1)))
    np.save(folder / "brain.npy", np.ones((VOLUMES * depth, x, y), dtype=bool))
    common = {"group": "patient", "status": "ok", "slices": depth, "lesion_voxels": int(lesion.sum())}
    rows = [{"subject": name, "first_slice": number * depth, **common} for number, name in enumerate(names)]
    write_table(pd.DataFrame(rows), folder / "index.tsv")
    write_json(
        {"channels": list(shape.channels), "size": [x, y], "spacing_mm": SPACING_MM}, folder / "recipe.json"
    )
    return tuple((folder, name) for name in names)


def works(plan: Plan, study: str, device: str, slices: int) -> Iterator[Work]:
    """Every method of a study that makes maps of its own; one that a program runs gets the whole volume."""
    size, depth = SIZES[study]
    content = plan.studies[study]
    recipe = plan.recipes[content.recipe]
    scan = random_scan(recipe, size, device, slices)
    for name, method in content.methods.items():
        if method.maps_of is None:
            work = Work(plan, study, name, ImageShape(recipe.modalities, size), scan)
            whole = replace(work, scan=random_scan(recipe, size, device, depth)) if work.external else work
            yield whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--study", choices=SIZES, help="one study instead of all")
    parser.add_argument("--slices", type=int, help="score fewer slices and scale the time up")
    parser.add_argument("--steps", type=int, help="take fewer steps and scale the time up")
    options = parser.parse_args()
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    for study in [options.study] if options.study else SIZES:
        size, depth = SIZES[study]
        plan = read_plan({**config, "studies": [study], "scale": "paper"}, REPOSITORY / "workflow")
        slices = min(options.slices or depth, depth)
        print(f"{study}: {size[0]} x {size[1]} x {depth} ({slices} slices measured)", flush=True)
        reference: tuple[str, float] | None = None
        chosen = sorted(works(plan, study, options.device, slices), key=lambda work: "dae" not in work.method)
        for work in chosen:
            if reason := work.missing():
                print(f"  {work.method:24} not timed: {reason}", flush=True)
                continue
            scaled = depth / slices
            value = work.external_seconds() if work.external else work.seconds(options.steps) * scaled
            reference = reference or (work.method, value)
            name, base = reference
            print(f"  {work.method:24} {value:10.1f} s a volume, {value / base:9.2f} x {name}", flush=True)


if __name__ == "__main__":
    main()

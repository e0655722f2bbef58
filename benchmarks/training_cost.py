"""Seconds and memory of one training step of every model at the size and batch of its paper, on a CPU.

Run by hand: `python benchmarks/training_cost.py [--study every-method] [--models dae vae] [--batches 2 4] [--steps 3]`.
Each model trains from random slices by the pipeline's own engine, in a process of its own, for `--steps` steps of each
of two small batches. Both time and memory are a constant and a part for each sample, so the paper's batch follows from
the two; the ratio compares whole trainings, step by step of their paper, with that of the first model. Networks that
are fetched have random weights: that changes neither.
"""

import argparse
import multiprocessing
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from brainuad.external.model import ExternalModel
from brainuad.methods.registry import model_class
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from brainuad.randomness import numpy_generator
from brainuad.storage import read_json, write_json, write_table
from brainuad.training.train import Machine, ModelRequest, TrainingFiles, train_model

REPOSITORY = Path(__file__).parents[1]
SIZE, DEPTH, SUBJECTS = (128, 128), 40, 4
KEPT = ("parameters", "training_hours", "peak_memory_mb")


@dataclass(frozen=True)
class Work:
    """One model of a study, and the random arrays that it trains from."""

    name: str
    kind: str
    settings: dict[str, Any]
    folder: Path


def write_random_arrays(folder: Path, channels: tuple[str, ...]) -> None:
    """Packed volumes of random tissue with a lesion, and a split: one validates, the others are trained with."""
    arrays = folder / "random" / "arrays"
    arrays.mkdir(parents=True)
    generator = numpy_generator(0, "random arrays")
    total = SUBJECTS * DEPTH
    images = generator.random((total, len(channels), *SIZE), dtype=np.float32).astype(np.float16)
    lesion = np.zeros((total, *SIZE), dtype=bool)
    lesion[:, SIZE[0] // 4 : SIZE[0] // 2, SIZE[1] // 4 : SIZE[1] // 2] = True
    for name, values in (("images", images), ("lesion", lesion), ("brain", np.ones_like(lesion))):
        np.save(arrays / f"{name}.npy", values)
    names = [f"random{number}" for number in range(SUBJECTS)]
    index = pd.DataFrame({"subject": names, "participant": names, "group": "patient", "status": "ok"})
    index = index.assign(first_slice=np.arange(SUBJECTS) * DEPTH, slices=DEPTH, reason="")
    write_table(index.assign(lesion_voxels=int(lesion[:DEPTH].sum())), arrays / "index.tsv")
    recipe = {"name": "arrays", "channels": list(channels), "size": list(SIZE), "settings": {}}
    write_json(recipe, arrays / "recipe.json")
    roles = ["validation"] + ["train"] * (SUBJECTS - 1)
    split = pd.DataFrame({"dataset": "random", "subject": names, "participant": names, "role": roles})
    write_table(split, folder / "split.tsv")


def cost(work: Work, batch: int, steps: int) -> dict[str, float]:
    """What a training of a few steps reports: parameters, hours, and the most memory of this process (MB)."""
    shortened = {"batch_size": batch, "iterations": steps, "validate_every": steps, "validation_batches": 1}
    settings = {**work.settings, "training": {**work.settings["training"], **shortened}}
    with tempfile.TemporaryDirectory(dir=work.folder) as folder:
        outputs = [Path(folder) / name for name in ("model.ckpt", "log.tsv", "cost.json")]
        arrays = (work.folder / "random" / "arrays",)
        files = TrainingFiles(work.folder / "split.tsv", arrays, Path(folder) / "state", *outputs)
        request = ModelRequest(work.kind, settings, "all", seed=0, precision="32-true")
        train_model(request, files, Machine("cpu"))
        found = read_json(files.cost)
    return {key: float(found[key]) for key in KEPT}


def in_own_process(work: Work, batch: int, steps: int) -> dict[str, float]:
    """`cost` in a fresh process, whose memory is that of this training alone."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(cost, work, batch, steps).result()


def measure(work: Work, batches: tuple[int, int], steps: int) -> dict[str, float]:
    """Parameters, seconds of a step and its memory (GB) at the batch of the paper."""
    training = work.settings["training"]
    small, large = (in_own_process(work, batch, steps) for batch in batches)
    samples = (training["batch_size"] - batches[0]) / (batches[1] - batches[0])
    at_paper = {key: small[key] + samples * (large[key] - small[key]) for key in KEPT}
    seconds = at_paper["training_hours"] * 3600 / steps
    return {
        "parameters": small["parameters"],
        "seconds": seconds,
        "gigabytes": at_paper["peak_memory_mb"] / 1024,
        "whole": seconds * training["iterations"],
    }


def works(plan: Plan, study: str, folder: Path) -> list[Work]:
    """Every model that the engine trains, the denoising auto-encoders first."""
    content = plan.studies[study]
    found = []
    for name, entry in content.models.items():
        if not issubclass(model_class(entry.kind), ExternalModel):
            settings = plan.model_settings(study, name)
            for group in settings.values():
                if isinstance(group, dict) and "weights" in group:
                    group["weights"] = "random"
            found.append(Work(name, entry.kind, settings, folder))
    return sorted(found, key=lambda work: "dae" not in work.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study", default="every-method")
    parser.add_argument("--models", nargs="+", help="some models instead of all")
    parser.add_argument("--batches", nargs=2, type=int, default=(2, 4))
    parser.add_argument("--steps", type=int, default=3)
    options = parser.parse_args()
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    plan = read_plan({**config, "studies": [options.study], "scale": "paper"}, REPOSITORY / "workflow")
    channels = plan.recipes[plan.studies[options.study].recipe].modalities
    with tempfile.TemporaryDirectory(prefix="training-cost-") as folder:
        write_random_arrays(Path(folder), channels)
        reference: tuple[str, float] | None = None
        for work in works(plan, options.study, Path(folder)):
            if options.models and work.name not in options.models:
                continue
            found = measure(work, tuple(options.batches), options.steps)
            reference = reference or (work.name, found["whole"])
            name, base = reference
            training = work.settings["training"]
            print(
                f"{work.name:24} {found['parameters']:13,.0f} parameters, {training['iterations']:7,} steps of "
                f"{training['batch_size']:3}: {found['seconds']:8.1f} s a step, {found['gigabytes']:6.1f} GB, "
                f"{found['whole'] / base:8.2f} x {name}",
                flush=True,
            )


if __name__ == "__main__":
    main()

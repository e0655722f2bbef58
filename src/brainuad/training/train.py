"""Trains one model from packed arrays and a split, and writes its checkpoint, log and cost."""

import json
import resource
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.external.model import ExternalModel
from brainuad.methods.base import ImageShape, Model
from brainuad.methods.registry import model_class
from brainuad.settings import WEIGHTS_FOLDER
from brainuad.storage import read_table, write_json, write_table
from brainuad.training import state as states
from brainuad.training.batches import SliceFilter, Slices, in_sequences, open_slices
from brainuad.training.engine import Engine
from brainuad.training.external import train_externally
from brainuad.training.fabric import make_fabric
from brainuad.training.identity import data_identity
from brainuad.training.job import EngineOptions, TrainingJob
from brainuad.training.volumes import Volumes, common_depth, open_volumes


@dataclass(frozen=True)
class ModelRequest:
    """What one model is: its kind, its resolved settings, the slices it learns from, and its seed.

    `version` is that of the stage: a state of another one is of other mathematics.
    """

    kind: str
    settings: dict[str, Any]
    slices: SliceFilter
    seed: int
    precision: str = "auto"
    version: int = 1


@dataclass(frozen=True)
class TrainingFiles:
    """Where a training reads and writes."""

    split: Path
    arrays: tuple[Path, ...]
    state_folder: Path
    checkpoint: Path
    log: Path
    cost: Path


@dataclass(frozen=True)
class Machine:
    """Which part of the machine a training uses."""

    device: str = "auto"
    devices: int = 1
    threads: int = 0
    loader_workers: int = 0
    save_every_s: float = 60.0
    weights_folder: Path = WEIGHTS_FOLDER


def train_model(request: ModelRequest, files: TrainingFiles, machine: Machine) -> None:
    """Trains to the end, resuming where a state is found, then writes checkpoint, log and cost."""
    if machine.threads:
        torch.set_num_threads(machine.threads)
    split = read_table(files.split)
    training, validation = (_open_samples(request, files, split, role) for role in ("train", "validation"))
    if training.with_lesion:
        _require_lesions(training, request)
    shape = _sample_shape(files.arrays, training, validation)
    identity = data_identity(split, files.arrays, (training, validation))
    digest = states.settings_hash({**states.identity_of(request), **identity})
    # Checked before the first step, so that a foreign state costs nothing.
    states.load_state(files.state_folder / "last.ckpt", digest)
    torch.manual_seed(request.seed)  # initial weights: torch's initialisers take no generator
    model = build_model(request.kind, request.settings, shape)
    model.load_pretrained(machine.weights_folder)
    job = TrainingJob(model, training, validation, request.seed, files.state_folder, digest)
    if isinstance(model, ExternalModel):
        record = train_externally(model, job, machine.device, machine.devices)
        write_table(pd.DataFrame(record.rows), files.log)
        write_json(record.cost, files.cost)
        _save_model(request, files, shape, model.state_dict(), record.cost["iterations"])
        return
    fabric = make_fabric(machine.device, request.precision, machine.devices)
    engine = Engine(fabric, job, EngineOptions(machine.loader_workers, machine.save_every_s))
    engine.run()
    if fabric.is_global_zero:
        _write_results(engine, request, files, shape)


def _open_samples(request: ModelRequest, files: TrainingFiles, split: pd.DataFrame, role: str) -> Slices:
    """The samples of one role: slices, sequences of slices or volumes, as the model takes them."""
    chosen = model_class(request.kind)
    settings = chosen.settings_class.model_validate(request.settings)
    if chosen.dimension(settings) == 3:
        return open_volumes(files.arrays, split, role, request.slices, chosen.learns_from_lesions)
    slices = open_slices(files.arrays, split, role, request.slices, chosen.learns_from_lesions)
    length = chosen.sequence_length(settings)
    return slices if length is None else in_sequences(slices, length)


def _sample_shape(folders: tuple[Path, ...], training: Slices, validation: Slices) -> ImageShape:
    """The shape of what the model looks at: slices, or volumes of one number of slices."""
    shape = common_shape(folders)
    if not isinstance(training, Volumes) or not isinstance(validation, Volumes):
        return shape
    pairs = [(samples.subject(0), samples.depth) for samples in (training, validation)]
    names = ", ".join(folder.parent.name for folder in folders)
    return replace(shape, size=(*shape.size, common_depth(pairs, names)))


def _require_lesions(training: Slices, request: ModelRequest) -> None:
    """An `InputError` where a supervised model would learn from images without any lesion."""
    if not any(bool(training[number][2].any()) for number in range(len(training))):
        names = ", ".join(folder.parent.name for folder in training.folders)
        raise InputError(
            f"model kind {request.kind!r} learns from lesions, but the {request.slices} slices of the training "
            f"subjects of {names} have no lesion voxel. Set training_data of this model in the study to a data set "
            "with lesion masks, such as {datasets: [brats21], slices: tumour}."
        )


def build_model(kind: str, settings: dict[str, Any], shape: ImageShape) -> Model:
    """A model of this kind with fresh weights."""
    chosen = model_class(kind)
    return chosen(chosen.settings_class.model_validate(settings), shape)


def common_shape(folders: tuple[Path, ...]) -> ImageShape:
    """Channels and size of the slices of the arrays, which must agree over all folders."""
    stores = {folder: ArrayStore(folder) for folder in folders}
    shapes = {folder: ImageShape(tuple(store.channels), store.size) for folder, store in stores.items()}
    if len(set(shapes.values())) > 1:
        listed = "; ".join(f"{folder}: {s.channels} {s.size}" for folder, s in shapes.items())
        raise InputError(f"the arrays of one model differ in channels or size: {listed}. Pack them again.")
    return next(iter(shapes.values()))


def _write_results(engine: Engine, request: ModelRequest, files: TrainingFiles, shape: ImageShape) -> None:
    history = engine.history
    kept: dict[str, Any] = {"weights": engine.scored_weights().state_dict(), "step": engine.step}
    if engine.settings.keep == "best":
        kept = states.load_weights(files.state_folder / "best.ckpt")
    write_table(pd.DataFrame(history.rows), files.log)
    write_json(
        {
            **engine.machine,
            "parameters": sum(p.numel() for p in engine.model.parameters()),
            "iterations": engine.step,
            "training_hours": history.seconds / 3600,
            "waiting_for_data_share": history.waiting_s / max(history.seconds, 1e-9),
            "peak_memory_mb": _peak_memory_mb(engine.fabric.device),
            "best_step": history.best_step,
            "best_validation_loss": history.best,
        },
        files.cost,
    )
    _save_model(request, files, shape, kept["weights"], kept["step"])


def _save_model(
    request: ModelRequest, files: TrainingFiles, shape: ImageShape, weights: dict[str, Any], step: int
) -> None:
    content = {
        "format": states.FORMAT,
        "kind": request.kind,
        "settings": json.dumps(request.settings),
        "channels": list(shape.channels),
        "size": list(shape.size),
        "step": step,
        "weights": weights,
    }
    states.save(content, files.checkpoint)


def _peak_memory_mb(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

"""Runs the training of an external model, with the same rules for its state as the engine's."""

import shutil

import numpy as np
import torch

from brainuad.external.model import ExternalModel, ExternalTraining, TrainingRecord, VolumeName
from brainuad.training import state as states
from brainuad.training.batches import Slices
from brainuad.training.device import chosen_device, device_name
from brainuad.training.job import TrainingJob


def train_externally(model: ExternalModel, job: TrainingJob, device: str, devices: int) -> TrainingRecord:
    """The log and cost of a training that another program does; a state of other settings is removed."""
    model.check_installed()
    last, folder = job.state_folder / "last.ckpt", job.state_folder / "external"
    state = {"format": states.FORMAT, "settings_hash": job.settings_hash}
    if states.load_state(last, job.settings_hash) is None:
        shutil.rmtree(folder, ignore_errors=True)
        states.save({**state, "finished": False}, last)
    chosen = chosen_device(device, devices)
    task = ExternalTraining(
        training=volumes(job.training),
        validation=volumes(job.validation),
        seed=job.seed,
        folder=folder,
        device=chosen,
        devices=devices,
        threads=torch.get_num_threads(),
    )
    record = model.train_external(task)
    record.cost["device"] = device_name(torch.device(chosen))
    states.save({**state, "finished": True}, last)
    return record


def volumes(slices: Slices) -> tuple[VolumeName, ...]:
    """The volumes that have at least one of the slices, in their order."""
    pairs = np.unique(slices.index.slices[:, [2, 0]], axis=0)
    return tuple((slices.folders[store], slices.index.subjects[number]) for number, store in pairs)

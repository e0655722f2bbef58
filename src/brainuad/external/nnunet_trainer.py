"""The program `nnUNetv2_train` with the length and seed of a study, which it has no options for.

A script runs in nnU-Net's own environment and hands it a subclass of its trainer. What is learnt and how stays
nnU-Net's: the subclass sets the number of epochs and iterations, seeds the first weights, renames checkpoints
when they are whole, notes the losses of each epoch, ends where one is not finite (nnU-Net would go on and keep such
weights), and leaves out the evaluation at the end, which nothing here uses. It bears the name of its base class, so
that the trained model is a plain one of nnU-Net.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainuad.storage import write_text

EPOCHS_FILE = "epochs.jsonl"

SOURCE = '''\
"""Written by brain-uad: nnUNetv2_train with the length and seed of one training."""

import json
import math
import os
import random
import resource
from time import time

import numpy
import torch
from nnunetv2.run import run_training

SETTINGS = {settings}
Base = run_training.recursive_find_trainer_class_by_name(SETTINGS["trainer"])


class StudyTrainer(Base):
    def __init__(self, plans, configuration, fold, dataset_json, device=torch.device("cuda")):
        if device.type == "cpu":
            torch.set_num_threads(SETTINGS["threads"])
        for seed in (random.seed, numpy.random.seed, torch.manual_seed):
            seed(SETTINGS["seed"] + int(fold))
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs = SETTINGS["epochs"]
        self.num_iterations_per_epoch = SETTINGS["iterations_per_epoch"]
        self.num_val_iterations_per_epoch = SETTINGS["validation_iterations"]
        self.save_every = SETTINGS["save_every"]

    def save_checkpoint(self, filename):
        super().save_checkpoint(filename + ".part")
        if self.local_rank == 0:
            os.replace(filename + ".part", filename)

    def on_epoch_start(self):
        self.started = time()
        super().on_epoch_start()

    def on_epoch_end(self):
        on_gpu = self.device.type == "cuda"
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        row = {{
            "epoch": self.current_epoch,
            "loss": float(self.logger.get_value("train_losses", step=-1)),
            "validation": float(self.logger.get_value("val_losses", step=-1)),
            "seconds": time() - self.started,
            "peak_memory_mb": torch.cuda.max_memory_allocated() / 2**20 if on_gpu else kilobytes / 1024,
            "parameters": sum(p.numel() for p in self.network.parameters()),
        }}
        if self.local_rank == 0:
            with open(os.path.join(self.output_folder, "{epochs_file}"), "a") as file:
                file.write(json.dumps(row) + "\\n")
        if not (math.isfinite(row["loss"]) and math.isfinite(row["validation"])):
            raise RuntimeError(f"the loss is not finite in epoch {{self.current_epoch}}")
        # Last, because it may save the state: an epoch that a kill repeats is noted twice, never not at all.
        super().on_epoch_end()

    def perform_actual_validation(self, save_probabilities=False):
        pass


StudyTrainer.__name__ = Base.__name__
run_training.recursive_find_trainer_class_by_name = lambda name: StudyTrainer

if __name__ == "__main__":
    run_training.run_training_entry()
'''


def write_training_script(path: Path, settings: Mapping[str, Any]) -> None:
    """Writes the script, which takes the arguments of nnUNetv2_train.

    The settings are trainer (the base class), seed, threads, epochs, iterations_per_epoch,
    validation_iterations and save_every.
    """
    write_text(SOURCE.format(settings=repr(dict(settings)), epochs_file=EPOCHS_FILE), path)

"""Stands for nnunetv2.run.run_training: the same arguments, files and hooks, and a training that learns nothing.

A file `fails` beside the package, with a fold and an epoch in it, makes that epoch fail; a file `diverges`, with a loss
too, makes that loss not a number.
"""

import argparse
import os
import sys
from pathlib import Path

import torch

SITE = Path(__file__).parents[2]


class nnUNetTrainer:  # noqa: N801
    def __init__(self, plans, configuration, fold, dataset_json, device) -> None:
        folder = f"{type(self).__name__}__nnUNetPlans__{configuration}"
        self.model = Path(os.environ["nnUNet_results"], "Dataset001_brainuad", folder)  # noqa: SIM112
        self.output_folder = str(self.model / f"fold_{fold}")
        self.fold, self.device, self.local_rank = fold, device, 0
        self.num_epochs, self.num_iterations_per_epoch, self.save_every = 1000, 250, 50
        self.current_epoch = 0
        self.network = torch.nn.Linear(3, 1)
        self.logger = self
        Path(self.output_folder).mkdir(parents=True, exist_ok=True)

    def get_value(self, key: str, step: int) -> float:
        assert step == -1
        divergence = SITE / "diverges"
        if divergence.exists() and divergence.read_text() == f"{self.fold} {self.current_epoch} {key}":
            return float("nan")
        return {"train_losses": -0.1, "val_losses": -0.2}[key] * (self.current_epoch + 1)

    def save_checkpoint(self, filename: str) -> None:
        weight = float(self.network.weight[0, 0])
        Path(filename).write_text(f"{self.current_epoch} {weight} {self.num_iterations_per_epoch}")

    def on_epoch_start(self) -> None:
        failure = SITE / "fails"
        if failure.exists() and failure.read_text() == f"{self.fold} {self.current_epoch}":
            sys.exit("CUDA out of memory")

    def on_epoch_end(self) -> None:
        self.current_epoch += 1
        if self.current_epoch % self.save_every == 0 and self.current_epoch < self.num_epochs:
            self.save_checkpoint(f"{self.output_folder}/checkpoint_latest.pth")

    def perform_actual_validation(self) -> None:
        raise AssertionError("nothing uses this evaluation")

    def run_training(self) -> None:
        for name in ("plans.json", "dataset.json"):
            (self.model / name).write_text("{}")
        while self.current_epoch < self.num_epochs:
            self.on_epoch_start()
            self.on_epoch_end()
        self.save_checkpoint(f"{self.output_folder}/checkpoint_final.pth")
        Path(self.output_folder, "checkpoint_latest.pth").unlink(missing_ok=True)


def recursive_find_trainer_class_by_name(name: str) -> type[nnUNetTrainer]:
    if name != "nnUNetTrainer":
        raise RuntimeError(f"Could not find requested nnunet trainer {name}")
    return nnUNetTrainer


def run_training_entry() -> None:
    parser = argparse.ArgumentParser()
    for name in ("dataset", "configuration", "fold"):
        parser.add_argument(name)
    parser.add_argument("-tr")
    parser.add_argument("-device")
    parser.add_argument("-num_gpus", type=int, default=1)
    parser.add_argument("--c", action="store_true")
    arguments = parser.parse_args()
    trainer = recursive_find_trainer_class_by_name(arguments.tr)(
        {}, arguments.configuration, int(arguments.fold), {}, torch.device(arguments.device)
    )
    if arguments.c:
        text = Path(trainer.output_folder, "checkpoint_latest.pth").read_text()
        trainer.current_epoch = int(text.split()[0])
    trainer.run_training()
    trainer.perform_actual_validation()

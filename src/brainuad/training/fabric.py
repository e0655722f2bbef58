"""Lightning Fabric with the device, the precision and the strategy of a training."""

import logging
from collections.abc import Mapping
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment

from brainuad.training.device import automatic_precision, chosen_device, device_name

log = logging.getLogger(__name__)


def make_fabric(device: str = "auto", precision: str = "auto", devices: int = 1) -> Fabric:
    """A launched Fabric on `device` (auto, cpu, cuda), with `devices` processes (DDP above one)."""
    device = chosen_device(device, devices)
    chosen: Any = automatic_precision(device) if precision == "auto" else precision
    # Models with several optimisers leave some parameters out of each step's gradient.
    strategy = "ddp_find_unused_parameters_true" if devices > 1 else "auto"
    torch.set_float32_matmul_precision("high")  # TensorFloat-32 on GPUs, as convolutions have it by default
    # Processes are started here and never by srun, so that a SLURM job needs one task only.
    fabric = Fabric(
        accelerator=device,
        devices=devices,
        precision=chosen,
        strategy=strategy,
        plugins=[LightningEnvironment()],
    )
    fabric.launch()
    return fabric


def machine_of(fabric: Fabric) -> dict[str, str]:
    """The names of the device and of the precision that a training has."""
    return {"device": device_name(fabric.device), "precision": fabric._precision.precision}


def next_machine(before: dict[str, str], now: dict[str, str], state: Mapping[str, Any]) -> dict[str, str]:
    """What a training that goes on from a state has; of a finished one it is what it was trained with."""
    if state["finished"]:
        return before
    if before["precision"] != now["precision"]:
        log.warning(
            "steps before %d had precision %s, the next have %s",
            state["step"],
            before["precision"],
            now["precision"],
        )
    return now

"""Chooses the device, the numerical precision and the order in memory; without Lightning, which starts slowly."""

import torch

from brainuad.errors import InputError
from brainuad.methods.base import ImageShape


def chosen_device(device: str, count: int = 1) -> str:
    """cpu or cuda: GPUs where `auto` finds some; an `InputError` where more are asked for than there are."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("config.yaml: device = 'cuda', but torch sees no GPU. Use 'auto' or 'cpu'.")
    if device == "cuda" and count > (found := torch.cuda.device_count()):
        raise InputError(
            f"config.yaml: gpus_per_training = {count}, but torch sees {found} GPU(s). Set it to {found}."
        )
    return device


def automatic_precision(device: str) -> str:
    """bf16 where the processor computes in it, else float32."""
    if device == "cuda":
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    return "bf16-mixed" if torch.cpu._is_avx512_bf16_supported() else "32-true"


def channels_last(shape: ImageShape) -> torch.memory_format:
    """The order in memory in which convolutions of such images are fast."""
    return torch.channels_last if len(shape.size) == 2 else torch.channels_last_3d


def device_name(device: torch.device) -> str:
    """The name of a device for the cost table."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"cpu, {threads} thread{'s' if threads > 1 else ''}"

"""Training steps per second of the paper's DAE against the machine's own matrix-multiplication peak.

Run by hand: `python benchmarks/training_speed.py [--device cuda]`. One process, same threads for both.
Kascenas 2023: 4 x 128 x 128, batch 16, widths 64 to 512.
"""

import argparse
import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from brainuad.methods.base import Batch, ImageShape
from brainuad.methods.dae import Dae, DaeSettings
from brainuad.randomness import Draws

SHAPE = ImageShape(("flair", "t1", "t1ce", "t2"), (128, 128))
PRECISIONS = {"float32": torch.float32, "bf16": torch.bfloat16}


def seconds_of(work: Callable[[], None], device: str, repeats: int) -> float:
    """The shortest of `repeats` runs, after one to warm up."""
    work()
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return best


def matmul_peak(device: str, dtype: torch.dtype, repeats: int) -> float:
    """FLOP/s of a large square matrix product."""
    size = 8192 if device == "cuda" else 2048
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return 2 * size**3 / seconds_of(lambda: torch.mm(a, b), device, repeats)  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    device, batch = options.device, options.batch
    images = torch.rand(batch, 4, *SHAPE.size, device=device)
    data = Batch(images, torch.ones(batch, 1, *SHAPE.size, dtype=torch.bool, device=device))
    print(f"{device}, {torch.get_num_threads()} threads, batch {batch}")
    for name, dtype in PRECISIONS.items():
        peak = matmul_peak(device, dtype, 5)
        for layout, memory_format in (("", torch.contiguous_format), (" channels-last", torch.channels_last)):
            model = Dae(DaeSettings(), SHAPE).to(device).to(memory_format=memory_format)
            optimiser = model.optimisers()["model"]

            def step(model: Dae = model, optimiser: torch.optim.Optimizer = optimiser) -> None:
                with torch.autocast(device, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):  # noqa: B023
                    loss = model.loss(data, Draws(0, device=device))
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()

            with FlopCounterMode(display=False) as counter:
                step()
            seconds = seconds_of(step, device, options.repeats)
            rate = counter.get_total_flops() / seconds
            print(
                f"  {name}{layout}: {1 / seconds:.2f} steps/s, {rate / 1e9:.0f} GFLOP/s, "
                f"{rate / peak:.0%} of the matrix product's {peak / 1e9:.0f} GFLOP/s"
            )


if __name__ == "__main__":
    main()
